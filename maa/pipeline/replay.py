"""Settings back into the command line that makes the same sound again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maa.device import usual_dtype
from maa.pipeline.options import Sampling
from maa.pipeline.setting import pair, settings_of
from maa.pipeline.shaping import Shaping
from maa.pipeline.tasks import TASKS, Task

_BITS = {"PCM_16": 16, "PCM_24": 24, "FLOAT": 32}


@dataclass(frozen=True)
class Files:
    """What the files of a command are called; the settings themselves name none."""

    output: str
    source: str | None = None  # the picture, clip or sound that was given
    mask: str | None = None  # of a painted mask
    boxes: Sequence[Sequence[float]] = ()  # start s, end s, low Hz, high Hz
    frames: Sequence[Sequence[float]] = ()  # start s, end s


def command(settings: Mapping[str, Any], files: Files, *, subtype: str | None = None, rate: int | None = None) -> str:
    """The `python -m maa …` line for a take, quoted for a POSIX shell.

    On the same kind of device with the same number of threads it writes the same bytes. Of takes that were made
    together it asks for all and picks one, because a GPU rounds a batch in its own way.

    Args:
        settings: of the take, as `Generation.settings_of` gives them.
        files: names to use.
        subtype: sample format of the file, where it is not the task's own.
        rate: Hz of the file, where it is not the task's own.
    """
    task = TASKS[settings["task"]]
    seed, takes, pick = settings.get("batch") or (settings.get("seed"), 1, 1)
    kinds = (task, *task.more, Sampling, Shaping)
    own, *more = [_said(kind, {**settings, "seed": seed, "takes": takes}, files) for kind in kinds]
    words = ["python", "-m", "maa", task.name, *_given(task, settings, files), *own]
    words += [word for said in more for word in said]
    words += [*pair("--dtype", settings.get("dtype") or usual_dtype()), "-o", files.output]
    if takes > 1:
        words += ["--pick", str(pick)]
    words += pair("--model", settings.get("model"))
    words += pair("--bits", _BITS.get(subtype or ""))
    words += pair("--rate", rate)
    return shlex.join(words)


def _given(task: type[Task], settings: Mapping[str, Any], files: Files) -> list[str]:
    """What comes without an option: the file to work on, and a prompt that has to be there."""
    words = [] if task.source is None else [files.source or "input"]
    for setting in settings_of(task):
        if setting.required:  # one that begins with a dash would be taken for an option
            text = str(settings.get(setting.name) or "")
            words.append(f" {text}" if text.startswith("-") else text)
    return words


def _said(kind: type, settings: Mapping[str, Any], files: Files) -> list[str]:
    """What has options: all that is not as usual, and what might be usual another day."""
    words: list[str] = []
    for setting in settings_of(kind):
        value = getattr(files, setting.name, settings.get(setting.name))
        if setting.required or value is None or (value == setting.default and not setting.always):
            continue
        words += setting.words(value)
    return words
