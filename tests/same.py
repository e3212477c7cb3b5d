"""What a restructuring must not change: the bytes of 24 sounds and the signatures of all endpoints.

python -m tests.same --write before.json     # on the code as it was
python -m tests.same --check before.json     # on the code as it is; prints what differs, exit status 1 if anything does

Bytes depend on the machine and its number of threads, so both runs belong on one machine; they use one thread.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", MAA_DEVICE="cpu", MAA_DTYPE="float32", HF_HUB_OFFLINE="1")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import argparse
import contextlib
import hashlib
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from maa import Filling, Generation, MakeAnAudio, Sampling
from maa.cli import main as command_line
from tests.here import ROOT

INPUTS = ROOT / "assets" / "inputs"
SAMPLERS = ("dpm++", "ddim", "official")


def requests(maa: MakeAnAudio, steps: int) -> Iterator[tuple[str, Callable[[], Generation]]]:
    """Requests in Python: (name, call)."""
    how = [Sampling(steps, seed=3, sampler=name) for name in SAMPLERS]
    for one in how:
        yield f"text {one.sampler}", lambda one=one: maa.text_to_audio("a dog barks", one, seconds=2.0)
        yield (
            f"personalize {one.sampler}",
            lambda one=one: maa.personalize(INPUTS / "birds.flac", "an owl", one, t0=0.5),
        )
    first = how[0]
    yield "image", lambda: maa.image_to_audio(INPUTS / "sheep.png", first, seconds=2.0)
    yield "video", lambda: maa.video_to_audio(INPUTS / "horse.mp4", first)
    hammering = INPUTS / "hammering.flac"
    painted = np.zeros((maa.config.audio.mels, maa.frames_of(hammering)), bool)
    painted[10:50, 100:160] = True
    yield "inpaint array", lambda: maa.inpaint(hammering, painted, "", first)
    yield "inpaint box", lambda: maa.inpaint(hammering, [(1.0, 1.5, 300.0, 3000.0)], "a bell", first)
    yield "inpaint span", lambda: maa.inpaint(hammering, [(1.0, 1.5)], "", how[2])
    more = Filling(strength=0.6, resampling=1, blend=0.3, after=0.5)
    yield "inpaint extended", lambda: maa.inpaint(hammering, None, "rain", how[1], filling=more)
    eta = Sampling(steps, guidance=1.0, seed=4, sampler="ddim", eta=0.5, count=2, density=0.3)
    yield "text eta", lambda: maa.text_to_audio("rain", eta, seconds=1.0, negative="wind", loudness=-23)


COMMANDS = (
    ("text", "a dog barks", "--seconds", "1.5", "--steps", "3", "--seed", "5"),
    ("image", str(INPUTS / "duck.png"), "--seconds", "1", "--steps", "3", "--seed", "5", "--sampler", "ddim"),
    ("personalize", str(INPUTS / "birds.flac"), "owl", "--t0", "0.4", "--steps", "5", "--seed", "5", "--start", "0.5"),
    (
        "inpaint",
        str(INPUTS / "hammering.flac"),
        "--frames",
        "0.4",
        "0.8",
        "--before",
        "0.5",
        "--steps",
        "2",
        "--seed",
        "6",
    ),
    ("inpaint", str(INPUTS / "hammering.flac"), "--box", "0.5", "0.9", "200", "4000", "--steps", "3", "--seed", "5"),
    ("inpaint", str(INPUTS / "hammering.flac"), "--mask", "{mask}", "--prompt", "rain", "--steps", "3", "--seed", "5"),
)


def sounds() -> dict[str, str]:
    """Name of each request to the sha256 of its samples, or of its file."""
    found: dict[str, str] = {}
    for name, steps in (("tiny", 5), ("small", 4)):
        maa = MakeAnAudio.from_pretrained(name)
        for what, call in requests(maa, steps):
            if name == "tiny" or what in ("text dpm++", "image", "personalize ddim", "inpaint box", "inpaint array"):
                found[f"{name} {what}"] = hashlib.sha256(call().audio.tobytes()).hexdigest()
    with tempfile.TemporaryDirectory() as scratch:
        mask = Path(scratch) / "mask.npy"
        frames = MakeAnAudio.from_pretrained("tiny").frames_of(INPUTS / "hammering.flac")
        cells = np.zeros((80, frames), bool)
        cells[20:, 40:90] = True
        np.save(mask, cells)
        for index, words in enumerate(COMMANDS):
            out = Path(scratch) / f"{index}.wav"
            line = [*(word.format(mask=mask) for word in words), "--model", "tiny", "-o", str(out)]
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                command_line(line)
            found[f"command {index} {words[0]}"] = hashlib.sha256(out.read_bytes()).hexdigest()
    return found


def endpoints() -> Any:
    """Names, types and defaults of all endpoints and of what they return, as Gradio tells them to clients."""
    from maa.ui.page import build

    told = build(MakeAnAudio.from_pretrained("tiny")).get_api_info()["named_endpoints"]
    return {name: {part: about[part] for part in ("parameters", "returns")} for name, about in told.items()}


def now() -> dict[str, Any]:
    """Everything that must stay, as JSON types."""
    return json.loads(json.dumps({"sounds": sounds(), "endpoints": endpoints()}))


def main() -> int:
    """Write, or compare."""
    words = argparse.ArgumentParser(prog="python -m tests.same", description=__doc__.partition("\n")[0])
    way = words.add_mutually_exclusive_group(required=True)
    way.add_argument("--write", type=Path, help="keep what the code does now in this file")
    way.add_argument("--check", type=Path, help="compare with what a run before kept")
    args = words.parse_args()
    found = now()
    if args.write:
        args.write.write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(f"{len(found['sounds'])} sounds and {len(found['endpoints'])} endpoints in {args.write}.")
        return 0
    before = json.loads(args.check.read_text(encoding="utf-8"))
    different = [
        f"{kind}: {name}"
        for kind in before
        for name in sorted(before[kind].keys() | found[kind].keys())
        if before[kind].get(name) != found[kind].get(name)
    ]
    print(
        "\n".join(different) or f"{len(found['sounds'])} sounds and {len(found['endpoints'])} endpoints are the same."
    )
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
