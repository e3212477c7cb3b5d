"""Make everything in assets/ that depends on the weights: example results, their pictures, the contact sheet.

    python -m train.examples --model small

Run it after `checkpoints/small` changes; a test compares the weights' hash inside the results with the checkpoint's.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa import Box, Generation, MakeAnAudio, Sampling
from maa.aside import aside, write_text
from maa.audio.picture import COLOURS, draw
from maa.vision.mux import mux

ASSETS = Path("assets")
SHEET_COLUMNS = 8


@dataclass(frozen=True)
class ExampleRequest:
    """One row of `assets/examples.json`, as the app reads it."""

    task: str
    prompt: str
    seed: int
    negative: str = ""
    input: str | None = None
    t0: float | None = None
    boxes: list[list[float]] | None = None  # start s, end s, low Hz, high Hz
    steps: int = 25
    guidance: float = 5.0
    result: str | None = None
    picture: str | None = None


EXAMPLES = (
    ExampleRequest("text", "a dog barks", 1),
    ExampleRequest("text", "birds are chirping", 2),
    ExampleRequest("text", "hammering", 3),
    ExampleRequest("text", "ocean waves", 4),
    ExampleRequest("image", "", 5, input="assets/inputs/sheep.png"),
    ExampleRequest("image", "", 6, input="assets/inputs/duck.png"),
    ExampleRequest("video", "", 7, input="assets/inputs/horse.mp4"),
    ExampleRequest("personalize", "a dog barks", 8, input="assets/inputs/hammering.flac", t0=0.5),
    ExampleRequest("personalize", "thunder", 9, input="assets/inputs/birds.flac", t0=0.4),
    ExampleRequest("inpaint", "crow cawing", 10, input="assets/inputs/birds.flac", boxes=[[1.0, 2.2, 0.0, 8000.0]]),
    ExampleRequest("inpaint", "", 11, input="assets/inputs/hammering.flac", boxes=[[0.5, 0.9, 0.0, 8000.0]]),
)
# What the contact sheet shows: a prompt per picture.
SHEET = (
    "dog barking", "sheep bleating", "cow mooing", "horse neighing", "duck quacking", "chicken clucking",
    "wolf howling", "lion roaring", "bird chirping", "eagle screeching", "crow cawing", "owl hooting",
    "frog croaking", "crickets chirping", "bee buzzing", "whale singing", "elephant trumpeting", "cat meowing",
    "pig grunting", "snake hissing", "thunder", "ocean waves", "fire crackling", "explosion", "siren",
    "train passing", "city traffic", "hammering", "sawing wood", "chopping wood", "hammer on anvil",
    "bell ringing", "war horn", "crowd talking", "crowd cheering", "electric guitar", "kick drum", "snare drum",
    "tabla", "cymbal crash",
)  # fmt: skip


def generate_example(maa: MakeAnAudio, example: ExampleRequest) -> Generation:
    """One example through its task."""
    sampling = Sampling(steps=example.steps, guidance=example.guidance, seed=example.seed)
    options: dict[str, Any] = {"negative": example.negative}
    if example.task == "text":
        return maa.text_to_audio(example.prompt, sampling, **options)
    if example.task == "image":
        return maa.image_to_audio(example.input, sampling, prompt=example.prompt, **options)
    if example.task == "video":
        return maa.video_to_audio(str(example.input), sampling, prompt=example.prompt, **options)
    if example.task == "personalize":
        return maa.personalize(example.input, example.prompt, sampling, t0=example.t0 or 0.0, **options)
    boxes = [Box(*box) for box in example.boxes or []]
    return maa.inpaint(example.input, boxes, example.prompt, sampling, **options)


def make_example(maa: MakeAnAudio, index: int, example: ExampleRequest) -> ExampleRequest:
    """Run one example and write its sound (or clip) and picture; the row that names them comes back."""
    result = generate_example(maa, example)
    stem = ASSETS / "results" / f"{index:02d}-{example.task}"
    sound = result.save(stem.with_suffix(".flac"))
    if example.task == "video":
        clip = stem.with_suffix(".mp4")
        mux(str(example.input), result.audio[0], result.sample_rate, clip)
        sound.unlink()
        sound = clip
    picture = draw(result.mel[0], maa.config.audio, stem.with_suffix(".png"))
    row = {**asdict(example), "result": sound.as_posix(), "picture": picture.as_posix()}
    return ExampleRequest(**row)


def sheet(titles: list[str], mels: list[NDArray[np.float32]], path: Path) -> None:
    """A grid of spectrograms [mels, frames], low notes at the bottom, one title each."""
    from matplotlib.figure import Figure

    rows = -(-len(mels) // SHEET_COLUMNS)
    figure = Figure(figsize=(2.0 * SHEET_COLUMNS, 1.25 * rows), dpi=90, layout="constrained")
    for k, (title, mel) in enumerate(zip(titles, mels, strict=True)):
        axes = figure.add_subplot(rows, SHEET_COLUMNS, k + 1)
        axes.imshow(mel, origin="lower", aspect="auto", cmap=COLOURS, vmin=mel.max() - 4, vmax=mel.max())
        axes.set_title(title, fontsize=8)
        axes.set_xticks([])
        axes.set_yticks([])
    with aside(path) as neighbour:
        figure.savefig(neighbour, metadata={"Software": None})


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small")
    args = parser.parse_args()
    maa = MakeAnAudio.from_pretrained(args.model, device="cpu")
    (ASSETS / "results").mkdir(parents=True, exist_ok=True)
    rows = []
    for index, example in enumerate(EXAMPLES):
        rows.append(make_example(maa, index, example))
        print(f"{rows[-1].result}  {example.prompt or example.input}", flush=True)
    text = json.dumps([asdict(row) for row in rows], indent=1)
    write_text(ASSETS / "examples.json", text + "\n")
    mels = []
    for k, prompt in enumerate(SHEET):
        mels.append(maa.text_to_audio(prompt, Sampling(seed=k)).mel[0])
        print(f"contact sheet {k + 1}/{len(SHEET)}: {prompt}", flush=True)
    sheet(list(SHEET), mels, ASSETS / "contact-sheet.png")


if __name__ == "__main__":
    main()
