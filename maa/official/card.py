"""The model card of a converted folder: what it was made from, and what is known about using it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from maa.config import ModelConfig
from maa.version import VERSION

TEXT = """# {name}

Weights of *Make-An-Audio: Text-To-Audio Generation with Prompt-Enhanced Diffusion Models* (Huang et al., ICML 2023,
arXiv 2301.12661), published by its authors and converted with `python -m maa convert` (version {version}). The numbers
are theirs; only the names and the file format changed.

| file | sha256 |
|---|---|
{rows}

Mel convention of the main network: {convention}. Open it with `MakeAnAudio.from_pretrained("path/to/{name}")` or
`python app.py --model path/to/{name}`.

**Licence.** The authors' code is MIT, but no licence was found for these weights, nor for the recordings they were
trained on. Ask the authors before you publish or sell what you make with them. MS-CLAP and open_clip models, where they
are part of this folder, have licences of their own. The folder `words/`, where there is one, comes from the model that
ships with the program.
"""


ROW = re.compile(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def sources_of(folder: Path) -> dict[str, str]:
    """The files that a converted folder was made from, and the sha256 of each; none where there is no card."""
    card = folder / "README.md"
    return dict(ROW.findall(card.read_text(encoding="utf-8", errors="replace"))) if card.is_file() else {}


def converted_card(name: str, config: ModelConfig, sources: Mapping[str, str]) -> str:
    """Markdown. `sources`: the sha256 of each file by its name."""
    rows = "\n".join(f"| `{file}` | `{sha256}` |" for file, sha256 in sources.items())
    return TEXT.format(name=name, version=VERSION, rows=rows, convention=config.audio.convention)
