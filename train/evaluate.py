"""How good is a model, or a folder of sounds? Some questions, fixed seeds, a JSON file and a table for the model card.

    python -m train.evaluate --model small                          # everything
    python -m train.evaluate --model small --dtype bfloat16         # faster where the CPU has AMX
    python -m train.evaluate --model small --quick                  # one take each, fewer cases: a rough look
    python -m train.evaluate --model small --sweep 2 3 4.5 6        # scales of guidance, on every third concept
    python -m train.evaluate --model small --only clap pictures     # some of the questions
    python -m train.evaluate --model small --only reconstruction --split valid      # to choose by; test is for the end
    python -m train.evaluate --sounds made/ --model small           # a folder: made/dog barking/1.wav, or labels.csv
    python -m train.evaluate --sounds made/ --only files            # the files of a folder as such, with no model
    python -m train.evaluate --generated made/ --reference real/ --captions test.csv     # the harness: FD, KL, CLAP, …

(a) reconstruction: what autoencoder and vocoder keep of held-out recordings, beside Griffin-Lim from the true mel;
(b) clap: text to sound recall over held-out recordings; (c) generation: one take per prompt, none selected, the
loudest 4.6 s, nearest centroid of the train recordings in untouched aiSFX embeddings; paraphrases; two_events: order,
from a sentence and from times; timed: two at once, and how late placed sounds begin;
(d) inpainting: inside wide and narrow masks; (e) pictures: drawings heard as what they show; (f) files: 34 takes as a
user gets them, their lines at the frame rate, levels, edges, clipping and holes.
A second judge, YAMNet, says the same beside aiSFX where `<library>/parts/yamnet.safetensors` lies
(`python -m train.parts --only judge --to data/parts`): nearest centroid of its mean embedding after the mean of the
train recordings is taken away, divergence of its tags from those of real clips (KL), and their variety (IS).
Takes are kept in --out and not made again, so a run can be stopped and repeated; after a change of the code that makes
sounds, name another --out. `files` are always made anew. What depends on the recordings only is kept beside them in
evaluation-cache and serves every model.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maa import Sampling
from maa.aside import write_text
from maa.audio.finish import AS_MADE
from maa.device import DTYPES
from maa.foreign import foreign
from maa.pipeline.options import QUALITIES
from maa.pipeline.tasks import check_seconds
from train.data import Library
from train.data.level import decode_file
from train.evaluation.card import score_table
from train.evaluation.clap import retrieval
from train.evaluation.ears import say_missing
from train.evaluation.events import two_event_scores
from train.evaluation.files import files, files_of
from train.evaluation.generation import guidance_sweep, paraphrases, scores_of, vocabulary
from train.evaluation.harness_command import add_flags
from train.evaluation.harness_command import run as run_harness
from train.evaluation.harness_files import plain
from train.evaluation.inpainting import CASES, inpainting
from train.evaluation.pictures import recognised_pictures, stamps
from train.evaluation.reconstruction import reconstruction
from train.evaluation.reference import PASSED, Reference
from train.evaluation.sounds import Judge, Setup, digest_of
from train.evaluation.timed import timed_scores
from train.evaluation.workers import Workers

PARTS = (
    *("reconstruction", "clap", "generation", "paraphrases", "two_events", "timed"),
    *("inpainting", "pictures", "files"),
)
JUDGED = {"reconstruction", "generation", "paraphrases", "two_events", "timed", "inpainting"}  # by every pair of ears
HELD_OUT = ("reconstruction", "clap")
SPLITS = ("valid", "test")
AUDIO = (".wav", ".flac", ".ogg", ".mp3")
TAKES = 4  # of each concept: more than 500 in all
PARAPHRASE_TAKES = 2  # of each
FEW = 2  # real clips of each concept that go through the model in a rough look
EVERY = 3  # of the concepts, the first takes part in a sweep
CACHE = "evaluation-cache"


@dataclass(frozen=True)
class Questions:
    """Which questions, and how thoroughly."""

    parts: tuple[str, ...] = PARTS
    takes: int = TAKES
    quick: bool = False
    split: str = "test"  # that reconstruction and clap are asked about
    loudness: str = AS_MADE  # of files


def evaluate(reference: Reference, data: Path, asked: Questions) -> dict[str, Any]:
    """The chosen parts' scores, each with the minutes it took, beside those that its folder has already.

    Args:
        data: folder of the library; pictures lie in its recordings/.

    Raises:
        ValueError: the library has no recording of the split that is asked about.
    """
    judge, library = reference.judge, reference.library
    held_out = library.indices(asked.split)[:: 4 if asked.quick else 1]
    if not len(held_out) and set(asked.parts) & set(HELD_OUT):
        there = sorted({row.split for row in library.rows})
        raise ValueError(
            f"The library has no {asked.split} recordings (but {', '.join(there)}); choose another --split."
        )
    if judge.second is None and set(asked.parts) & JUDGED:
        say_missing(data / "parts")
    report = resumed(_described(judge), judge.folder)
    for part in asked.parts:
        started = time.monotonic()
        if part == "reconstruction":
            report[part] = reconstruction(judge, [library.wave(int(i)) for i in held_out])
        elif part == "clap":
            report[part] = retrieval(judge, library, asked.split)
        elif part == "generation":
            report[part] = vocabulary(reference, asked.takes)
        elif part == "paraphrases":
            report[part] = paraphrases(reference, min(asked.takes, PARAPHRASE_TAKES))
        elif part == "two_events":
            report[part] = two_event_scores(reference, 2 if asked.quick else 1)
        elif part == "timed":
            report[part] = timed_scores(reference, 2 if asked.quick else 1)
        elif part == "inpainting":
            report[part] = inpainting(reference, CASES // 3 if asked.quick else CASES)
        elif part == "files":
            report[part] = files(judge, asked.loudness, asked.quick)
        else:
            report[part] = recognised_pictures(judge.maa, stamps(library, data / "recordings"))
        if part in HELD_OUT:
            report[part]["split"] = asked.split
        report[part]["minutes"] = round((time.monotonic() - started) / 60, 1)
        print(f"{part}: {report[part]['minutes']} minutes", file=sys.stderr, flush=True)
        save_scores(report, judge.folder)
    return report


def judge_folder(reference: Reference, folder: Path, data: Path) -> dict[str, Any]:
    """Recognisability, distances and copying of a folder of sounds, whoever made them.

    Args:
        folder: sounds in folders named after concepts of the library, or a `labels.csv` (file, concept) beside them.

    Raises:
        ValueError: there is no such folder, or no sound in it has a concept that the library can judge.
    """
    found = [(path, concept) for path, concept in labelled(folder) if concept in reference.names]
    if not found:
        some = ", ".join(reference.names[:5])
        raise ValueError(f"No sound in {folder} has a concept that can be judged; name folders after {some}, …")
    if reference.judge.second is None:
        say_missing(data / "parts")
    waves = [decode_file(path, reference.judge.rate) for path, _ in found]
    labels = reference.labels_of([concept for _, concept in found])
    report = _described(reference.judge) | {"folder": str(folder), "sounds": len(found)}
    report["generation"] = scores_of(reference, waves, labels)
    return report


def measure_folder(folder: Path) -> dict[str, Any]:
    """What `files` measures, of every sound in a folder and below; no model is asked.

    Raises:
        ValueError: there is no such folder, no sound in it, or one that cannot be read.
    """
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder}.")
    found = [path for path in folder.rglob("*") if path.suffix.lower() in AUDIO]
    return {"folder": str(folder), "sounds": len(found), "files": files_of(found)}


def labelled(folder: Path) -> list[tuple[Path, str]]:
    """The sounds of a folder with what they should be."""
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder}.")
    listed = folder / "labels.csv"
    if listed.is_file():
        with listed.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not rows or not {"file", "concept"} <= rows[0].keys():
            raise ValueError(f"{listed} needs the columns file and concept.")
        found = [(folder / row["file"], row["concept"]) for row in rows]
        missing = next((path for path, _ in found if not path.is_file()), None)
        if missing is not None:
            raise ValueError(f"{listed} names {missing.name}, which is not there.")
        return found
    return [
        (path, path.parent.name)
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in AUDIO and path.parent != folder
    ]


def _described(judge: Judge) -> dict[str, Any]:
    maa, sampling = judge.maa, judge.sampling
    return {
        "model": maa.name,
        "weights": maa.model.weights_hash,
        "steps": sampling.steps,
        "guidance": maa.config.guidance if sampling.guidance is None else sampling.guidance,
        "sampler": sampling.sampler,
        "seconds": maa.config.audio.seconds if judge.seconds is None else judge.seconds,
        "device": str(maa.device),
        "dtype": str(maa.dtype).removeprefix("torch."),
        "config": digest_of(maa.config),
    }


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    args = _parser().parse_args(arguments)
    workers = None
    try:
        if args.generated or args.reference or args.captions:
            return run_harness(args)
        if args.sounds and tuple(args.only) == ("files",):
            print(save_scores(measure_folder(args.sounds), args.out))
            return 0
        check_seconds(args.seconds)
        sampling = Sampling(args.steps, args.guidance, sampler=args.sampler, quality=args.quality)
        folders = args.library / CACHE, args.library / "parts"
        setup = Setup(args.model, args.device, args.dtype, args.out, sampling, folders[0], args.seconds, folders[1])
        judge = setup.open()
        library = Library.open(args.library, rate=judge.rate)
        count = args.workers or (os.cpu_count() or 1 if judge.maa.device.type == "cpu" else 1)
        judge.workers = workers = Workers(setup, count) if count > 1 else None
        report = _report(Reference(judge, library, each=FEW if args.quick else PASSED), args)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if workers is not None:
            workers.close()
    print(save_scores(report, args.out))
    return 0


def save_scores(report: dict[str, Any], folder: Path) -> str:
    """Write scores.json and scores.md; the table comes back."""
    rows = score_table(report)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "scores.json", json.dumps(plain(report), indent=2) + "\n")
    write_text(folder / "scores.md", rows + "\n")
    return rows


def resumed(described: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The scores in a folder when they are of the same weights and settings, else none but these.

    Raises:
        ValueError: the file of the scores is damaged.
    """
    path = folder / "scores.json"
    with foreign(f"{path} is damaged; delete it, and ask for all questions again (takes are kept)."):
        earlier = dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    same = all(earlier.get(name) == value for name, value in plain(described).items())
    return restored(earlier) if same and "sounds" not in earlier else described


def restored(value: Any) -> Any:
    """What JSON gives back, with NaN where there was no number."""
    if isinstance(value, dict):
        return {key: restored(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [restored(inner) for inner in value]
    return float("nan") if value is None else value


def _report(reference: Reference, args: argparse.Namespace) -> dict[str, Any]:
    if len(reference.names) < 2:
        raise ValueError("The library has fewer than two concepts with five train recordings; fetch more of it.")
    if args.sounds:
        return judge_folder(reference, args.sounds, args.library)
    if args.sweep:
        found = guidance_sweep(reference, args.sweep, 1, EVERY)
        return resumed(_described(reference.judge), args.out) | {"sweep": found}
    takes = 1 if args.quick else args.takes
    return evaluate(reference, args.library, Questions(tuple(args.only), takes, args.quick, args.split, args.loudness))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train.evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="small", help="a name, a folder or a hub id (%(default)s)")
    parser.add_argument("--device", help="such as cpu; default: the best there is")
    parser.add_argument("--dtype", choices=DTYPES, help="what the U-Net computes in; default: the device's choice")
    parser.add_argument("--workers", type=int, help="processes; default: one for each CPU core, one on a GPU")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("data/evaluation"), help="sounds, scores.json and scores.md")
    parser.add_argument("--sounds", type=Path, help="judge this folder of sounds instead of the model's takes")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--split", choices=SPLITS, default="test", help="recordings for reconstruction and clap")
    parser.add_argument("--loudness", default=AS_MADE, help="of the takes of `files` (%(default)s)")
    parser.add_argument("--takes", type=int, default=TAKES, help="of each concept (%(default)s)")
    parser.add_argument("--seconds", type=float, help="of a take; default: what the model was trained on")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument(
        "--quality", choices=sorted(QUALITIES), default="fine", help="instant: as a `guided` network can"
    )
    parser.add_argument("--guidance", type=float, default=None)
    parser.add_argument("--sampler", default="dpm++")
    parser.add_argument("--sweep", type=float, nargs="+", metavar="GUIDANCE", help="compare scales, and nothing else")
    parser.add_argument("--quick", action="store_true", help="one take each, a quarter of the clips")
    add_flags(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
