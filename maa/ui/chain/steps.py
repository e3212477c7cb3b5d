"""What the strip beside the painter does: an edit without a model, a step back or forth, a take as the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from maa.audio.io import read, write
from maa.audio.region import Region, rectangles
from maa.config import AudioSpec
from maa.pipeline import editing
from maa.pipeline.edits import VALUED, Edit, filled_step, step_sentence
from maa.pipeline.options import fresh_seed
from maa.pipeline.setting import read_options
from maa.ui import files, painter, records, status
from maa.ui.chain import store
from maa.ui.chain.component import Value, keeps, value_of
from maa.ui.faults import told
from maa.ui.results import Updates
from maa.ui.shares import LOOK

EXACT = "exact.wav"  # beside a take that was written otherwise: every sample as it was made
GONE = "The server does not keep this sound any more; make it again."
Answer = tuple[Path, str, float]  # another sound, a line about it, and the seconds that it is longer in front
Act = Callable[[Mapping[str, Any], Any, Any], Answer]  # of what is asked, the sound and the mask


@dataclass(frozen=True)
class Steps:
    """The components that a step changes."""

    sound: gr.Audio
    mask: gr.HTML
    boxes: gr.State
    strip: gr.HTML
    status: gr.HTML
    spec: AudioSpec

    def apply(self, data: Mapping[str, Any], sound: Any, mask: Any) -> Answer:
        """One edit of what is marked, as the next step."""
        path = files.uploaded(sound, "a sound")
        edit = edit_of(data)
        source = read(path)
        painted = painter.mask_of(mask, (self.spec.mels, editing.frames_of(source, self.spec)))
        if not painted.any():
            raise ValueError("Nothing is marked yet; mark what the tool should work on.")
        chain = store.begun(path)
        made = editing.edited(source, edit, Region(cells=painted, spec=self.spec))
        settings = editing.chain_settings([*store.told_by(path), made.step])

        def make(target: Path) -> None:
            write(target, made.audio.samples, source.sample_rate, source.subtype, settings, source.carried)

        return store.gone_on(chain, made.step, made.spans, make, ".wav"), f"{step_sentence(made.step)}.", 0.0

    def go(self, data: Mapping[str, Any], sound: Any, mask: Any) -> Answer:
        """Another step of the chain."""
        chain, to = store.chain_of(files.uploaded(sound, "a sound")), data.get("to")
        if not isinstance(to, int) or isinstance(to, bool):
            raise ValueError("There is no such step.")
        return chain.path(to), f"Step {to}: {chain.steps[to].label}.", 0.0

    def use(self, data: Mapping[str, Any], sound: Any, mask: Any) -> Answer:
        """A take as the next step of the sound that it was made from."""
        found = records.record_of(data.get("id"))
        if found is None or not found[1]["input"] or not (found[0] / found[1]["input"]).is_file():
            raise ValueError(GONE)
        folder, record = found
        settings = record["view"].get("settings")
        if not isinstance(settings, Mapping) or settings.get("task") != "inpaint":
            raise ValueError("Only a sound that was inpainted can be gone on with here.")
        exact = folder / EXACT if (folder / EXACT).is_file() else folder / record["view"]["file"]
        chain = self._chain_with(folder / record["input"], sound)
        painted = records.kept_mask(folder, self.spec)
        step = filled_step(settings, None if painted is None else rectangles(painted, self.spec))
        spans = [(float(a), float(b)) for a, b in settings.get("spans") or []]
        path = store.gone_on(chain, step, spans, lambda target: store.link_or_copy(exact, target), exact.suffix)
        before = settings.get("before")
        longer = float(before) if isinstance(before, int | float) else 0.0
        return path, f"{step_sentence(step)}: the painter has this result now.", longer

    def _chain_with(self, source: Path, sound: Any) -> store.Chain:
        """The chain that has what a take was made from, at that step: the one in the tab, or else a new one."""
        try:
            chain = store.begun(files.uploaded(sound, "a sound"))
        except ValueError:
            return store.begun(source)
        step = store.step_with(chain, source)
        return store.begun(source) if step is None else store.chain_of(chain.path(step))

    def kept_boxes(self, mask: Any, strip: Any, sound: Path, longer: float = 0.0) -> list[list[float]] | None:
        """What stays painted on another sound, which may be longer in front by some seconds."""
        frames = mask.get("frames") if isinstance(mask, dict) else None
        if not keeps(strip) or not isinstance(frames, int) or isinstance(frames, bool):
            return None
        painted = painter.mask_of(mask, (self.spec.mels, frames))
        first = round(longer / self.spec.frame_seconds)
        moved = np.pad(painted, ((0, 0), (first, 0)))[:, : editing.frames_of(read(sound), self.spec)]
        return [list(row) for row in rectangles(moved, self.spec)]


def edit_of(data: Mapping[str, Any]) -> Edit:
    """The edit that a page asks for: {"tool", "value"}.

    Raises:
        ValueError: there is no such tool, or its value is not what it should be.
    """
    tool, value = data.get("tool"), data.get("value")
    if tool in ("silence", "heal"):
        return read_options(Edit, {str(tool): True, "seed": fresh_seed() if tool == "heal" else 0})
    if not isinstance(tool, str) or tool not in VALUED:
        raise ValueError("There is no such tool.")
    if value is None:
        raise ValueError("Say how much, or where to, in the field beside the tool.")
    return read_options(Edit, {VALUED[tool]: value})


def connect(steps: Steps, takes: gr.HTML) -> None:
    """Wire the strip, and the takes' button "Use this result"."""
    changed: list[Any] = [steps.sound, steps.boxes, steps.strip, steps.status]
    inputs: list[Any] = [steps.sound, steps.mask, steps.strip]

    def handler(act: Act) -> Callable[..., Updates]:
        def handle(event: gr.EventData, sound: Any, mask: Any, strip: Any) -> Updates:
            data = event._data if isinstance(event._data, Mapping) else {}
            try:
                path, line, longer = act(data, sound, mask)
                boxes = steps.kept_boxes(mask, strip, path, longer)
            except Exception as error:  # noqa: BLE001 - told to the visitor or written into the log
                said = told(error).message
                gr.Warning(said)
                return {steps.strip: _answered(strip), steps.status: status.failed(said)}
            shown = value_of(path, strip)
            return {steps.sound: str(path), steps.boxes: boxes, steps.strip: shown, steps.status: status.idle(line)}

        return handle

    how: dict[str, Any] = {"preprocess": False, "show_progress": "hidden", **LOOK, "api_visibility": "private"}
    strip, results = steps.strip, takes
    for source, name, act in (
        (strip, "edit_apply", steps.apply), (strip, "edit_step", steps.go), (results, "take_result", steps.use),
    ):  # fmt: skip
        getattr(source, name)(handler(act), inputs=inputs, outputs=changed, **how)


def _answered(strip: Any) -> Value:
    """The strip as it was, so that its script hears that the answer is there."""
    try:
        path = files.uploaded({"path": strip.get("sound")}, "a sound") if isinstance(strip, dict) else None
    except ValueError:
        path = None
    return value_of(path, strip)
