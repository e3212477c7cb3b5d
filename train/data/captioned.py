"""Loaders for data sets with sentences: AudioCaps, Clotho, MACS, WavText5K, BBC, Audiostock and their like."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from train.data.records import (
    AUDIO,
    FREESOUND,
    YOUTUBE,
    Record,
    captions,
    csv_rows,
    first_file,
    inside,
    label,
    normalise,
)


def audiocaps(root: Path) -> Iterator[Record]:
    """train.csv, val.csv, test.csv (audiocap_id, youtube_id, start_time, caption); audio/[split/]<id>[_<start>].wav.

    A clip's five sentences of the validation and test tables become one record.
    """
    for name, split in (("train", "train"), ("val", "valid"), ("test", "test")):
        if not (root / f"{name}.csv").is_file() and name != "train":
            continue
        said: dict[tuple[str, int], list[str]] = {}
        for row in csv_rows(root / f"{name}.csv", ("youtube_id", "start_time", "caption")):
            said.setdefault((row["youtube_id"], int(float(row["start_time"]))), []).append(row["caption"])
        folder = next((p for p in (root / "audio" / name, root / "audio", root / name) if p.is_dir()), root)
        for (video, start), texts in said.items():
            path = first_file(folder, f"{video}_{start}", video, f"Y{video}", f"Y{video}_{start}")
            span = (float(start), start + 10.0)
            said_of_it, origin = captions(*texts), (YOUTUBE, video)
            yield Record("AudioCaps", f"{video}_{start}", path, said_of_it, (), split, span=span, origin=origin)


def clotho(root: Path) -> Iterator[Record]:
    """clotho_captions_<part>.csv (file_name, caption_1 … caption_5); <part>/<file name>.

    clotho_metadata_<part>.csv (file_name, sound_id), where it is there, says which Freesound recordings they are.
    """
    for part, split in (("development", "train"), ("validation", "valid"), ("evaluation", "test")):
        path = root / f"clotho_captions_{part}.csv"
        if not path.is_file() and part != "development":
            continue
        columns = tuple(f"caption_{k}" for k in range(1, 6))
        ids = _freesound_ids(root / f"clotho_metadata_{part}.csv")
        for row in csv_rows(path, ("file_name", *columns)):
            said = captions(*(row[column] for column in columns))
            audio = inside(root, part, row["file_name"])
            origin = (FREESOUND, ids[row["file_name"]]) if row["file_name"] in ids else None
            yield Record("Clotho", f"{part}/{row['file_name']}", audio, said, (), split, 44_100, origin=origin)


def _freesound_ids(path: Path) -> dict[str, str]:
    """The numbers of Clotho's recordings on Freesound, by their file names; of some nobody knows them."""
    if not path.is_file():
        print(f"There is no {path}: which recordings of Freesound these are is not known.", file=sys.stderr)
        return {}
    rows = csv_rows(path, ("file_name", "sound_id"))
    return {row["file_name"]: row["sound_id"].strip() for row in rows if row["sound_id"].strip().isdigit()}


def macs(root: Path) -> Iterator[Record]:
    """MACS.yaml (files: filename, annotations: sentence, tags) over the audio/ of TAU Urban Acoustic Scenes 2019."""
    import yaml

    path = root / "MACS.yaml"
    if not path.is_file():
        raise ValueError(f"There is no MACS.yaml in {root}; give the folder as it is published.")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("files"), list):
        raise ValueError(f"{path} has no list of files; give the file as it is published.")
    for entry in content["files"]:
        notes = entry.get("annotations") or []
        said = captions(*(note.get("sentence") for note in notes))
        tags = dict.fromkeys(label(tag) for note in notes for tag in note.get("tags") or [])
        audio = inside(root, "audio", entry["filename"])
        yield Record("MACS", entry["filename"], audio, said, tuple(tags), "train", 48_000, (0.0, 10.0))


def wavtext5k(root: Path) -> Iterator[Record]:
    """WavText5K.csv (title, description, fname, tags); audio in <rate>/audios/ or download/."""
    folders = [p for p in (*sorted(root.glob("*/audios")), root / "download", root / "audios", root) if p.is_dir()]
    for row in csv_rows(root / "WavText5K.csv", ("title", "description", "fname")):
        said = captions(row["description"], row["title"])
        places = [inside(folder, row["fname"]) for folder in folders]
        path = next((place for place in places if place.is_file()), places[0])
        tags = tuple(label(tag) for tag in (row.get("tags") or "").split(",") if tag.strip())
        if said:
            yield Record("WavText5Ks", row["fname"], path, said, tags, "train")


def bbc(root: Path) -> Iterator[Record]:
    """BBCSoundEffects.csv (location, description, secs, category, …); sounds/<location> or <location>."""
    folder = root / "sounds" if (root / "sounds").is_dir() else root
    for row in csv_rows(root / "BBCSoundEffects.csv", ("location", "description", "category")):
        path = inside(folder, row["location"])
        labels = (label(row["category"]),) if row["category"] else ()
        yield Record("BBC sound effects", row["location"], path, captions(row["description"]), labels, "train")


def paired(dataset: str, root: Path) -> Iterator[Record]:
    """Audio files, each with a JSON file beside it ("text", "tag") or without one, anywhere below `root`.

    That is how LAION-Audio-630K publishes Audiostock, Epidemic Sound, WeSoundEffects, Sonniss and Free To Use Sounds.
    Without JSON the file's name speaks, as in the shops' own folders: "DOOR, Wooden - Creak 02.wav" -> label
    "door wooden creak". Folders named train, valid or test are splits.
    """
    if not root.is_dir():
        raise ValueError(f"There is no folder {root}.")
    for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in AUDIO):
        described = path.with_suffix(".json")
        said: tuple[str, ...] = ()
        labels: tuple[str, ...] = ()
        if described.is_file():
            content = json.loads(described.read_text(encoding="utf-8"))
            texts, tags = content.get("text") or [], content.get("tag") or []
            said = captions(*([texts] if isinstance(texts, str) else texts))
            labels = tuple(dict.fromkeys(label(str(tag)) for tag in tags if str(tag).strip()))
        else:
            labels = (from_name(path.stem),)
        split = next((s for s in ("valid", "test") if s in path.relative_to(root).parts), "train")
        yield Record(dataset, path.relative_to(root).as_posix(), path, said, labels, split)


def from_name(stem: str) -> str:
    """What a descriptive file name says: separators become spaces; take numbers, rates and track numbers go."""
    plain = re.sub(r"(?<![A-Za-z0-9])\d+[ _-]?(k?hz|bit)(?![A-Za-z])", " ", stem, flags=re.IGNORECASE)
    words = re.sub(r"[_\-,.&+()\[\]]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", plain)).split()
    kept = [word for word in words if not re.fullmatch(r"\d+k?|v\d+|take|st|mono|stereo|x{2,}", word.lower())]
    return normalise(" ".join(kept or words)).lower()


PAIRED: dict[str, Callable[[Path], Iterator[Record]]] = {
    name: partial(paired, name)
    for name in ("Audiostock", "Sonniss Game Effects", "WeSoundEffects", "Epidemic Sound", "Free To Use Sounds")
}
