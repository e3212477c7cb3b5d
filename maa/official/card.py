"""The model card of a converted folder: what it was made from, and what is known about using it."""

from __future__ import annotations

from collections.abc import Sequence

from maa.config import ModelConfig
from maa.official.pickles import TensorFile
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


def converted_card(name: str, config: ModelConfig, sources: Sequence[TensorFile]) -> str:
    """Markdown."""
    rows = "\n".join(f"| `{source.path.name}` | `{source.sha256}` |" for source in sources)
    return TEXT.format(name=name, version=VERSION, rows=rows, convention=config.audio.convention)
