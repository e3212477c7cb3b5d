"""Give a model folder its vocabulary: the sounds it was trained on, as its text encoder sees what is said of them.

python -m train.vocabulary --to checkpoints/small                  # of the manifest's train recordings
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import torch

from maa import checkpoint
from maa.folders import changed_folder, recover
from maa.models.vocabulary import KnownSound, Vocabulary
from maa.pipeline.conditioning import embed_words
from train.data import load_manifest
from train.data.manifest import Recording
from train.trainer.keeping import one_line

BATCH = 32


def known_sounds(rows: Iterable[Recording], concepts: Iterable[str] = ()) -> list[KnownSound]:
    """What recordings teach, by name. A caption that two sounds share belongs to the one that has more recordings.

    Args:
        rows: recordings, of which those of the train split count.
        concepts: what a network was trained on, where that is known: others are left out, and one without recordings
            among the rows has its name alone.
    """
    wanted = set(concepts)
    told: dict[str, dict[str, int]] = {}
    about: dict[str, Recording] = {}
    for row in rows:
        if row.split != "train" or (wanted and row.concept not in wanted):
            continue
        about.setdefault(row.concept, row)
        for caption in (row.concept, *row.captions):
            counts = told.setdefault(caption, {})
            counts[row.concept] = counts.get(row.concept, 0) + 1
    owned: dict[str, list[str]] = {name: [name] for name in (*about, *wanted)}
    for caption, counts in told.items():
        if caption not in owned:
            owned[max(counts, key=lambda name: (counts[name], name))].append(caption)
    return [_known(name, about.get(name), owned[name]) for name in sorted(owned)]


def _known(name: str, row: Recording | None, captions: list[str]) -> KnownSound:
    return KnownSound(name, row.family if row else "", bool(row and row.sustained), tuple(captions))


@torch.inference_mode()
def vocabulary_of(model: checkpoint.Model, rows: Iterable[Recording]) -> Vocabulary:
    """The vocabulary of a model whose text encoder is there, of the concepts that it names."""
    sounds = known_sounds(rows, model.concepts)
    captions = [caption for sound in sounds for caption in sound.captions]
    batches = [captions[first : first + BATCH] for first in range(0, len(captions), BATCH)]
    return Vocabulary(sounds, torch.cat([embed_words(model, batch) for batch in batches]))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("checkpoints/small"), help="a model folder")
    args = parser.parse_args()
    with one_line(parser):
        recover(args.to)
        model = checkpoint.load(args.to)
        found = vocabulary_of(model, load_manifest())
        with changed_folder(args.to) as folder:
            found.save(folder)
            checkpoint.write_config(folder, model.config)
    print(f"{len(found.sounds)} sounds, {len(found.captions)} captions in {args.to}.")


if __name__ == "__main__":
    main()
