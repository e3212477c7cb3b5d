"""A little library of made-up recordings, and a manifest file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from tests.sounds import sine_wave
from train.data import Library, Recording, Row
from train.evaluation.yamnet import CLASSES, Yamnet


def little_library(concepts: int = 4, each: int = 3) -> Library:
    """Tones of different pitch and length, `each` per concept, the last of each concept for tests."""
    rows, waves = [], []
    for c in range(concepts):
        for k in range(each):
            name = f"tone number {c}"
            split = "test" if k == each - 1 else "train"
            rows.append(
                Recording(f"{c}-{k}", name, "tones", (f"a {name}", f"{name} sounds"), split, Path(f"{c}-{k}.wav"))
            )
            waves.append((sine_wave(200 * (c + 1), 0.4 + 0.7 * k)[0] * 32767).astype(np.int16))
    offsets = np.cumsum([0, *(len(w) for w in waves)], dtype=np.int64)
    return Library(rows, np.concatenate(waves), offsets)


def write_manifest(path: Path, rows: list[Row]) -> Path:
    """A manifest file of `rows`, without the newer columns."""
    header = "package,version,path,sha256,seconds,concept,family,caption,licence,author,split"
    lines = [
        f"{r.package},{r.version},{r.path.relative_to(r.package).as_posix()},{r.sha256},{r.seconds},{r.concept},"
        f"{r.family},{'|'.join(r.captions)},{r.licence},{r.author},{r.split}"
        for r in rows
    ]
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def random_yamnet(path: Path) -> None:
    """The second judge with weights drawn so that what it hears reaches its end, in the form of the real file."""
    torch.manual_seed(0)
    network = Yamnet()
    for layer in network.convolutions:
        torch.nn.init.kaiming_normal_(layer.weight)
    path.parent.mkdir(parents=True, exist_ok=True)
    names = "\n".join(f"tag {k}" for k in range(CLASSES))
    save_file(network.state_dict(), path, {"classes": names})
