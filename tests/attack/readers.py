"""A process that reads damaged files, a line for each: `python -m tests.attack.readers GOOD WORK FIRST LAST SEED`.

It limits its own memory, and the time of each read; whatever happens to it, whoever started it knows the file.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack.damage import damaged
from tests.attack.table import peak_memory

ADDRESS_GB, READ_SECONDS = 8, 40  # seconds of the process itself: others may keep the machine busy
KINDS = ("sound", "picture", "video", "mask", "settings", "take", "model", "weights")
SHARES = (26, 22, 22, 12, 8, 3, 4, 3)  # of the tries
FRAMES = 40


class Slow(BaseException):
    """A read has taken too long."""


def chosen(number: int, seed: int, good: dict[str, list[tuple[str, bytes]]]) -> tuple[str, str, bytes]:
    """(kind, name, data) of the damaged file with a number."""
    chance = random.Random(f"{seed}:{number}")
    (kind,) = chance.choices(KINDS, SHARES)
    name, data = chance.choice(good[kind])
    others = [other for group in good.values() for _, other in group]
    return kind, name, damaged(data, chance, others)


def good_files(folder: Path) -> dict[str, list[tuple[str, bytes]]]:
    """Every good file by its kind."""
    return {
        kind: [(path.name, path.read_bytes()) for path in sorted((folder / kind).iterdir()) if path.is_file()]
        for kind in KINDS
    }


def readers(kind: str, place: Path) -> list[tuple[str, Callable[[Path], Any]]]:
    """What reads a file of a kind in the program, each under its name."""
    from maa.audio.io import read
    from maa.audio.maskfile import read_mask
    from maa.audio.tags import read_tags
    from maa.config import TINY
    from maa.official.pickles import read_tensors
    from maa.vision.frames import load_image, video_facts, video_frames
    from maa.vision.mux import mux

    def mixed(path: Path) -> None:
        mux(path, np.zeros(8000, np.float32), 16_000, place / f"mixed{path.suffix}", original="mix")

    def mask(path: Path) -> Any:
        return read_mask(path, TINY.audio, FRAMES)

    found: dict[str, list[tuple[str, Callable[[Path], Any]]]] = {
        "sound": [("read", read), ("tags", read_tags), ("dropped", dropped)],
        "picture": [("picture", load_image)],
        "video": [("facts", video_facts), ("frames", lambda path: video_frames(path, 4)), ("mix", mixed),
                  ("sound", read), ("tags", read_tags)],
        "mask": [("mask", mask)],
        "settings": [("dropped", settings)],
        "take": [("take", take)],
        "model": [("model", model)],
        "weights": [("weights", read_tensors)],
    }  # fmt: skip
    return found[kind]


def dropped(path: Path) -> None:
    """A sound that is dropped on the page: its settings become an asked request."""
    from maa.ui import image, inpaint, personalize, restore, text, video

    found, _ = restore.from_file(path, "a sound")
    if found is None:  # a sound of somebody else's, which goes where sounds go
        return
    tabs = {"text": text, "image": image, "video": video, "personalize": personalize, "inpaint": inpaint}
    task = tabs[found["task"]].TASK
    for setting in task.settings:
        setting.kept(found.get(setting.name))
    restore.heard(found)
    task.ask(found)


def settings(path: Path) -> None:
    """The same for a text of settings inside a good sound."""
    text = path.read_bytes().split(b"\0")[0] + b"\0"
    comment = b"INFOICMT" + len(text).to_bytes(4, "little") + text + b"\0" * (len(text) % 2)
    form = bytes.fromhex("01000100803e0000007d000002001000")
    parts = [(b"fmt ", form), (b"data", bytes(800)), (b"LIST", comment)]
    body = b"WAVE" + b"".join(name + len(part).to_bytes(4, "little") + part for name, part in parts)
    sound = path.with_name("holds.wav")
    sound.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    dropped(sound)


def take(path: Path) -> None:
    """The record of a take that the server keeps, and its mask."""
    from maa.config import TINY
    from maa.ui import files, records

    folder = files.shelf() / ("0" * 32)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(path.parent, folder)
    for other in ("take.json", "mask.png"):
        if not (folder / other).is_file():
            shutil.copy(Path(sys.argv[1]) / "take" / other, folder / other)
    found = records.record_of("0" * 32)
    records.kept_mask(folder, TINY.audio)
    if found is None:
        return
    for answer in (records.bundle("0" * 32), records.stars(["0" * 32])):
        if "Something went wrong" in answer.get("error", ""):
            raise RuntimeError(answer["error"])


def model(path: Path) -> None:
    """A model folder with one damaged file, half of the time without the hashes that would tell."""
    from maa import checkpoint

    good = Path(sys.argv[1]) / "model"
    for other in good.iterdir():
        if other.is_file() and other.name != path.name:
            os.link(other, path.parent / other.name)
    if path.name != "config.json" and len(path.read_bytes()) % 2:
        described = json.loads((good / "config.json").read_text(encoding="utf-8"))
        (path.parent / "config.json").unlink()
        (path.parent / "config.json").write_text(json.dumps({**described, "files": {}}), encoding="utf-8")
    checkpoint.load(path.parent)


def attempt(name: str, act: Callable[[Path], Any], path: Path) -> dict[str, Any]:
    """What came of one read."""
    begun, end, said, where = time.process_time(), "ok", "", ""
    signal.setitimer(signal.ITIMER_PROF, READ_SECONDS)
    try:
        act(path)
    except ValueError as error:
        end, said = "refused", str(error)
        if isinstance(error, UnicodeError | json.JSONDecodeError):
            end = type(error).__name__  # a codec's own words
    except Slow:
        end = "slow"
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        end, said = type(error).__name__, str(error)
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    told = {"reader": name, "end": end, "seconds": round(time.process_time() - begun, 2), "peak": round(peak_memory())}
    return {**told, "said": said[:600], "long": len(said), "where": where}


def ring(*_: Any) -> None:
    """Ends a read that takes too long."""
    raise Slow


def main() -> None:
    """Read the files with the numbers from FIRST to LAST."""
    good, work = Path(sys.argv[1]), Path(sys.argv[2])
    first, last, seed = map(int, sys.argv[3:6])
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_GB << 30,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import torch

    torch.set_num_threads(1)
    for kind in KINDS:  # what they need is imported before anything is timed
        readers(kind, work)
    import_module("maa.ui")
    import_module("maa.checkpoint")
    signal.signal(signal.SIGPROF, ring)
    files = good_files(good)
    print(json.dumps({"ready": round(peak_memory())}), flush=True)
    for number in range(first, last):
        kind, name, data = chosen(number, seed, files)
        place = work / f"f{number}"
        place.mkdir(parents=True)
        (place / name).write_bytes(data)
        for reader, act in readers(kind, place):
            print(json.dumps({"number": number, "kind": kind, "name": name, "begun": reader}), flush=True)
            print(json.dumps({"number": number, "kind": kind, "name": name, **attempt(reader, act, place / name)}),
                  flush=True)  # fmt: skip
        shutil.rmtree(place, ignore_errors=True)
        if peak_memory() > 1400:
            sys.exit(75)  # a new process shows who takes memory


if __name__ == "__main__":
    main()
