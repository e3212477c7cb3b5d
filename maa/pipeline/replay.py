"""Settings back into the command line that makes the same sound again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maa.audio.finish import AS_MADE

_BITS = {"PCM_16": 16, "PCM_24": 24}


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
    words: list[str] = ["python", "-m", "maa", str(settings["task"]), *_given(settings, files), "-o", files.output]
    words += _pair("--negative", settings.get("negative") or None)
    seed, takes, pick = settings.get("batch") or (settings.get("seed"), 1, 1)
    words += _pair("--seed", seed)
    for name in ("steps", "guidance", "sampler"):
        words += _pair(f"--{name}", settings.get(name))
    words += _pair("--eta", settings.get("eta") or None)
    words += _pair("--density", settings.get("density"))
    words += _pair("--loudness", None if settings.get("loudness", AS_MADE) == AS_MADE else settings["loudness"])
    words += _pair("--dtype", settings.get("dtype"))
    if takes > 1:
        words += ["--takes", str(takes), "--pick", str(pick)]
    words += _pair("--model", settings.get("model"))
    words += _pair("--bits", _BITS.get(subtype or ""))
    words += _pair("--rate", rate)
    return shlex.join(words)


def _given(settings: Mapping[str, Any], files: Files) -> list[str]:
    """The part of the command that only its task has."""
    task, prompt = settings["task"], str(settings.get("prompt") or "")
    if task == "text":
        return [*_protected(prompt), *_pair("--seconds", settings.get("seconds"))]
    source = files.source or "input"
    if task == "personalize":
        start = _pair("--start", settings.get("start") or None)
        mismatch = ["--mismatch"] if settings.get("mismatch") else []
        return [source, *_protected(prompt), *_pair("--t0", settings.get("t0")), *start, *mismatch, *_level(settings)]
    words = [source, *_pair("--prompt", prompt or None)]
    if task == "image":
        words += _pair("--seconds", settings.get("seconds"))
        for word, weight in settings.get("words") or ():
            words += ["--heard", str(word), repr(float(weight))]
    elif task == "video":
        words += _pair("--original", settings.get("original"))
        words += _pair("--original-db", settings.get("original_db"))
    elif task == "inpaint":
        for option, regions in (("--box", files.boxes), ("--frames", files.frames)):
            for region in regions:
                words += [option, *(repr(float(edge)) for edge in region)]
        words += _pair("--mask", files.mask)
        words += _filling(settings)
    return words


def _filling(settings: Mapping[str, Any]) -> list[str]:
    """How a hole was filled, where it was not the usual way."""
    usual = {"strength": 1.0, "resampling": 0, "blend": 0.0, "before": 0.0, "after": 0.0}
    words: list[str] = []
    for name, value in usual.items():
        words += _pair(f"--{name}", None if settings.get(name, value) == value else settings[name])
    return words + _level(settings)


def _level(settings: Mapping[str, Any]) -> list[str]:
    return [] if settings.get("level_match", True) else ["--no-level-match"]


def _protected(prompt: str) -> list[str]:
    """A prompt as a positional word; one that begins with a dash would be taken for an option."""
    return [f" {prompt}" if prompt.startswith("-") else prompt]


def _pair(option: str, value: object) -> list[str]:
    if value is None:
        return []
    text = str(value)
    return [f"{option}={text}"] if text.startswith("-") else [option, text]
