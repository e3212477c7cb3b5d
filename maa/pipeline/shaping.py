"""How a finished sound is cut and shaped when it is written: a last step that leaves the sound itself as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from maa.pipeline.options import AS_MADE, LOUDNESS, MAX_TAKES, Sampling
from maa.pipeline.setting import Choice, Number, OptionGroup, Stretch, Switch, declare, settings_of

if TYPE_CHECKING:
    from maa.audio.finish import Finished
    from maa.audio.loudness import Samples

MAX_END, MAX_FADE = 600.0, 30.0  # seconds; no sound is longer


def _fade(what: str, label: str) -> Any:
    setting = Number(
        help=f"seconds over which the sound {what}", low=0.0, high=MAX_FADE, unit="s", slider=(0.0, MAX_FADE, 0.01),
        label=label, metavar="S", api=False,
    )  # fmt: skip
    return declare(0.0, setting)


@dataclass(frozen=True)
class Shaping(OptionGroup):
    """What is done to a sound when it is written, a width first, then the others in this order.

    Raises:
        ValueError: a value outside its range.
    """

    trim: tuple[float, float] | None = declare(
        None,
        Stretch(
            help="keep only what lies between two seconds", low=0.0, high=MAX_END, unit="s", label="Selection",
            metavar=("START", "END"), api=False,
        ),
    )  # fmt: skip
    reverse: bool = declare(False, Switch(help="from the end to the beginning", label="Reverse", api=False))
    fade_in: float = _fade("comes in", "Fade in (s)")
    fade_out: float = _fade("goes out", "Fade out (s)")
    gain: float = declare(
        0.0,
        Number(
            help="louder or quieter; what would clip is limited", low=-60.0, high=24.0, unit="dB",
            slider=(-60.0, 24.0, 0.1), label="Gain (dB)", metavar="DB", api=False,
        ),
    )  # fmt: skip
    target: str = declare(
        AS_MADE,
        Choice(
            help="loudness of what is left at the end: as-made, -23 or -18 LUFS, or peak: a true peak of -1 dB",
            choices=lambda: LOUDNESS, label="Loudness", metavar="L", api=False,
        ),
    )  # fmt: skip

    width: float = declare(  # 0 = mono; 1 = left and right have nothing in common
        0.0,
        Number(
            help="stereo of each take and of the one with the next seed, which is made for it: 0 is mono, 1 is widest",
            low=0.0, high=1.0, slider=(0.0, 1.0, 0.05), label="Width", metavar="W", api=False,
            only=("text", "image", "video", "personalize"),
        ),
    )  # fmt: skip

    @property
    def plain(self) -> bool:
        """Whether nothing is done."""
        return not self.to_settings()

    @property
    def whole(self) -> bool:
        """Whether a loop is still one."""
        return self.trim is None and not self.fade_in and not self.fade_out

    def to_settings(self) -> dict[str, Any]:
        """What is out of the ordinary, JSON types by name."""
        said = {one.name: getattr(self, one.field) for one in settings_of(Shaping)}
        usual = {one.name: one.default for one in settings_of(Shaping)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in said.items()
            if value != usual[name]
        }

    def asked(self, sampling: Sampling) -> Sampling:
        """How to sample for it: every take needs one with the next seed at its side.

        Raises:
            ValueError: there would be too many takes, or they would all have one seed.
        """
        if not self.width:
            return sampling
        from maa.diffusion.samplers import sampler_named  # here, because it brings NumPy

        if sampler_named(sampling.sampler).candidates and sampling.count > 1:
            raise ValueError("The takes of the sampler official have one seed; with a width ask it for one take.")
        if sampling.count >= MAX_TAKES:
            raise ValueError(f"With a width one more take is made; ask for at most {MAX_TAKES - 1}.")
        return replace(sampling, count=sampling.count + 1)

    def seconds(self, whole: float) -> float:
        """How long a sound of so many seconds becomes."""
        return whole if self.trim is None else min(self.trim[1], whole) - self.trim[0]

    def check_length(self, whole: float) -> None:
        """Raise ValueError where a sound of so many seconds has no such part, or where a fade is longer than it."""
        left = self.seconds(whole)
        if self.trim is not None and left <= 0:
            raise ValueError(f"the sound has {whole:g} s, so there is nothing of it from {self.trim[0]:g} s on.")
        if max(self.fade_in, self.fade_out) > left:
            raise ValueError(f"a fade is longer than the sound, of which {left:g} s are kept.")

    def applied(self, x: Samples, rate: int, beside: Samples | None = None) -> Finished:
        """A sound [channels, n] shaped; the gain that the end of it brought with it.

        Args:
            x: at the rate that it is written at.
            rate: Hz.
            beside: the take with the next seed, mono as x is; needed for a width.

        Raises:
            ValueError: there is no such part of the sound, a fade is longer than it, or there is no take for a width.
        """
        from maa.audio import shape

        if self.width:
            if beside is None or x.shape[0] != 1:
                raise ValueError("A width needs two mono takes of one request, of this seed and of the next.")
            x = shape.widened(x, beside, rate, self.width)
        cut = (False, False)
        if self.trim is not None:
            x, cut = shape.trimmed(x, rate, self.trim)
        if self.reverse:
            x, cut = shape.backwards(x), (cut[1], cut[0])
        x = shape.with_fades(x, rate, (self.fade_in, self.fade_out))
        x = shape.guarded(x, rate, (cut[0] and not self.fade_in, cut[1] and not self.fade_out))
        made = shape.gained(x, rate, self.gain)
        made = made.then(shape.as_loud_as(made.samples, rate, self.target))
        return made.then(shape.held(made.samples, rate)) if self.width else made


AS_IS = Shaping()


def next_of(seeds: Sequence[int], seed: int) -> int | None:
    """Which of some seeds is the next after one; None where it is not among them."""
    following = (seed + 1) % 2**32
    return list(seeds).index(following) if following in seeds else None
