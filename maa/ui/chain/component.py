"""The tools and the strip of steps beside the painter.

The value is a JSON object. To the browser: steps ([{"label", "url", "file"}], from the upload on; none = there is no
sound yet), at (the step that is worked on), before (what was done to the upload before it came here, as its file says),
sound (the path that names it to the server) and stamp (new with every answer). To and from it: keep (whether the mask
stays when the sound changes).
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import gradio as gr

from maa.aside import write_text
from maa.audio.io import read
from maa.config import AudioSpec
from maa.pipeline.edits import LEAST_GAIN, MOST_GAIN, OPERATIONS, VALUED, step_sentence
from maa.ui import files, parts, views
from maa.ui.chain.store import Chain, chain_of, spans_between, told_by
from maa.ui.records import answered
from maa.ui.results import STYLES
from maa.ui.storage import STORAGE

Value = dict[str, Any]


def edits(elem_id: str, spec: AudioSpec) -> gr.HTML:
    """An empty strip; give it a value from `value_of`."""

    @answered
    def compared(asked: Any) -> dict[str, Any]:
        """Views of two steps: {"a", "b"}, or {"error"} for the person who asked."""
        return compared_steps(asked, spec)

    return gr.HTML(
        value=None,
        html_template='<div class="maa-root"></div>',
        css_template=parts.style(*STYLES, "chain/chain.css"),
        js_on_load=parts.script("chain/main.js"),
        apply_default_css=False,
        elem_id=elem_id,
        server_functions=[compared],
        colours=views.colours(),
        tools=OPERATIONS,
        valued=list(VALUED),
        gains=[LEAST_GAIN, MOST_GAIN],
    )


def value_of(sound: Path | None, before: Any = None) -> Value:
    """What the strip shows of a sound; `before` is its value until now, whatever came from the browser."""
    kept = {"keep": keeps(before), "stamp": secrets.token_hex(4)}
    if sound is None:
        return {"steps": [], "at": 0, "before": [], "sound": None, **kept}
    chain = chain_of(sound)
    folder = sound.parent if chain.folder is None else chain.folder
    steps = [
        {"label": one.label, "url": files.url_of(folder / one.file), "file": _called(chain, k)}
        for k, one in enumerate(chain.steps)
    ]
    earlier = list(map(step_sentence, told_by(folder / chain.steps[0].file)))
    return {"steps": steps, "at": chain.at, "before": earlier, "sound": str(sound), **kept}


def _called(chain: Chain, step: int) -> str:
    """A name for the file of a step outside of the server."""
    return f"{chain.name}_edit-{step}{Path(chain.steps[step].file).suffix}"


def keeps(value: Any) -> bool:
    """Whether the mask stays when the sound changes; it does where nothing is said."""
    return not (isinstance(value, dict) and value.get("keep") is False)


def compared_steps(asked: Any, spec: AudioSpec) -> dict[str, Any]:
    """Views of two steps of a chain, and what they differ in.

    Args:
        asked: {"sound": path of a step, "a", "b": numbers of two steps}, from the browser; may be anything.
        spec: of the spectrograms.
    """
    given = asked if isinstance(asked, dict) else {}
    chain = chain_of(files.uploaded({"path": given.get("sound")}, "a sound"))
    numbers = [given.get("a"), given.get("b")]
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        raise ValueError("There is no such step.")
    first, second = (_view(chain, int(str(number)), spec) for number in numbers)
    spans = spans_between(chain, int(str(numbers[0])), int(str(numbers[1])))
    return {"a": first, "b": {**second, "settings": {"spans": spans}}}


def _view(chain: Chain, step: int, spec: AudioSpec) -> views.View:
    """A step's view; it is kept beside its file."""
    path = chain.path(step)
    kept = path.with_name(f"{path.stem}.view.json")
    if not kept.is_file():
        facts = {"id": path.stem, "task": "inpaint", "number": step, "settings": {}, "ticks": views.ticks(spec)}
        view = views.view_of(read(path), path, spec, **facts)
        write_text(kept, json.dumps(view))
        STORAGE.add("", kept.stat().st_size)
    found: views.View = json.loads(kept.read_text(encoding="utf-8"))
    return found
