"""Edits without a model, done; and a sound with its chain of edits, to step back and forth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maa.audio import spectral
from maa.audio.heal import healed
from maa.audio.io import Audio, check_audible, to_audio, write
from maa.audio.mask import Box
from maa.audio.maskfile import read_mask
from maa.audio.pcm import Samples
from maa.audio.region import Region, rectangles
from maa.audio.sound import resampled_count
from maa.audio.splice import MODEL
from maa.audio.tags import read_tags
from maa.config import AudioSpec
from maa.pipeline.edits import Edit, Step, check_room, filled_step, steps_in
from maa.pipeline.filling import MaskLike, mask_of
from maa.pipeline.report import Report, report

if TYPE_CHECKING:
    from maa.pipeline.result import Generation

TASK = "edit"  # in the settings of a file that was edited last without a model
NEAR = 4096  # samples between two changes that are kept as one


@dataclass(frozen=True)
class Edited:
    """A sound after one edit.

    Attributes:
        audio: of the same rate, channels, length and number type as its source.
        spans: (start, end) in seconds; every sample outside them is the source's.
        step: the edit as a step of a chain.
        report: what it left of the source.
    """

    audio: Audio
    spans: list[tuple[float, float]]
    step: Step
    report: Report


def frames_of(source: Audio, spec: AudioSpec = MODEL) -> int:
    """Columns that a mask of this sound has."""
    return -(-resampled_count(source.samples.shape[1], source.sample_rate, spec.sample_rate) // spec.hop)


def region_of(source: Audio, edit: Edit, spec: AudioSpec = MODEL) -> Region:
    """Boxes, stretches of time and a mask file of an edit, all together.

    Raises:
        ValueError: an edge or the file is not what it should be, or nothing is said.
    """
    boxes = [Box(*edges) for edges in edit.regions]
    if not boxes and edit.mask is None:
        raise ValueError("Say what to work on: a box, frames or a mask.")
    if edit.harmonics:
        boxes = [partial for box in boxes for partial in spectral.harmonics(source, box)]
    cells = None if edit.mask is None else read_mask(edit.mask, spec, frames_of(source, spec))
    return Region(tuple(boxes), cells, spec)


def edited(source: Audio, edit: Edit, region: Region | None = None) -> Edited:
    """A sound with one edit done to it.

    Args:
        source: the sound; everything outside the edit's spans stays the very same number.
        edit: what to do.
        region: where; None = where the edit says.

    Raises:
        ValueError: nothing is marked, or it cannot be done there.
    """
    check_audible(source)
    region = region_of(source, edit) if region is None else region
    pieces = region.pieces(source)
    match edit.operation:
        case "boost":
            made = spectral.boosted(source, region, float(edit.gain or 0.0))
        case "silence":
            made = spectral.silenced(source, region)
        case "heal":
            made = healed(source, region, edit.seed)
        case "copy":
            made = spectral.region_copied(source, region, float(edit.copy_to or 0.0))
        case _:
            made = spectral.region_copied(source, region, float(edit.move_to or 0.0), move=True)
    changed = pieces if edit.operation != "copy" else []
    to = edit.copy_to if edit.operation == "copy" else edit.move_to
    if to is not None:
        changed = [*changed, *spectral.copies(source, pieces, to)]
    spans = [(first / source.sample_rate, stop / source.sample_rate) for first, stop in sorted(changed)]
    return Edited(made, spans, edit.step(rows_of_region(region, source)), report(source, made.samples, spans))


def rows_of_region(region: Region, source: Audio) -> list[tuple[float, float, float, float]]:
    """A region as rows of start s, end s, low Hz, high Hz."""
    top = source.sample_rate / 2
    exact = [(box.start, min(box.end, source.seconds), box.low, min(box.high, top)) for box in region.boxes]
    return exact + ([] if region.cells is None else rectangles(region.cells, region.spec))


@dataclass(frozen=True)
class _Link:
    """One edit as what it changed, so that it can be taken back and done again to the bit."""

    step: Step
    before: Audio  # without samples
    after: Audio
    changes: list[tuple[int, Samples, Samples]]  # first sample, what was there, what is there now
    whole: bool  # the one change is the whole sound, which got another length

    @classmethod
    def of(cls, step: Step, before: Audio, after: Audio) -> _Link:
        old, new = before.samples, after.samples
        if old.shape != new.shape or old.dtype != new.dtype:
            whole, changes = True, [(0, old, new)]
        else:
            runs = _differing(old, new)
            whole, changes = False, [(a, old[:, a:b].copy(), new[:, a:b].copy()) for a, b in runs]
        bare = [replace(one, samples=one.samples[:, :0]) for one in (before, after)]
        return cls(step, bare[0], bare[1], changes, whole)

    def undone(self, sound: Audio) -> Audio:
        """The sound before it."""
        return self._with(sound, self.before, [(first, old) for first, old, _ in self.changes])

    def done(self, sound: Audio) -> Audio:
        """The sound after it."""
        return self._with(sound, self.after, [(first, new) for first, _, new in self.changes])

    def _with(self, sound: Audio, like: Audio, parts: list[tuple[int, Samples]]) -> Audio:
        if self.whole:
            return replace(like, samples=parts[0][1])
        samples = sound.samples.copy()
        for first, part in parts:
            samples[:, first : first + part.shape[1]] = part
        return replace(like, samples=samples)


def _differing(old: Samples, new: Samples) -> list[tuple[int, int]]:
    """Stretches outside of which two sounds [channels, n] are the same."""
    at = np.flatnonzero(np.any(old != new, axis=0))
    if not at.size:
        return []
    gaps = np.flatnonzero(np.diff(at) > NEAR)
    firsts, lasts = at[np.concatenate([[0], gaps + 1])], at[np.concatenate([gaps, [len(at) - 1]])]
    return [(int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True)]


class EditChain:
    """A sound and the edits made of it so far, one after the other; any of them can be gone back to, to the bit.

        chain = EditChain("birds.wav")
        chain.edit(Edit(boxes=[(2.0, 2.5, 1000, 4000)], gain=-12.0))
        chain.use(maa.inpaint(chain.sound, mask, "rain"), mask)
        chain.undo()
        chain.save("edited.wav")

    Only what an edit changed is kept of it.

    Args:
        source: a file, whose own chain goes on, or a sound.
        spec: what rows and columns of masks are.

    Raises:
        ValueError: the source cannot be read.
    """

    def __init__(self, source: str | Path | Audio, spec: AudioSpec = MODEL) -> None:
        self.sound = to_audio(source)
        self.spec = spec
        self.at = 0  # how many of the edits are done
        self._before = [] if isinstance(source, Audio) else steps_in(read_tags(source))
        self._links: list[_Link] = []

    @property
    def steps(self) -> list[Step]:
        """What was done to the sound as it is now, that before it came here included."""
        return [*self._before, *(link.step for link in self._links[: self.at])]

    def __len__(self) -> int:
        return len(self._links)

    def edit(self, edit: Edit, mask: MaskLike = None) -> Edited:
        """Do one edit without a model; `mask` is more to work on. What was taken back before is forgotten.

        Raises:
            ValueError: it cannot be done, or the chain is as long as it may be.
        """
        check_room(self.steps)
        region = None
        if mask is not None:
            cells = mask_of(mask, self.spec, frames_of(self.sound, self.spec))
            said = bool(edit.regions) or edit.mask is not None
            region = replace(region_of(self.sound, edit, self.spec) if said else Region(spec=self.spec), cells=cells)
        made = edited(self.sound, edit, region)
        self._go_on(made.step, made.audio)
        return made

    def use(self, made: Generation, mask: MaskLike, take: int = 0) -> None:
        """Go on with an inpainted take of the sound as it is now.

        Args:
            made: what `MakeAnAudio.inpaint` gave for it.
            mask: what was made new.
            take: which one, counted from 0.
        """
        check_room(self.steps)
        sound = Audio(made.audio[take], made.sample_rate, made.subtype, made.carried)
        if (sound.sample_rate, sound.channels) != (self.sound.sample_rate, self.sound.channels):
            raise ValueError("This take has another rate or other channels, so it is no edit of this sound.")
        painted = rectangles(mask_of(mask, self.spec, frames_of(self.sound, self.spec)), self.spec)
        self._go_on(filled_step(made.settings_of(take), painted), sound)

    def undo(self) -> bool:
        """Go back by one edit; False where there is none."""
        if not self.at:
            return False
        self.at -= 1
        self.sound = self._links[self.at].undone(self.sound)
        return True

    def redo(self) -> bool:
        """Do again what was taken back; False where nothing was."""
        if self.at == len(self._links):
            return False
        self.sound = self._links[self.at].done(self.sound)
        self.at += 1
        return True

    def go(self, step: int) -> None:
        """The sound after so many edits, 0 = as it came.

        Raises:
            ValueError: there are not so many.
        """
        if not 0 <= step <= len(self._links):
            raise ValueError(f"There is no step {step}; this chain goes from 0 to {len(self._links)}.")
        while self.at > step:
            self.undo()
        while self.at < step:
            self.redo()

    def save(self, path: str | Path, subtype: str | None = None) -> Path:
        """Write the sound as it is now, with its chain inside."""
        sound = self.sound
        return write(
            path, sound.samples, sound.sample_rate, subtype or sound.subtype, chain_settings(self.steps), sound.carried
        )

    def _go_on(self, step: Step, sound: Audio) -> None:
        self._links = [*self._links[: self.at], _Link.of(step, self.sound, sound)]
        self.at += 1
        self.sound = sound


def chained(made: Generation, steps: Sequence[Step], mask: MaskLike, spec: AudioSpec = MODEL) -> Generation:
    """Takes of a sound with its chain in their settings; of a sound that has none, as they are.

    Args:
        made: inpainted takes.
        steps: what was done to their source before.
        mask: bool [mels, frames] of what was made new.
        spec: of the mask.
    """
    if not steps:
        return made
    painted = [list(row) for row in rectangles(mask, spec)]
    return replace(made, settings={**made.settings, "chain": list(steps), "painted": painted})


def chain_settings(steps: Sequence[Step], **more: Any) -> dict[str, Any]:
    """The settings of a file that was edited last without a model."""
    return {"task": TASK, "chain": list(steps), **more}
