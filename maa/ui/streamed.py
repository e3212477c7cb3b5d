"""A long take while it is made: what the page shows of it, and its stretches as files that are played one by one.

The files lie in a folder of their own beside the takes. Once the take is there nobody needs them for long: a page that
plays them fetches what is left at once, and a minute later they are gone.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import soundfile

from maa.config import AudioSpec
from maa.ui import views
from maa.ui.files import shelf, url_of
from maa.ui.jobs import Progress, Stretch
from maa.ui.storage import STORAGE, VISITOR

STAYS = 60.0  # seconds after the end
SAMPLE_BYTES = 4  # float32, as the vocoder made them: an integer could not hold what is above full scale


class Live:
    """What the page shows of a job under way; each `after` says all of it, for the page may have missed the last.

    Args:
        spec: the model's rate and frame grid.
        seed: of the first take, which is the one that is heard.
    """

    def __init__(self, spec: AudioSpec, seed: int | None) -> None:
        self.spec, self.seed = spec, seed
        self._picture: dict[str, Any] = {}
        self._folder: Path | None = None
        self._parts: list[tuple[str, float, float]] = []
        self._whole = 0.0
        self._full = False  # once there was no room for a stretch: without it the next ones are of no use

    def after(self, progress: Progress) -> dict[str, Any] | None:
        """The view; None when nothing in it has changed."""
        if progress.mel is not None:
            self._picture = {
                "levels": views.data_url(views.levels_png(progress.mel)),
                "seconds": progress.mel.shape[1] * self.spec.frame_seconds,
                "ticks": views.ticks(self.spec),
            }
        self._write(progress.sound)
        if progress.mel is None and not progress.sound:
            return None
        heard = {"heard": self.heard} if self.heard else {}
        return {**self._picture, **heard, "step": progress.step, "total": progress.total}

    @property
    def heard(self) -> dict[str, Any] | None:
        """What can be played so far: rows [address, second where it begins, seconds]; None = nothing."""
        if not self._parts:
            return None
        return {"seed": self.seed, "rate": self.spec.sample_rate, "seconds": self._whole, "parts": list(self._parts)}

    def end(self, soon: bool = False) -> None:
        """No more will be made; `soon`: nothing came of it, so nobody needs what there is."""
        if self._folder is None:
            return
        if soon:
            shutil.rmtree(self._folder, ignore_errors=True)
            return
        timer = threading.Timer(STAYS, shutil.rmtree, (self._folder,), {"ignore_errors": True})
        timer.daemon = True  # what is left at the end of the program is swept after a day
        timer.start()

    def _write(self, stretches: Sequence[Stretch]) -> None:
        rate = self.spec.sample_rate
        for one in stretches:
            self._full = self._full or STORAGE.refusal(VISITOR.get(), SAMPLE_BYTES * len(one.wave)) is not None
            if self._full:
                return
            if self._folder is None:
                self._folder = shelf() / uuid.uuid4().hex
                self._folder.mkdir(parents=True)
            path = self._folder / f"part-{one.first:09d}.wav"
            soundfile.write(path, one.wave, rate, subtype="FLOAT")
            self._parts.append((url_of(path), one.first / rate, len(one.wave) / rate))
            self._whole = one.whole / rate
