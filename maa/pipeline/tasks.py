"""The tasks: what each is called, what is given to it, and what may be asked of it besides the sampling.

Another one is a class here, a method of `MakeAnAudio`, and a tab: its file, and its line in `maa/ui/tabs.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from maa.pipeline.events import event_of, rows_of
from maa.pipeline.options import AS_MADE, LOUDNESS, Filling, Sampling, Soundtrack
from maa.pipeline.rows import MAX_HEARD, check_words, regions
from maa.pipeline.setting import (
    PROMPTS,
    SOUND,
    TAB,
    Choice,
    File,
    Number,
    OptionGroup,
    Rows,
    Switch,
    TextLine,
    TextList,
    declare,
    settings_of,
)  # fmt: skip

if TYPE_CHECKING:
    from maa.pipeline.result import Generation
    from maa.pipeline.steps import OnStep

MIN_SECONDS, MAX_SECONDS = 0.5, 30.0
MAX_START = 600.0  # seconds: no sound is longer


def _prompt(help_text: str = "what should be heard, instead of what is seen", *, required: bool = False) -> Any:
    return declare("", TextLine(help=help_text, place=PROMPTS, required=required))


def _negative() -> Any:
    setting = TextLine(
        help="what to lead away from", title="negative prompt", label="Negative prompt", metavar="TEXT",
        place=PROMPTS, placeholder="What should not be heard (optional)",
    )  # fmt: skip
    return declare("", setting)


def _seconds() -> Any:
    setting = Number(
        help="length of the sound", low=MIN_SECONDS, high=MAX_SECONDS, slider=(1.0, MAX_SECONDS, 0.001), place=SOUND,
        label="Length in seconds", metavar="S", always=True, native=lambda config: config.audio.seconds,
        open="the model's own",
        info="The model has learnt from pieces of {native:g} s; longer sounds are joined from such.",
    )  # fmt: skip
    return declare(None, setting)


def _loudness(place: str = SOUND) -> Any:
    setting = Choice(
        help="as-made, -23 or -18 LUFS, or peak: a true peak of -1 dB; what is inpainted is always as-made",
        choices=lambda: LOUDNESS, place=place, turn=3, label="Loudness", metavar="L",
    )  # fmt: skip
    return declare(AS_MADE, setting)


def _literal() -> Any:
    setting = Switch(
        help="take the words of the prompt as they are; else what is near no known caption is led to the nearest one",
        place=PROMPTS, turn=6, label="Take my words as they are",
    )  # fmt: skip
    return declare(False, setting)


def _loop() -> Any:
    setting = Switch(help="its end goes on into its beginning", place=SOUND, turn=9, label="Seamless loop")
    return declare(False, setting)


def _heard(flag: str = "heard") -> Any:
    setting = TextList(
        help="what to listen to for each clause of the prompt: a known sound, or the clause itself", flag=flag,
        most=MAX_HEARD, place=PROMPTS, turn=8, label="Heard as", metavar="TEXT",
    )  # fmt: skip
    return declare((), setting)


@dataclass(frozen=True, kw_only=True)
class _Events(Rows):
    """Rows of events, whose gain a command line says behind the text."""

    def cells_said(self, row: Any) -> Any:
        event = event_of(row)
        text = f"{event.text} @ {event.gain:g} dB" if event.gain else event.text
        return event.start, event.end, text


def _events() -> Any:
    setting = _Events(
        help="a sound in time: start and end in seconds, and what is heard; a gain may follow it, as in “rain @ -6 dB”",
        cells=rows_of, numbers=False, flag="event", metavar=("START", "END", "TEXT"), place=PROMPTS, turn=7,
    )  # fmt: skip
    return declare((), setting)


@dataclass(frozen=True)
class Source:
    """What a task works on."""

    name: str  # of the argument
    what: str  # with its article
    more: str = ""  # what the command line should know besides


class Task(OptionGroup):
    """Base of what the tasks may be asked."""

    name: ClassVar[str]  # on the command line, in saved settings, in the page
    label: ClassVar[str]  # of its tab
    method: ClassVar[str]  # of `MakeAnAudio`, and the name of its endpoint
    summary: ClassVar[str]
    source: ClassVar[Source | None] = None
    conditioned_on: ClassVar[Literal["text", "pictures", "known sound"]] = "text"  # decides which parts it needs
    more: ClassVar[tuple[type[OptionGroup], ...]] = ()  # what else it may be asked
    splices: ClassVar[bool] = False  # the new sound goes into the user's own, whose loudness stays as it is

    def keywords(self) -> dict[str, Any]:
        """Every value by its name in Python, but for `heard`, which goes with the prompt (`given`)."""
        return {name: value for name, value in super().keywords().items() if name != "heard"}

    def given(self, maa: Any) -> dict[str, Any]:
        """What a model's method takes of it; where it is said what to listen to, the prompt comes as that.

        Raises:
            ValueError: it does not fit the prompt, or the model does not know it.
        """
        how, heard = self.keywords(), getattr(self, "heard", ())
        return how | {"prompt": maa.heard(how["prompt"], captions=heard)} if heard and not how["literal"] else how

    def run(self, maa: Any, source: Any, sampling: Sampling, on_step: OnStep | None) -> Generation:
        """Ask a model for it.

        Args:
            maa: a `MakeAnAudio`.
            source: what the task works on; nothing where it works on nothing.
            sampling: how to sample.
            on_step: called after every denoising step.
        """
        on = () if self.source is None else (source,)
        made: Generation = getattr(maa, self.method)(*on, sampling=sampling, **self.given(maa), on_step=on_step)
        return made


@dataclass(frozen=True)
class Text(Task):
    """Sound from a sentence."""

    name, label, method = "text", "Text", "text_to_audio"
    summary = "Sound from a sentence."

    prompt: str = _prompt("what should be heard", required=True)
    heard: tuple[str, ...] = _heard()
    negative: str = _negative()
    seconds: float | None = _seconds()
    loudness: str = _loudness()
    literal: bool = _literal()
    events: tuple[tuple[Any, ...], ...] = _events()
    loop: bool = _loop()

    def given(self, maa: Any) -> dict[str, Any]:
        """Its method is said itself what to listen to: it places a sentence's sounds in time first."""
        return {**self.keywords(), "heard": self.heard}


@dataclass(frozen=True)
class Image(Task):
    """Sound from a picture."""

    name, label, method = "image", "Image", "image_to_audio"
    summary = "Sound from a picture."
    source = Source("image", "a picture")
    conditioned_on = "pictures"

    prompt: str = _prompt()
    heard: tuple[str, ...] = _heard("led-to")  # --heard are the words of a picture
    negative: str = _negative()
    seconds: float | None = _seconds()
    words: tuple[tuple[str, float], ...] = declare(
        (),
        Rows(
            help="a word that the picture is heard as, and its weight", cells=check_words, flag="heard",
            metavar=("WORD", "WEIGHT"), api=False, numbers=False,
        ),
    )  # fmt: skip
    loudness: str = _loudness()
    literal: bool = _literal()
    loop: bool = _loop()


@dataclass(frozen=True)
class Video(Task):
    """Sound for a clip, as long as the clip."""

    name, label, method = "video", "Video", "video_to_audio"
    summary = "Sound for a clip, as long as the clip; the file is the clip with that sound."
    source = Source("video", "a clip", "with -o NAME.wav only the sound is written")
    conditioned_on = "pictures"
    more = (Soundtrack,)

    prompt: str = _prompt()
    heard: tuple[str, ...] = _heard()
    negative: str = _negative()
    loudness: str = _loudness()
    literal: bool = _literal()
    events: tuple[tuple[Any, ...], ...] = _events()


@dataclass(frozen=True)
class Personalize(Task):
    """A sound of the user's own, led towards a prompt."""

    name, label, method = "personalize", "Personalise", "personalize"
    several: ClassVar[str] = "Try five steps from your sound to the prompt"  # the button of `strip`
    summary = "A sound of your own, moved towards a prompt."
    source = Source("audio", "a sound")

    prompt: str = _prompt("what should be heard", required=True)
    heard: tuple[str, ...] = _heard()
    t0: float = declare(  # 0.4 is the middle of what the paper recommends
        0.4,
        Number(
            help="0 is your sound through the model (mono, 16 kHz), 1 ignores it; the paper recommends 0.2 to 0.5",
            low=0.0, high=1.0, says="must lie between 0 (keep the sound) and 1 (follow the prompt)", always=True,
            slider=(0.0, 1.0, 0.01), place=TAB, label="Keep my sound ↔ follow the prompt",
            info="t0: 0 = your sound through the model (mono, 16 kHz), 1 ignores it; "
            "the paper recommends 0.2 to 0.5 (marked).",
        ),
    )  # fmt: skip
    negative: str = _negative()
    start: float = declare(
        0.0,
        Number(
            help="second of your sound where the model's window begins", low=0.0, high=MAX_START, metavar="S",
        ),
    )  # fmt: skip
    loudness: str = _loudness()
    literal: bool = _literal()
    level_match: bool = declare(
        True,
        Switch(
            help="as loud as your sound, where the loudness is as-made", place=TAB, turn=5,
            label="As loud as your sound",
        ),
    )  # fmt: skip

    def at_any_t0(self, maa: Any) -> dict[str, Any]:
        """What stays the same where a model is asked for one sound at several t0."""
        return {name: value for name, value in self.given(maa).items() if name != "t0"}


@dataclass(frozen=True)
class Inpaint(Task):
    """New sound where a mask says so."""

    name, label, method = "inpaint", "Inpaint", "inpaint"
    summary = "Regions of a sound made anew; outside their time spans its samples stay as they are."
    source = Source("audio", "a sound", "its rate, channels and sample format are kept")
    conditioned_on = "known sound"
    more = (Filling,)
    splices = True

    boxes: tuple[tuple[float, ...], ...] = declare(
        (),
        Rows(
            help="a region to make anew: start and end in seconds, lowest Hz, highest Hz",
            cells=lambda value: regions(value, 4), flag="box", metavar=("START", "END", "LOW", "HIGH"),
        ),
    )  # fmt: skip
    prompt: str = _prompt("what should be heard; empty goes on with what is there")
    heard: tuple[str, ...] = _heard()
    frames: tuple[tuple[float, ...], ...] = declare(
        (),
        Rows(
            help="a stretch of all frequencies to make anew: start and end in seconds",
            cells=lambda value: regions(value, 2), metavar=("START", "END"),
        ),
    )  # fmt: skip
    mask: Any = declare(  # noqa: RUF009 - a dataclass field
        None, File(help="PNG, white = make new and low notes at the bottom, or .npy [bands, frames]", metavar="FILE")
    )
    negative: str = _negative()
    loudness: str = _loudness(place="")
    literal: bool = _literal()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_loudness(self.loudness, fixed=True)

    @property
    def regions(self) -> list[tuple[float, ...]]:
        """Every box and every stretch."""
        return [*self.boxes, *self.frames]

    def keywords(self) -> dict[str, Any]:
        """What `MakeAnAudio.inpaint` takes of it, besides the mask."""
        return {name: value for name, value in super().keywords().items() if name not in ("boxes", "frames", "mask")}


# Variations of a sound: led a little, from its beginning.
NEAR: dict[str, Any] = {"t0": 0.3, "start": 0.0, "level_match": True}
TASKS: dict[str, type[Task]] = {task.name: task for task in (Text, Image, Video, Personalize, Inpaint)}
LABELS: dict[str, str] = {name: task.label for name, task in TASKS.items()}


def checked_value(task: type[Task], name: str, value: Any) -> Any:
    """One value of a task, checked alone."""
    return next(setting for setting in settings_of(task) if setting.name == name).check(value)


def check_seconds(seconds: float | None) -> None:
    """None, or a length the model can be asked for."""
    checked_value(Text, "seconds", seconds)


def check_t0(t0: float) -> None:
    """The share of the noise schedule that personalisation goes back, 0..1 (Sec. 4.1)."""
    checked_value(Personalize, "t0", t0)


def check_loudness(loudness: object, *, fixed: bool = False) -> str:
    """One of `LOUDNESS`; -23 and -18 may come as numbers.

    Args:
        loudness: what was asked for.
        fixed: the task keeps the user's own samples, so that nothing but "as-made" will do.
    """
    name: str = checked_value(Text, "loudness", loudness)
    if fixed and name != AS_MADE:
        raise ValueError(
            f"Inpainting keeps your own samples as they are, so its loudness can only be {AS_MADE}, not {name}."
        )
    return name
