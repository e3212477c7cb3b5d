"""Settings back into the controls: from a take, from a file that was dropped, or from one tab into another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import soundfile

from maa.audio.grid import centres
from maa.audio.io import WRITTEN
from maa.audio.mask import Mask, frame_spans
from maa.audio.tags import read_tags
from maa.diffusion.samplers import SAMPLERS
from maa.foreign import foreign
from maa.pipeline import checks
from maa.pipeline.options import Sampling
from maa.pipeline.setting import PROMPTS, settings_of
from maa.pipeline.shaping import AS_IS, Shaping
from maa.pipeline.tasks import NEAR, TASKS, Text
from maa.ui import exports, records, status
from maa.ui.results import Updates
from maa.ui.tab import Desk

if TYPE_CHECKING:
    from maa.config import AudioSpec

LIKE_TAKES = 4  # of "more like this"


def settings_in(value: object) -> dict[str, Any]:
    """Settings, or what an event tells, that came from a page or a file; anything else is none."""
    return {str(name): one for name, one in value.items()} if isinstance(value, Mapping) else {}


def file_called(value: object) -> str:
    """The name of a file that was dropped, cut where it is long."""
    try:
        return checks.text(value[: checks.SHOWN] if isinstance(value, str) else value, "name of the file", needed=True)
    except ValueError:
        return "this file"


def heard(settings: Mapping[str, Any]) -> str:
    """The prompt of a take, the first word that its picture was heard as, or what its events say."""
    own = {one.name: one for one in settings_of(Text)}
    prompt = own["prompt"]
    words = settings.get("heard_as")
    first = words[0] if isinstance(words, list) and words else None
    word = first[0] if isinstance(first, list) and first else None
    placed = ", ".join(dict.fromkeys(row[2] for row in own["events"].kept(settings.get("events")) or ()))
    return prompt.kept(settings.get(prompt.name)) or prompt.kept(word) or prompt.kept(placed) or ""


def filled_in(desk: Desk, settings: Mapping[str, Any], *, fresh: bool = False) -> Updates:
    """The controls of a tab as the settings say; what they do not say, or say wrongly, stays as it is.

    Settings come from files and from other programs: what goes into a component is only what `Setting.kept` has made of
    them, so a value of another type, a file, or a component's update never does.
    """
    parts, updates = desk.parts, {}
    batch = settings.get("batch")
    if isinstance(batch, list) and len(batch) >= 2:  # takes that were made together
        settings = {**settings, "seed": batch[0], "takes": batch[1]}
    for setting in desk.task.settings:
        value = setting.kept(settings.get(setting.name))
        part = parts.get(setting.name)
        if part is not None and value is not None:
            updates[part] = desk.task.shown(setting.name, value)
        said = value is not None or (setting.name in settings and settings[setting.name] is None)
        if setting.free in parts and said:
            updates[parts[setting.free]] = value is None
    updates[parts["fresh"]] = fresh
    return updates


def usual(desk: Desk) -> dict[str, Any]:
    """What settings mean that are not named: a file of an older version, or nothing out of the ordinary."""
    shared = (*settings_of(Sampling), *settings_of(desk.task.asks))
    return {one.name: one.default for one in shared if not one.always and (one.free != "" or one.default is not None)}


def refilled(desk: Desk, folder: Path | None, given: str | None) -> Updates:
    """The upload and the mask of a take, where the server still keeps them."""
    file = str(folder / given) if folder is not None and given else None
    values = {"input": file, "boxes": _boxes(folder, desk.spec)}
    return {part: values[name] for name, part in desk.shown.refill.items() if values.get(name) is not None}


def _boxes(folder: Path | None, spec: AudioSpec) -> list[list[float]] | None:
    """The mask of a take as regions, for the painter to paint again."""
    mask = None if folder is None else records.kept_mask(folder, spec)
    return None if mask is None else boxes_of(mask, spec)


def boxes_of(mask: Mask, spec: AudioSpec) -> list[list[float]]:
    """A mask bool [mels, frames] as regions in seconds and hertz: one for every run of cells in a row."""
    centre = centres(spec)
    boxes = []
    for row in range(mask.shape[0]):
        for first, last in frame_spans(mask[row : row + 1]):
            hertz = float(centre[row])
            boxes.append([first * spec.frame_seconds, last * spec.frame_seconds, hertz, hertz + 0.1])
    return boxes


def file_choices(desk: Desk, view: Mapping[str, Any]) -> Updates:
    """File format and rate as they were chosen for a take."""
    chosen = {"file_format": view.get("choice"), "rate": view.get("resampled") or 0}
    updates: Updates = {}
    for setting in settings_of(desk.task.output) if desk.task.output is not None else ():
        value = setting.kept(chosen.get(setting.name))
        if value is not None:
            updates[desk.parts[setting.name]] = value
    return updates


def use(desk: Desk, settings: Mapping[str, Any], take: object, *, fresh: bool = False) -> Updates:
    """Everything that made a take, in its own tab."""
    found = records.record_of(take)
    folder, record = found if found is not None else (None, {"input": None, "view": {}})
    updates = filled_in(desk, {**usual(desk), **settings}, fresh=fresh)
    updates |= refilled(desk, folder, record["input"])
    updates |= file_choices(desk, record["view"])
    needs = "input" in desk.shown.refill and not record["input"]
    line = "The settings are back." + (" Give the same input again; the server does not keep it." if needs else "")
    return {**updates, desk.knobs.status: status.idle(line)}


def send_take(desk: Desk, settings: Mapping[str, Any], take: object, shaping: Shaping = AS_IS) -> Updates:
    """A take into another tab: its sound, shaped, where the tab takes one; else its words and how it was sampled."""
    kept = {name: settings.get(name) for name in (*_travelling(), "batch")}
    updates = filled_in(desk, {**kept, "prompt": heard(settings)})
    takes_sound = isinstance(desk.shown.refill.get("input"), gr.Audio)
    if takes_sound:
        updates |= _sound(desk, take, shaping)
    if "boxes" in desk.shown.refill:  # what was painted for it stays painted
        found = records.record_of(take)
        updates[desk.shown.refill["boxes"]] = (
            _boxes(found[0], desk.spec) if found is not None and shaping.plain else None
        )
    line = "The sound is here." if takes_sound else "The words and settings are here."
    paints = " Paint over what should be made anew, then press Generate."
    then = paints if "boxes" in desk.shown.refill else " Press Generate when you are ready."
    return {**updates, desk.knobs.status: status.idle(line + then)}


def _travelling() -> list[str]:
    """Words, loudness and how it was sampled mean the same in every tab; how many and how long do not."""
    words = [one.name for one in settings_of(Text) if one.place == PROMPTS or one.name == "loudness"]
    return [*words, *(one.name for one in settings_of(Sampling) if one.always or one.free or one.name == "seed")]


def _sound(desk: Desk, take: object, shaping: Shaping = AS_IS) -> Updates:
    """The sound of a take as a tab's input; a part of it, or what else was made of it, with 24 bits."""
    found = records.record_of(take)
    if found is None:
        raise ValueError("The server does not keep this sound any more; make it again first.")
    folder, record = found
    path = (
        folder / record["view"]["file"]
        if shaping.plain
        else exports.written_once(*found, shaping, exports.Form("wav24"))
    )
    return {desk.shown.refill["input"]: str(path)}


def refined(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What makes the same take again, alone and as well as it gets: its own seed, and the steps of the fine quality."""
    sampler = settings.get("sampler")
    usual = SAMPLERS[sampler if isinstance(sampler, str) and sampler in SAMPLERS else Sampling.sampler].usual
    return {**settings, "quality": "fine", "steps": usual["fine"], "takes": 1, "batch": None}


def more_like(desk: Desk, settings: Mapping[str, Any], take: object) -> Updates:
    """Variations of a take: personalisation of its own sound, near it."""
    asked = {**usual(desk), **settings, "prompt": heard(settings), "takes": LIKE_TAKES, "batch": None, **NEAR}
    return filled_in(desk, asked, fresh=True) | _sound(desk, take)


def from_file(path: Path, name: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Settings and file choices inside a dropped file; no settings where it was not made here.

    Raises:
        ValueError: it is damaged.
    """
    try:
        settings = settings_in(read_tags(path))
    except RecursionError:  # lists in lists in lists
        settings = {}
    task = settings.get("task")
    if not isinstance(task, str) or task not in TASKS:
        return None, {}
    view: dict[str, Any] = {}
    if path.suffix.lower() in WRITTEN:
        with foreign(f"{name} is damaged; drop a sound or video that was made here."):
            info = soundfile.info(path)
        wave = {"PCM_16": "wav16", "PCM_24": "wav24", "FLOAT": "wav32f"}.get(info.subtype)
        view["choice"] = {"FLAC": "flac", "OGG": "ogg", "MP3": "mp3"}.get(info.format, wave)
        view["rate"] = info.samplerate
    return settings, view
