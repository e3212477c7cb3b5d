"""What may be asked for at once, checked on the server: a list or a grid, its settings, and how much that may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maa.config import ModelConfig
from maa.pipeline import batch
from maa.pipeline.batch import INPUT, Request
from maa.pipeline.checks import text as checked_text
from maa.pipeline.options import Sampling, fresh_seed
from maa.pipeline.setting import Choice, Setting, declare, read_options, settings_of
from maa.pipeline.tasks import Personalize, Source, Task, Text
from maa.ui import files
from maa.ui.limits import FORMATS, Output

NAME, LABEL = "batch", "Batch"
MOST_SOUNDS, MOST_CELLS = 100, 64  # of a list, and of a grid
MOST_STEPS = 10_000  # denoising steps of all sounds and takes
MOST_BYTES = 2**29  # of all files
MOST_LETTERS = 200_000  # of a list
BYTES = {"wav16": 2, "wav24": 3, "wav32f": 4, "flac": 3, "ogg": 1, "mp3": 1}  # of a sample in a file, at most
LIST, GRID = "list", "grid"
AXES = {
    "": "Nothing", "prompt": "Prompt", "seed": "Seed", "guidance": "Guidance", "t0": "t0 (with your sound)",
    "steps": "Steps",
}  # fmt: skip
LEFT_OUT = ("prompt", "heard", "events", "seed", "start", "takes")  # of a task's settings, which a list has its own way


@dataclass(frozen=True, kw_only=True)
class PromptLines(Setting):
    """Text of many lines."""

    def _check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{self.called} must be text.")
        if len(value) > MOST_LETTERS:
            raise ValueError(f"{self.called} has more than {MOST_LETTERS:,} letters.")
        return value

    def read(self, value: Any) -> Any:
        return self.check("" if value is None else value)


def _lines(title: str, default: str = "") -> Any:
    return declare(default, PromptLines(help=title.lower(), title=title))


def _choice(default: str, title: str, label: str, choices: Mapping[str, str], *, radio: bool = False) -> Any:
    setting = Choice(help=title.lower(), title=title, label=label, choices=lambda: choices, radio=radio)
    return declare(default, setting)


@dataclass(frozen=True)
class Many(Task):
    """What the tab asks for besides what `Text` and `Personalize` know."""

    name, label, method = NAME, LABEL, ""
    summary = "Many sounds at once."
    source = Source("audio", "a sound")
    more = (Text, Personalize)

    kind: str = _choice(
        LIST, "What to make", "What to make", {LIST: "A list of prompts", GRID: "A grid of settings"}, radio=True
    )
    prompts: str = _lines("The list")
    rows_of: str = _choice("guidance", "What the rows are", "Rows", AXES)
    rows: str = _lines("The values of the rows", "2, 4, 6")
    columns_of: str = _choice("seed", "What the columns are", "Columns", AXES)
    columns: str = _lines("The values of the columns", "1, 2, 3")

    @property
    def axes(self) -> dict[str, list[str]]:
        """Rows, then columns: setting to values; what is nothing is left out."""
        found: dict[str, list[str]] = {}
        for axis, typed in ((self.rows_of, self.rows), (self.columns_of, self.columns)):
            if not axis:
                continue
            if axis in found:
                raise ValueError("Rows and columns must be two different settings.")
            found[axis] = batch.typed_values(typed, axis)
            if not found[axis]:
                raise ValueError(f"Type the values of {AXES[axis]}, such as 2, 4, 6.")
        if not found:
            raise ValueError("Choose what the rows or the columns of the grid are.")
        return found


@dataclass(frozen=True)
class BatchPlan:
    """All that decides what a batch consists of: JSON types."""

    kind: str
    lines: list[tuple[int, dict[str, str]]]  # number and what it says, by the names of settings
    common: dict[str, Any]  # settings of all
    axes: dict[str, list[str]] = field(default_factory=dict)
    file_format: str = Output.file_format
    rate: int = Output.rate
    sound: str | None = None  # the name of the user's own, beside the sounds

    def requests(self, folder: Path, seed: int) -> list[Request]:
        """Every sound, checked; the user's own lies in `folder`."""
        more = {INPUT: self.sound} if self.sound else {}
        lines = [(number, {**said, **more}) for number, said in self.lines]
        try:
            return batch.batch_requests(lines, self.common, self.axes, folder, seed)
        except ValueError as error:
            if self.kind == GRID and error.__cause__ is not None:  # which has no lines
                raise ValueError(_sentence(str(error.__cause__))) from error
            raise ValueError(_sentence(str(error))) from error


def asked_of_batch(fields: Mapping[str, Any], config: ModelConfig) -> tuple[BatchPlan, int, Path | None, int]:
    """What a page sent: a plan, the seed of its first line, the upload that it works on if any, the bytes at most.

    Raises:
        ValueError: something is wrong, or too much.
    """
    many, output = read_options(Many, fields), read_options(Output, fields)
    upload = None if fields.get("audio") is None else files.uploaded(fields["audio"], "a sound")
    common = _common(Personalize if upload else Text, fields)
    if many.kind == GRID:
        axes = many.axes
        prompt = checked_text(fields.get("prompt") or "", "prompt")
        lines = [(1, {"prompt": prompt} if prompt.strip() else {})]
    else:
        axes, lines = {}, list_of(many.prompts)
    if not upload and ("t0" in axes or any("t0" in said for _, said in lines)):
        raise ValueError("t0 says how far to move a sound of yours; give one above, or leave t0 out.")
    plan = BatchPlan(many.kind, lines, common, axes, output.file_format, output.rate, upload.name if upload else None)
    seed = None if fields.get("fresh") is True else fields.get("seed")
    given = read_options(Sampling, {"seed": seed}).seed
    first = fresh_seed() if given is None else given
    return plan, first, upload, _limited(plan, first, upload, config)


def list_of(text: str, name: str = "The list", *, table: bool = False) -> list[tuple[int, dict[str, str]]]:
    """The lines of a list; a text whose first line names a column prompt among others is a table.

    Raises:
        ValueError: there is no line, or a table is damaged or names files.
    """
    head = next((line for line in text.splitlines() if line.strip()), "")
    named = [cell.strip().strip('"').lower() for cell in head.split(",")]
    table = table or ("prompt" in named and (len(named) > 1 or named == ["prompt"]))
    found = batch.prompts_in(text, name, table=table)
    if any(INPUT in said for _, said in found):
        raise ValueError(f"{name} has a column {INPUT}, but the files are on your computer; give one sound for all.")
    return found


def _common(kind: type[Task], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of all sounds, checked; what is left to the model, and what the kind of task has not, is out."""
    known = [one for one in (*settings_of(kind), *settings_of(Sampling)) if one.name not in LEFT_OUT]
    free = {one.name for one in known if one.free and fields.get(one.free) is True}
    said = {one.name: fields[one.name] for one in known if fields.get(one.name) is not None and one.name not in free}
    sampling = Sampling.asked({**said, "seed": 0})
    if "eta" in said:
        said["eta"] = sampling.eta  # 0 where the chosen sampler has no use for it
    read_options(kind, {"prompt": "x", **said})
    return said


def _limited(plan: BatchPlan, seed: int, upload: Path | None, config: ModelConfig) -> int:
    """Bytes of all files, at most; what is too much at once is refused before anything is made."""
    cells = len(plan.lines)
    for values in plan.axes.values():
        cells *= len(values)
    most = MOST_CELLS if plan.kind == GRID else MOST_SOUNDS
    if cells > most:
        where = "a grid here has at most" if plan.kind == GRID else "a list here has at most"
        raise ValueError(f"These are {cells:,} sounds; {where} {most}. `python -m maa batch` makes more.")
    wanted = plan.requests(upload.parent if upload else Path(), seed)
    steps = sum(one.sampling.steps * one.sampling.count for one in wanted)
    if steps > MOST_STEPS:
        raise ValueError(f"These sounds need {steps:,} steps altogether; a batch here may have {MOST_STEPS:,}.")
    rate = plan.rate or config.audio.sample_rate
    seconds = sum(getattr(one.task, "seconds", None) or config.audio.seconds for one in wanted)
    size = round(seconds * rate * BYTES[plan.file_format])
    if size > MOST_BYTES:
        raise ValueError(
            f"These files would have {size // 2**20:,} MB, and a batch here {MOST_BYTES // 2**20:,}; choose shorter "
            "sounds, a lower sample rate or a smaller file format."
        )
    return size


def labels_of(plan: BatchPlan, wanted: list[Request]) -> tuple[list[str], list[str]]:
    """What the rows and the columns of the board are called; one column without a name for a list, or one axis."""
    if plan.kind == LIST:
        return [" ".join(said.get("prompt", "").split()) for _, said in plan.lines], [""]
    axes = [[value if name == "prompt" else f"{name} {value}" for value in plan.axes[name]] for name in plan.axes]
    return axes[0], axes[1] if len(axes) > 1 else [""]


def suffix_of(plan: BatchPlan) -> str:
    """The ending of the files."""
    return FORMATS[plan.file_format].suffix


def _sentence(text: str) -> str:
    """With a capital letter, as the page's sentences begin; names of settings stay as they are."""
    return text[:1].upper() + text[1:] if text.startswith(("line ", "there ")) else text
