"""Settings back into the controls: from a take, from a file that was dropped, or from one tab into another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from maa.audio.finish import AS_MADE, LOUDNESS
from maa.diffusion.samplers import SAMPLERS
from maa.pipeline.request import MAX_PROMPT, MAX_TAKES
from maa.ui import limits, records, status
from maa.ui.results import Updates
from maa.ui.tab import Desk

if TYPE_CHECKING:
    from maa.config import AudioSpec

LIKE_T0, LIKE_TAKES = 0.3, 4  # "more like this": the take's own sound, led a little
FILLING = {"strength": (0, 1), "resampling": (0, 4), "blend": (0, 1), "before": (0, 30), "after": (0, 30)}
UNSAID = {"loudness": AS_MADE, "density": None}  # what settings mean that do not name them
NUMBERS = {"seconds": (0.5, 30.0), "steps": (1, 1000), "guidance": (0.0, 20.0), "eta": (0.0, 1.0)}


def settings_of(value: object) -> dict[str, Any]:
    """Settings that came from a page or a file; anything else is none."""
    return dict(value) if isinstance(value, Mapping) else {}


def heard(settings: Mapping[str, Any]) -> str:
    """The prompt of a take, or the first word that its picture was heard as."""
    prompt = settings.get("prompt")
    if isinstance(prompt, str) and prompt:
        return prompt[:MAX_PROMPT]
    words = settings.get("heard_as")
    first = words[0] if isinstance(words, list) and words else None
    return str(first[0])[:MAX_PROMPT] if isinstance(first, list) and first else ""


def controls(desk: Desk, settings: Mapping[str, Any], *, fresh: bool = False) -> Updates:
    """The shared controls of a tab as the settings say; what they do not say, or say wrongly, stays as it is."""
    knobs = desk.knobs
    parts: dict[str, Component | None] = {**knobs.asked()}
    updates: Updates = {}

    def put(name: str, value: Any) -> None:
        part = parts.get(name)
        if part is not None and value is not None:
            updates[part] = value

    for name in ("prompt", "negative"):
        text = settings.get(name)
        put(name, text[:MAX_PROMPT] if isinstance(text, str) else None)
    for name, (low, high) in NUMBERS.items():
        put(name, _number(settings.get(name), low, high))
    loudness, density = settings.get("loudness"), _number(settings.get("density"), 0.0, 1.0)
    put("loudness", loudness if loudness in LOUDNESS else None)
    put("density", density)
    if density is not None or ("density" in settings and settings["density"] is None):
        put("free", density is None)
    sampler = settings.get("sampler")
    put("sampler", sampler if sampler in SAMPLERS else None)
    batch = settings.get("batch")
    seed, takes = batch[:2] if isinstance(batch, list) else (settings.get("seed"), settings.get("takes"))
    put("takes", _number(takes, 1, MAX_TAKES))
    put("seed", _number(seed, 0, limits.SEEDS - 1))
    put("fresh", fresh)
    return updates


def _number(value: object, low: float, high: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value if low <= value <= high else None


def own(desk: Desk, settings: Mapping[str, Any], folder: Path | None, given: str | None) -> Updates:
    """What only this tab has: its upload, where the server still keeps it, and its own controls."""
    parts = {**desk.own, **desk.shown.refill}
    values: dict[str, Any] = {
        "t0": _number(settings.get("t0"), 0, 1),
        "original": settings.get("original"),
        "original_db": _number(settings.get("original_db"), -60, 12),
        "input": str(folder / given) if folder is not None and given else None,
        "boxes": _boxes(folder, desk.spec),
    }
    for name, (low, high) in FILLING.items():
        values[name] = _number(settings.get(name), low, high)
    if isinstance(settings.get("level_match"), bool):
        values["level_match"] = settings["level_match"]
    if "start" in parts and _number(settings.get("start"), 0, math.inf) is not None:
        values["start"] = {"go": settings["start"]}
    if "words" in parts and isinstance(settings.get("words"), list):
        values["words"] = {"words": settings["words"]}
    return {part: values[name] for name, part in parts.items() if values.get(name) is not None}


def _boxes(folder: Path | None, spec: AudioSpec) -> list[list[float]] | None:
    """The mask of a take as regions in seconds and hertz, for the painter to paint again."""
    mask = None if folder is None else records.kept_mask(folder, spec)
    if mask is None:
        return None
    from maa.audio.mask import frame_spans
    from maa.audio.mel import centres

    centre = centres(spec)
    boxes = []
    for row in range(mask.shape[0]):
        for first, last in frame_spans(mask[row : row + 1]):
            hertz = float(centre[row])
            boxes.append([first * spec.frame_seconds, last * spec.frame_seconds, hertz, hertz + 0.1])
    return boxes


def file_choices(desk: Desk, view: Mapping[str, Any]) -> Updates:
    """File format and rate as they were chosen for a take."""
    updates: Updates = {}
    if desk.knobs.file_format is not None and view.get("choice") in limits.FORMATS | limits.SOURCE:
        updates[desk.knobs.file_format] = view["choice"]
    if desk.knobs.rate is not None:
        updates[desk.knobs.rate] = view.get("resampled") or 0
    return updates


def use(desk: Desk, settings: Mapping[str, Any], take: object, *, fresh: bool = False) -> Updates:
    """Everything that made a take, in its own tab."""
    found = records.load(take)
    folder, record = found if found is not None else (None, {"input": None, "view": {}})
    settings = {**UNSAID, **settings}
    updates = controls(desk, settings, fresh=fresh)
    updates |= own(desk, settings, folder, record["input"])
    updates |= file_choices(desk, record["view"])
    needs = "input" in desk.shown.refill and not record["input"]
    line = "The settings are back." + (" Give the same input again; the server does not keep it." if needs else "")
    return {**updates, desk.knobs.status: status.idle(line)}


def send(desk: Desk, settings: Mapping[str, Any], take: object) -> Updates:
    """A take into another tab: its sound where the tab takes one, otherwise its words and how it was sampled."""
    names = ("negative", "steps", "guidance", "sampler", "seed", "batch", *UNSAID)
    kept = {name: settings.get(name) for name in names}
    updates = controls(desk, {"prompt": heard(settings), **kept})
    takes_sound = isinstance(desk.shown.refill.get("input"), gr.Audio)
    if takes_sound:
        updates |= _sound(desk, take)
    line = "The sound is here." if takes_sound else "The words and settings are here."
    return {**updates, desk.knobs.status: status.idle(f"{line} Press Generate when you are ready.")}


def _sound(desk: Desk, take: object) -> Updates:
    found = records.load(take)
    if found is None:
        raise ValueError("The server does not keep this sound any more; make it again first.")
    folder, record = found
    return {desk.shown.refill["input"]: str(folder / record["view"]["file"])}


def more_like(desk: Desk, settings: Mapping[str, Any], take: object) -> Updates:
    """Variations of a take: personalisation of its own sound at a low t0."""
    asked = {**UNSAID, **settings, "prompt": heard(settings), "takes": LIKE_TAKES, "eta": None}
    updates = controls(desk, asked, fresh=True) | _sound(desk, take)
    updates |= own(desk, {"t0": LIKE_T0, "start": 0.0, "level_match": True}, None, None)
    return updates


def from_file(path: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings and file choices inside a dropped file.

    Raises:
        ValueError: it holds none.
    """
    import soundfile

    from maa.audio.tags import read_tags

    settings = read_tags(path)
    if settings is None or settings.get("task") not in ("text", "image", "video", "personalize", "inpaint"):
        raise ValueError(f"{name} holds no settings; drop a WAV, FLAC or video that was made here.")
    view: dict[str, Any] = {}
    if path.suffix.lower() in (".wav", ".flac"):
        info = soundfile.info(path)
        lossless = {"PCM_16": "wav16", "PCM_24": "wav24"}.get(info.subtype)
        view["choice"] = "flac" if path.suffix.lower() == ".flac" else lossless
        view["rate"] = info.samplerate
    return settings, view
