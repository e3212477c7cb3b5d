"""Train a detector and report how well it tells what it has not heard.

python -m train.detector --real data/recordings --generated small=made/small --generated other=made/other \\
    --out checkpoints/detector --most 300
python -m maa whatis FILE                          what the settings inside a file, and that detector, say

Folders may hold any sound files, at any depth. Against cues that have nothing to do with how a sound was made, every
file goes the same way: its channels to one, the same resampler to 16 kHz, only 60 Hz to 7 kHz of it (filters and codecs
end above), windows of exactly one second, each without its level and without what is 60 dB below its loudest cell;
training tilts spectra and covers bands. What such cues alone would tell is reported beside the detector: where one is
near 1, the folders differ by more than their origin, and the detector's figure is no proof of anything else.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from maa import checkpoint
from maa.aside import write_text
from maa.models.detector import DetectorConfig
from maa.pipeline.detecting import DESCRIPTION, PART
from train.detector.figures import Auc
from train.detector.folders import REAL, HeardFolder, hear
from train.detector.learning import cross_validated, cue_figures, train_detector
from train.trainer.keeping import one_line
from train.trainer.options import RunOptions, add_fields, from_args


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, action="append", required=True, help="folder of recordings; repeatable")
    text = "folder of a generator's sounds; repeatable"
    parser.add_argument("--generated", action="append", required=True, metavar="NAME=FOLDER", help=text)
    parser.add_argument("--windows", type=int, default=8, help="seconds heard of a file (%(default)s)")
    parser.add_argument("--most", type=int, default=0, help="files of each source; 0 = all (%(default)s)")
    parser.add_argument("--folds", type=int, default=3, help="of the recordings (%(default)s)")
    parser.add_argument("--batch", type=int, default=64, help="windows in a step (%(default)s)")
    add_fields(parser, RunOptions, lr=2e-3, steps=600, warmup=20, ema=0.99)
    args = parser.parse_args()
    with one_line(parser):
        print(run(args))


def run(args: argparse.Namespace) -> str:
    """Report and detector into `args.out`; the report as text.

    Raises:
        ValueError: a folder is missing, or there is too little in it.
    """
    options, config = from_args(RunOptions, args), DetectorConfig()
    if args.folds < 2:
        raise ValueError("Recordings that a detector has not heard need at least two folds.")
    found = hear(args.real, generator_folders(args.generated), args.windows, args.most, options.seed)
    figures = cross_validated(found, options, args.batch, config, args.folds)
    cues = cue_figures(found, options.seed)
    train_detector(found.clips, options, args.batch, config)
    keep_weights(found, figures, cues, config, args.out)
    return scores_table(found, figures, cues, args.out)


def generator_folders(given: list[str]) -> dict[str, list[Path]]:
    """Folders by the name of their generator."""
    folders: dict[str, list[Path]] = {}
    for one in given:
        name, equals, folder = one.partition("=")
        if not equals or not name or name == REAL:
            raise ValueError(f"Give generated sounds as NAME=FOLDER, with any name but {REAL!r}, not {one!r}.")
        folders.setdefault(name, []).append(Path(folder))
    return folders


def keep_weights(
    found: HeardFolder, figures: dict[str, Auc], cues: dict[str, Auc], config: DetectorConfig, out: Path
) -> None:
    """The description beside the weights, with the figures."""
    unheard = figures.get("not heard: all")
    best = unheard or figures["heard generators"]
    counts = Counter(clip.source for clip in found.clips)
    told: dict[str, Any] = {
        "auc_unseen": str(best),
        "auc_of": "generators that it had not heard" if unheard else "other sounds of the generators that it had heard",
        "clips": dict(counts),
        "figures": {name: asdict(one) for name, one in figures.items()},
        "cues": {name: asdict(one) for name, one in cues.items()},
    }
    digest = checkpoint.file_hash(out / f"{PART}.safetensors")
    content = {"config": asdict(config), "trained": told, "sha256": digest}
    write_text(out / DESCRIPTION, json.dumps(content, indent=1) + "\n")


def scores_table(found: HeardFolder, figures: dict[str, Auc], cues: dict[str, Auc], out: Path) -> str:
    """The report."""
    counts = Counter(clip.source for clip in found.clips)
    lines = ["Heard: " + ", ".join(f"{name} {count}" for name, count in counts.items()) + " files."]
    if found.left_out:
        some = "; ".join(f"{path}: {why}" for path, why in list(found.left_out.items())[:3])
        lines.append(f"Left out: {len(found.left_out)} files, such as {some}.")
    lines.append("ROC-AUC on recordings that it has not heard, 95 % intervals:")
    lines += [f"  {name:<28}{one}  ({one.real} real, {one.generated} generated)" for name, one in figures.items()]
    if "not heard: all" not in figures:
        lines.append("  With one generator nothing can be said about generators that it has not heard.")
    lines.append("What the files themselves would tell, which it does not hear:")
    lines += [f"  {name:<28}{one}" for name, one in cues.items()]
    lines.append(f"{out / PART}.safetensors: {(out / f'{PART}.safetensors').stat().st_size / 1000:.0f} kB.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
