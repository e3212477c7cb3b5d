"""Lists of captions: the tables that data sets are published with, JSON, JSONL and plain text, as lines of one kind.

AudioCaps (youtube_id, start_time, caption; with or without audiocap_id), Clotho (file_name, caption_1 … caption_5),
the authors' own TSV (name, caption), Tango's and AudioLDM's JSON, and whatever else has a column of captions.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from maa.foreign import foreign

CAPTION = ("caption", "captions", "text", "prompt", "description", "ori_cap", "sentence")
CLIP = ("name", "id", "file_name", "filename", "fname", "file", "audio", "wav", "audio_path", "path", "location")
VIDEO = ("youtube_id", "ytid")
START = ("start_time", "start_seconds", "start")
UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]')  # in names of files, on one system or another
LONGEST = 180  # bytes of a name: systems take 255, and a number and an ending come behind it


@dataclass(frozen=True)
class Line:
    """One caption of a list, and the names that belong to it."""

    name: str  # of the sound that is made of it: unique in the list, and a name that a file may have
    caption: str
    clip: str = ""  # the recording that it describes; "" where the list names none
    known: tuple[str, ...] = ()  # what others call this line: AudioCaps' audiocap_id
    also: tuple[str, ...] = ()  # what else files of its clip are called: a video's id, with or without Y in front


@dataclass(frozen=True)
class _Row:
    clip: str
    captions: tuple[str, ...]
    known: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def read_list(path: Path) -> tuple[Line, ...]:
    """The lines of a list in their order.

    A clip's only caption has the clip's name; of several, the k-th is called <clip>__k. Lines of plain text are called
    by their number.

    Args:
        path: .csv or .tsv with a head, .json, .jsonl, or anything else as plain text, one caption a line; UTF-8.

    Raises:
        ValueError: there is no such file, or a line of it is malformed, has no caption, or has the name of another; the
            sentence says which.
    """
    if not path.is_file():
        raise ValueError(f"There is no list of captions {path}.")
    with foreign(f"{path} is no text in UTF-8; save it as such."):
        text = path.read_bytes().decode("utf-8-sig")
    if "\0" in text:
        raise ValueError(f"{path} is no text: it holds zero bytes.")
    readers = {".csv": _table, ".tsv": _table, ".json": _json, ".jsonl": _jsonl}
    rows = list(readers.get(path.suffix.lower(), _plain)(path, text))
    if not rows:
        raise ValueError(f"{path} holds no caption.")
    return _named(path, rows)


def digest_of_list(lines: Sequence[Line]) -> str:
    """SHA-256 of names and captions in their order."""
    found = hashlib.sha256()
    for line in lines:
        found.update(f"{line.name}\t{line.clip}\t{line.caption}\n".encode())
    return found.hexdigest()


def safe(name: str) -> str:
    """A name that a file may have everywhere; what may not stand in it becomes a dash below the line."""
    short = UNSAFE.sub("_", name).encode()[:LONGEST].decode(errors="ignore").strip(" .")
    return short or "_"


def _plain(path: Path, text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _Row("", (_said(line, path, f"line {number}"),))


def _table(path: Path, text: str) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    head: list[str] = []
    while True:
        with foreign(f"{path}, line {reader.line_num + 1}, is no row of a table; look for an open quotation mark."):
            cells = next(reader, None)
        if cells is None:
            return
        if not head:
            head = [cell.strip() for cell in cells]
            _check_head(path, head)
        elif any(cell.strip() for cell in cells):
            place = f"line {reader.line_num}"
            if len(cells) != len(head):
                raise ValueError(f"{path}, {place}, has {len(cells)} cells where the head has {len(head)}.")
            yield _row(dict(zip(head, cells, strict=True)), path, place)


def _check_head(path: Path, head: Sequence[str]) -> None:
    twice = [name for name, count in Counter(head).items() if count > 1 and name]
    if twice:
        raise ValueError(f"{path} has the column {twice[0]} twice.")
    if not _numbered(head) and not any(name in head for name in CAPTION):
        raise ValueError(f"{path} has no column of captions ({', '.join(CAPTION)}, or caption_1 and on).")


def _jsonl(path: Path, text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            with foreign(f"{path}, line {number}, is no JSON."):
                content = json.loads(line)
            yield _row(content, path, f"line {number}")


def _json(path: Path, text: str) -> Iterator[_Row]:
    with foreign(f"{path} is no JSON; a file with one object a line should end in .jsonl."):
        content = json.loads(text)
    if isinstance(content, dict):
        content = content.get("data")
    if not isinstance(content, list):
        raise ValueError(f'{path} holds no list of captions, neither by itself nor under "data".')
    for number, entry in enumerate(content, 1):
        yield _row(entry, path, f"entry {number}")


def _row(entry: Any, path: Path, place: str) -> _Row:
    if isinstance(entry, str):
        return _Row("", (_said(entry, path, place),))
    if not isinstance(entry, dict):
        raise ValueError(f"{path}, {place}, is neither a caption nor an object with one.")
    columns = _numbered(entry)
    if columns:
        found: Any = [entry[column] for column in columns]
    else:
        found = next((entry[name] for name in CAPTION if name in entry), None)
    captions = found if isinstance(found, list) and found else [found]
    said = tuple(_said(caption, path, place) for caption in captions)
    video = next((str(entry[name]).strip() for name in VIDEO if str(entry.get(name) or "").strip()), "")
    if video:
        return _of_video(video, entry, said, path, place)
    named = next((str(entry[name]).strip() for name in CLIP if str(entry.get(name) or "").strip()), "")
    file = PurePosixPath(named.replace("\\", "/")).name
    stem = re.sub(r"\.(wav|flac|ogg|mp3|m4a|opus|aac|aiff?|mp4|npy)$", "", file, flags=re.IGNORECASE)
    return _Row(stem, said)


def _of_video(video: str, entry: dict[str, Any], said: tuple[str, ...], path: Path, place: str) -> _Row:
    start = next((str(entry[name]).strip() for name in START if str(entry.get(name) or "").strip()), "")
    known = tuple(str(entry["audiocap_id"]).strip() for _ in range(1) if str(entry.get("audiocap_id") or "").strip())
    if not start:
        return _Row(video, said, known, (f"Y{video}",))
    with foreign(f"{path}, {place}, has the start {start!r}, which is no number of seconds."):
        whole = int(float(start))
    clip = f"{video}_{whole}"
    return _Row(clip, said, known, (f"Y{clip}", video, f"Y{video}"))


def _numbered(names: Any) -> list[str]:
    """caption_1, caption_2 and on, in their order."""
    found = [(int(name[len("caption_") :]), name) for name in names if re.fullmatch(r"caption_\d+", str(name))]
    return [name for _, name in sorted(found)]


def _said(caption: Any, path: Path, place: str) -> str:
    text = " ".join(caption.split()) if isinstance(caption, str) else ""
    if not text:
        raise ValueError(f"{path}, {place}, has no caption.")
    return text


def _named(path: Path, rows: Sequence[_Row]) -> tuple[Line, ...]:
    """The rows' captions, each with a name of its own."""
    each = Counter(row.clip for row in rows for _ in row.captions)
    seen: Counter[str] = Counter()
    lines: list[Line] = []
    for row in rows:
        for caption in row.captions:
            seen[row.clip] += 1
            stem = safe(row.clip) if row.clip else f"{len(lines) + 1:05d}"
            name = f"{stem}__{seen[row.clip]}" if row.clip and each[row.clip] > 1 else stem
            known = row.known if len(row.captions) == 1 else ()
            lines.append(Line(name, caption, row.clip, known, row.also))
    twice = [name for name, count in Counter(line.name.casefold() for line in lines).items() if count > 1]
    if twice:
        clips = sorted({line.clip for line in lines if line.name.casefold() == twice[0]})
        raise ValueError(f"{path} has clips whose files would have one name, {twice[0]}: {', '.join(clips)}.")
    return tuple(lines)
