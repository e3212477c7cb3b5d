"""What people may ask for, checked on the server: sliders and fields in a page are only hints.

Everything that arrives here came over the network and may be of any type. The options check it; what only the app
knows is declared and checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maa.pipeline.options import Sampling
from maa.pipeline.setting import ADVANCED, Choice, OptionGroup, declare, read_options, settings_of
from maa.pipeline.tasks import Task

WORK = 4000  # denoising steps of all takes of one request


@dataclass(frozen=True)
class FileFormat:
    """How a sound is written."""

    label: str
    suffix: str
    subtype: str | None  # soundfile's name of the sample format; None = the one that loses nothing


FORMATS = {
    "wav16": FileFormat("WAV, 16 bit", ".wav", "PCM_16"),
    "wav24": FileFormat("WAV, 24 bit", ".wav", "PCM_24"),
    "wav32f": FileFormat("WAV, 32 bit float", ".wav", "FLOAT"),
    "flac": FileFormat("FLAC", ".flac", None),
    "ogg": FileFormat("Ogg Vorbis", ".ogg", None),
    "mp3": FileFormat("MP3", ".mp3", None),
}
SOURCE = {"source": FileFormat("WAV, as your sound", ".wav", None)}
RATES = {
    0: "The sound's own", 16_000: "16 kHz", 22_050: "22.05 kHz", 44_100: "44.1 kHz", 48_000: "48 kHz", 96_000: "96 kHz",
}  # fmt: skip


def _file_format(default: str, formats: Mapping[str, FileFormat]) -> Any:
    setting = Choice(
        help="how the file is written",
        choices=lambda: {name: form.label for name, form in formats.items()},
        title="The file format",
        label="File format",
        place=ADVANCED,
        half=True,
        turn=1,
    )
    return declare(default, setting)


@dataclass(frozen=True)
class Output(OptionGroup):
    """How sounds are written."""

    file_format: str = _file_format("wav16", FORMATS)
    rate: int = declare(  # Hz; 0 = the sound's own
        0,
        Choice(
            help="sample rate of the file in Hz, 0 = the sound's own", choices=lambda: RATES, title="The sample rate",
            label="Sample rate of the file", place=ADVANCED, half=True, turn=1,
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class SplicedOutput(Output):
    """The same for sounds that go into the user's own."""

    file_format: str = _file_format("source", SOURCE | FORMATS)


@dataclass(frozen=True)
class Ask:
    """One checked request."""

    task: Task
    more: tuple[OptionGroup, ...]  # what else this task may be asked
    sampling: Sampling
    output: Output

    @property
    def seconds(self) -> float | None:
        """Length of the sound; None = the task decides."""
        return getattr(self.task, "seconds", None)

    @property
    def file_format(self) -> FileFormat:
        """How the sound is written."""
        return (FORMATS | SOURCE)[self.output.file_format]

    @property
    def rate(self) -> int | None:
        """Hz of the file; None = the sound's own."""
        return self.output.rate or None


def ask(task: type[Task], fields: Mapping[str, Any], output: type[Output] | None = Output) -> Ask:
    """Check everything that was asked.

    Args:
        task: what for.
        fields: settings by their names, and from a page their `free` boxes (true = the model chooses) and `fresh`
            (true = draw a new seed). What is missing keeps its default; what the task does not know is passed over.
        output: how the task's files are written; None = nobody is asked.

    Raises:
        ValueError: a value is of the wrong kind or outside its limits.
    """
    left_out = {"seed"} if fields.get("fresh") is True else set()
    left_out |= {one.name for one in settings_of(Sampling) if one.free and fields.get(one.free) is True}
    given = {name: value for name, value in fields.items() if name not in left_out}
    sampling = Sampling.asked(given)
    if sampling.steps * sampling.count > WORK:
        raise ValueError(
            f"{sampling.count} takes of {sampling.steps} steps are too much at once; all takes together may have "
            f"{WORK:,} steps."
        )
    more = tuple(read_options(kind, given) for kind in task.more)
    return Ask(read_options(task, given), more, sampling, read_options(output or Output, given if output else {}))
