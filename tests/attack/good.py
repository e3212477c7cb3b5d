"""Small good files of every kind that is read, to be damaged: made by code, the same ones each time."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from PIL import Image, PngImagePlugin
from safetensors.torch import save_file

from maa import checkpoint
from maa.audio.io import write
from maa.audio.maskfile import write_mask
from maa.config import TINY
from maa.models.vocabulary import KnownSound, Vocabulary
from tests.sounds import sine_wave

RATE = 16_000
SETTINGS: dict[str, Any] = {
    "task": "inpaint", "prompt": "a dog", "negative": "", "seed": 7, "steps": 25, "guidance": 3.0, "sampler": "dpm++",
    "eta": 0.0, "takes": 1, "batch": [7, 2], "spans": [[0.1, 0.2]], "t0": 0.4, "start": 0.0, "original": "mix",
    "original_db": -6, "heard_as": [["dog", 0.5]], "words": [["dog", 0.5]], "level_match": True, "strength": 1.0,
    "boxes": [[0.1, 0.2, 100, 4000]], "seconds": 5.0, "density": 0.5, "loudness": "as-made", "literal": False,
}  # fmt: skip
SOUNDS: dict[str, tuple[str, str | None, int]] = {
    "a.ogg": ("OGG", "VORBIS", RATE), "b.ogg": ("OGG", "OPUS", 48_000), "a.mp3": ("MP3", None, RATE),
    "a.aiff": ("AIFF", "PCM_16", RATE), "a.caf": ("CAF", "PCM_16", RATE), "a.au": ("AU", "PCM_16", RATE),
    "a.w64": ("W64", "PCM_16", RATE), "c.wav": ("WAV", "MS_ADPCM", RATE), "d.wav": ("WAV", "IMA_ADPCM", RATE),
    "a.rf64": ("RF64", "PCM_24", RATE), "a.voc": ("VOC", "PCM_16", RATE), "b.au": ("AU", "ULAW", RATE),
}  # fmt: skip
CLIPS: dict[str, tuple[str, str]] = {
    "a.mp4": ("libx264", "aac"), "a.mkv": ("libx264", "aac"), "a.webm": ("libvpx-vp9", "libopus"),
    "a.avi": ("mpeg4", "mp3"), "b.mp4": ("mpeg4", "aac"), "a.mov": ("mjpeg", "pcm_s16le"),
    "a.ts": ("mpeg2video", "mp2"),
    "a.flv": ("flv", "aac"), "b.mkv": ("ffv1", "flac"), "b.webm": ("libvpx", "libopus"),
}  # fmt: skip


def make(folder: Path) -> None:
    """Write all of them into folders named by what they are."""
    for kind in ("sound", "picture", "video", "mask", "settings", "take", "model", "weights"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    _sounds(folder / "sound")
    _pictures(folder / "picture")
    _clips(folder / "video")
    _masks(folder / "mask")
    _settings(folder)
    _models(folder)


def _sounds(to: Path) -> None:
    wave = 0.6 * sine_wave(440, 0.5, RATE)[0].astype(np.float32)
    write(to / "a.wav", np.stack([wave, wave]), RATE, tags=SETTINGS)
    write(to / "b.wav", wave, RATE, "FLOAT", tags=SETTINGS)
    write(to / "e.wav", wave, 44_100, "PCM_24")
    write(to / "a.flac", wave, RATE, tags=SETTINGS)
    for name, (form, subtype, rate) in SOUNDS.items():
        soundfile.write(to / name, wave, rate, format=form, subtype=subtype)


def _picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8))


def _pictures(to: Path) -> None:
    picture = _picture()
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 50, zip=True)
    info.add_itxt("k", "v", zip=True)
    picture.save(to / "a.png", pnginfo=info)
    picture.convert("RGBA").save(to / "b.png")
    picture.convert("P").save(to / "c.png")
    Image.fromarray(np.asarray(picture)[..., 0].astype(np.uint16) * 200).save(to / "d.png")
    exif = Image.Exif()
    exif[274] = 6
    picture.save(to / "a.jpg", exif=exif)
    picture.save(to / "c.jpg", progressive=True)
    picture.convert("CMYK").save(to / "b.jpg")
    for name in ("a.webp", "a.bmp", "a.avif", "a.tga", "a.ppm"):
        picture.save(to / name)
    picture.save(to / "a.tiff", compression="tiff_lzw")
    turned = [picture.rotate(90)] * 3
    picture.save(to / "a.gif", save_all=True, append_images=turned, duration=100)
    picture.save(to / "b.webp", save_all=True, append_images=turned)


def _clips(to: Path) -> None:
    for name, (codec, sound) in CLIPS.items():
        _clip(to / name, codec, sound)


def _clip(path: Path, codec: str, sound: str) -> None:
    """Eight pictures and 0.8 s of a tone, with settings in the comment."""
    import av
    from av.audio.resampler import AudioResampler

    with av.open(str(path), "w") as file:
        video = file.add_stream(codec, rate=10)
        video.width, video.height = 64, 48
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        audio = file.add_stream(sound, rate=44_100 if codec == "flv" else 48_000, layout="mono")
        file.metadata["comment"] = json.dumps({"make-an-audio": SETTINGS})
        for number in range(8):
            frame = av.VideoFrame.from_ndarray(np.roll(np.asarray(_picture()), number * 3, 0), format="rgb24")
            file.mux(video.encode(frame.reformat(format=video.pix_fmt)))
        file.mux(video.encode(None))
        rate = audio.codec_context.sample_rate
        tone = (0.3 * np.sin(np.arange(int(0.8 * rate)) / 20)).astype(np.float32)[None]
        whole = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        whole.sample_rate, whole.pts, whole.time_base = rate, 0, Fraction(1, rate)
        queue = av.AudioFifo()
        for part in AudioResampler(format=audio.codec_context.format, layout="mono", rate=rate).resample(whole):
            queue.write(part)
        while (piece := queue.read(audio.codec_context.frame_size or 1024)) is not None:
            file.mux(audio.encode(piece))
        file.mux(audio.encode(None))


def _masks(to: Path) -> None:
    cells = np.random.default_rng(1).random((80, 40)) > 0.5
    write_mask(to / "a.png", cells, TINY.audio)
    Image.fromarray(cells.astype(np.uint8) * 255).save(to / "b.png")
    Image.fromarray(cells.astype(np.uint16) * 65_535).save(to / "c.png")
    for name, kind in (("a.npy", "bool"), ("b.npy", "float32"), ("c.npy", "i8"), ("d.npy", "u1")):
        np.save(to / name, cells.astype(kind))


def _settings(folder: Path) -> None:
    """What a sound says of its making, and what the server keeps beside a take."""
    (folder / "settings" / "a.json").write_text(json.dumps({"make-an-audio": SETTINGS}), encoding="utf-8")
    for task in ("text", "image", "video", "personalize"):
        text = json.dumps({"make-an-audio": {**SETTINGS, "task": task}})
        (folder / "settings" / f"{task}.json").write_text(text, encoding="utf-8")
    view = {"file": "a.wav", "clip": None, "settings": SETTINGS, "choice": "wav16", "resampled": None, "command": "x"}
    record = {"view": view, "input": "input.wav", "mask": "mask.png"}
    (folder / "take" / "take.json").write_text(json.dumps(record), encoding="utf-8")
    shutil.copy(folder / "mask" / "a.png", folder / "take" / "mask.png")


def _models(folder: Path) -> None:
    """A whole model folder, and weights as others write them."""
    model = checkpoint.random_model(TINY, parts=("text",))
    checkpoint.save(model, folder / "model")
    names = ("dog barking", "rain")
    (folder / "model" / "concepts.json").write_text(json.dumps(names), encoding="utf-8")
    (folder / "model" / "sustained.json").write_text(json.dumps(names[1:]), encoding="utf-8")
    known = [KnownSound(name, "animals", False, (name, f"{name} outside")) for name in names]
    Vocabulary(known, torch.eye(4, 8)).save(folder / "model")
    weights = {"a": torch.zeros(4, 4), "b": torch.ones(3)}
    save_file(weights, folder / "weights" / "a.safetensors")
    torch.save({"state_dict": weights, "epoch": 3}, folder / "weights" / "a.ckpt")
    torch.save({"generator": weights}, folder / "weights" / "b.pt", _use_new_zipfile_serialization=False)
