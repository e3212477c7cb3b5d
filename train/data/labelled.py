"""Loaders for data sets with labels (AudioSet, VGGSound, ESC-50, FSD50K, UrbanSound8K) or neither (LibriTTS,
Medley-solos-DB)."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from train.data.records import FREESOUND, YOUTUBE, Record, csv_rows, first_file, inside, label

SPEECH, MUSIC = "/m/09x0r", "/m/04rlf"  # AudioSet's two dominant classes
GENDERS = {"M": "a man speaking", "F": "a woman speaking"}


def audioset(root: Path, unfiltered: bool = False) -> Iterator[Record]:
    """<part>_train_segments.csv and eval_segments.csv, class_labels_indices.csv, ontology.json; audio/[part/]<id>.wav.

    Clips with speech or music, or any class below them in the ontology, are dropped (Appendix A) unless `unfiltered`;
    without ontology.json only those with one of the two themselves, and stderr says so.
    """
    names = {r["mid"]: r["display_name"] for r in csv_rows(root / "class_labels_indices.csv", ("mid", "display_name"))}
    unwanted = frozenset[str]() if unfiltered else dominant(root)
    parts = {"balanced_train": "train", "unbalanced_train": "train", "eval": "test"}
    found = [part for part in parts if (root / f"{part}_segments.csv").is_file()]
    if not found:
        raise ValueError(f"There is no balanced_train_segments.csv in {root}; give the folder as it is published.")
    for part in found:
        folder = next((p for p in (root / "audio" / part, root / "audio", root) if p.is_dir()), root)
        with (root / f"{part}_segments.csv").open(newline="", encoding="utf-8") as file:
            lines = (line for line in file if not line.startswith("#"))
            for video, start, end, mids in csv.reader(lines, skipinitialspace=True):
                tags = mids.split(",")
                if unwanted.isdisjoint(tags):
                    path = first_file(folder, video, f"Y{video}", f"{video}_{int(float(start))}")
                    labels = tuple(label(names.get(tag, tag)) for tag in tags)
                    name, split, origin = f"{video}_{start}", parts[part], (YOUTUBE, video)
                    span = (float(start), float(end))
                    yield Record("Filter AudioSet", name, path, (), labels, split, span=span, origin=origin)


def dominant(root: Path) -> frozenset[str]:
    """Speech, music and everything below them, as far as ontology.json is there to say."""
    path = root / "ontology.json"
    if not path.is_file():
        print(
            f"There is no ontology.json in {root}: of the clips with speech or music only those are dropped that are "
            "tagged Speech or Music themselves, not those tagged with a class below them (such as Male speech or "
            "Guitar); put in the file of github.com/audioset/ontology for the filter of the paper's Appendix A.",
            file=sys.stderr,
        )
        return frozenset({SPEECH, MUSIC})
    children = {node["id"]: node["child_ids"] for node in json.loads(path.read_text(encoding="utf-8"))}
    todo, found = [SPEECH, MUSIC], set[str]()
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo += children.get(node, [])
    return frozenset(found)


def vggsound(root: Path) -> Iterator[Record]:
    """vggsound.csv without a header (YouTube id, start second, label, train or test); audio/[split/]<id>_<start>.wav.

    The start has six digits there (`…_000030.wav`), or as many as it needs; files may also be called <id>.wav.
    """
    table = root / "vggsound.csv"
    if not table.is_file():
        raise ValueError(f"There is no vggsound.csv in {root}; give the folder as it is published.")
    with table.open(newline="", encoding="utf-8") as file:
        for line in csv.reader(file):
            if len(line) != 4 or line[3] not in ("train", "test") or not line[1].isdigit():
                raise ValueError(f"{table} should have id, start, label and split in a line, not {','.join(line)!r}.")
            video, start, said, split = line[0], int(line[1]), line[2], line[3]
            folder = next((p for p in (root / "audio" / split, root / "audio", root / split) if p.is_dir()), root)
            path = first_file(folder, f"{video}_{start:06d}", f"{video}_{start}", video)
            span = (float(start), start + 10.0)
            origin = (YOUTUBE, video)
            yield Record("VGGSound", f"{video}_{start}", path, (), (label(said),), split, span=span, origin=origin)


def esc50(root: Path) -> Iterator[Record]:
    """meta/esc50.csv (filename, fold, target, category); audio/<filename>. Fold 5 is the test split."""
    for row in csv_rows(root / "meta/esc50.csv", ("filename", "fold", "category")):
        split = "test" if row["fold"] == "5" else "train"
        path = inside(root, "audio", row["filename"])
        source = row.get("src_file") or ""  # its number on Freesound
        origin = (FREESOUND, source) if source.isdigit() else None
        yield Record("ESC-50", row["filename"], path, (), (label(row["category"]),), split, 44_100, origin=origin)


def fsd50k(root: Path) -> Iterator[Record]:
    """FSD50K.ground_truth/{dev,eval}.csv (fname, labels, mids, split); FSD50K.{dev,eval}_audio/<fname>.wav."""
    for part in ("dev", "eval"):
        path = root / "FSD50K.ground_truth" / f"{part}.csv"
        if not path.is_file() and part == "eval":
            continue
        for row in csv_rows(path, ("fname", "labels")):
            split = {"val": "valid"}.get(row.get("split", ""), "train") if part == "dev" else "test"
            audio = inside(root, f"FSD50K.{part}_audio", f"{row['fname']}.wav")
            labels = tuple(label(name) for name in row["labels"].split(","))
            origin = (FREESOUND, row["fname"])
            yield Record("FSD50K", row["fname"], audio, (), labels, split, 44_100, origin=origin)


def urbansound8k(root: Path) -> Iterator[Record]:
    """metadata/UrbanSound8K.csv (slice_file_name, start, end, fold, class); audio/fold<n>/. Fold 10 is the test."""
    for row in csv_rows(root / "metadata/UrbanSound8K.csv", ("slice_file_name", "start", "end", "fold", "class")):
        path = inside(root, "audio", f"fold{row['fold']}", row["slice_file_name"])
        split, span = "test" if row["fold"] == "10" else "train", (float(row["start"]), float(row["end"]))
        origin = (FREESOUND, row.get("fsID") or row["slice_file_name"].split("-")[0])
        labels = (label(row["class"]),)
        yield Record("UrbanSound8K", row["slice_file_name"], path, (), labels, split, span=span, origin=origin)


def libritts(root: Path) -> Iterator[Record]:
    """<subset>/<speaker>/<chapter>/<utterance>.wav; speakers.tsv or SPEAKERS.txt says who is a man or a woman.

    What is said is no description of the sound, so the label is who speaks.
    """
    genders = _genders(root)
    subsets = [p for p in sorted(root.iterdir()) if p.is_dir()] if root.is_dir() else []
    if not subsets:
        raise ValueError(f"There is no subset such as train-clean-100 in {root}; give the folder as it is published.")
    for subset in subsets:
        split = {"dev": "valid", "test": "test"}.get(subset.name.split("-")[0], "train")
        for path in sorted(subset.glob("*/*/*.wav")):
            who = GENDERS.get(genders.get(path.parent.parent.name, ""), "a person speaking")
            yield Record("LibriTTS", path.stem, path, (), (who,), split, 24_000)


def _genders(root: Path) -> dict[str, str]:
    if (root / "speakers.tsv").is_file():
        with (root / "speakers.tsv").open(encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file][1:]
        return {row[0]: row[1] for row in rows if len(row) > 1}
    if (root / "SPEAKERS.txt").is_file():
        with (root / "SPEAKERS.txt").open(encoding="utf-8") as file:
            rows = [[cell.strip() for cell in line.split("|")] for line in file if not line.startswith(";")]
        return {row[0]: row[1] for row in rows if len(row) > 1}
    return {}


def medley_solos(root: Path) -> Iterator[Record]:
    """Medley-solos-DB_metadata.csv (subset, instrument, instrument_id, uuid4); WAV files named after it."""
    splits = {"training": "train", "validation": "valid", "test": "test"}
    folder = root / "Medley-solos-DB" if (root / "Medley-solos-DB").is_dir() else root
    columns = ("subset", "instrument", "instrument_id", "uuid4")
    for row in csv_rows(root / "Medley-solos-DB_metadata.csv", columns):
        name = f"Medley-solos-DB_{row['subset']}-{row['instrument_id']}_{row['uuid4']}.wav"
        labels, split = (label(row["instrument"]),), splits.get(row["subset"], "train")
        yield Record("Medley-solos-DB", row["uuid4"], inside(folder, name), (), labels, split, 44_100)
