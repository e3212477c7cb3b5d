"""What `train.distill` writes: a folder of captions and, in `sounds`, the sounds they belong to.

captions-<i>-of-<n>.jsonl is a shard. Its first line says what was asked: {"experts", "clap", "threshold", "rate",
"shard", "sounds": how many lines follow, …}. Each other line is a sound:

{"id", "path": below `sounds`, "dataset", "split", "seconds", "caption": the one that is kept or null,
 "candidates": [{"caption", "expert", "score"}, …]}, and "problem" in place of "seconds" where it could not be heard;
"origin" and "span" where its data set says which stretch of what it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from train.data.records import Record, captions, inside

SOUNDS = "sounds"  # a link to where the sounds lie
Line = dict[str, Any]


def distilled(root: Path) -> Iterator[Record]:
    """The sounds of a folder whose caption was kept, as a captioned data set.

    Raises:
        ValueError: a shard is missing, damaged, not at its end, or was asked for something else than the others.
    """
    for line in read_all(root)[1]:
        if line["caption"] is not None:
            path = inside(root, SOUNDS, line["path"])
            origin, span = (tuple(line[name]) if line.get(name) else None for name in ("origin", "span"))
            said, split = captions(line["caption"]), line["split"]
            yield Record(line["dataset"], line["id"], path, said, (), split, span=span, origin=origin)


def shard_file(out: Path, shard: tuple[int, int]) -> Path:
    """Where one shard's captions are."""
    return out / f"captions-{shard[0]:05d}-of-{shard[1]:05d}.jsonl"


def shards(out: Path) -> list[Path]:
    """The files of all shards, in order.

    Raises:
        ValueError: there is none, or not all of them.
    """
    found = sorted(out.glob("captions-*-of-*.jsonl"))
    if not found:
        raise ValueError(f"There is no captions-….jsonl in {out}; make some with `python -m train.distill run`.")
    count = int(found[0].stem.rpartition("-")[2])
    wanted = [shard_file(out, (k, count)) for k in range(count)]
    if found != wanted:
        odd = sorted({path.name for path in {*found} ^ {*wanted}})
        raise ValueError(f"The shards in {out} do not belong together: see {', '.join(odd[:3])}.")
    return found


def read_all(out: Path) -> tuple[list[Line], list[Line]]:
    """The heads and the lines of all shards.

    Raises:
        ValueError: a shard is missing, not at its end, or was asked for something else than the others.
    """
    heads, lines = [], []
    for path in shards(out):
        head, own = read_ledger(path)
        if len(own) != head.get("sounds"):
            raise ValueError(f"{path} has {len(own)} of {head.get('sounds')} sounds; run this shard to its end first.")
        heads.append(head)
        lines += own
    plain = [{key: value for key, value in head.items() if key not in ("shard", "sounds")} for head in heads]
    if any(one != plain[0] for one in plain):
        raise ValueError(f"The shards in {out} were made with different options; run them all with the same.")
    return heads, lines


def read_ledger(path: Path) -> tuple[Line, list[Line]]:
    """The first line and the others, but for one that has no end.

    Raises:
        ValueError: it is no such file, is damaged, or has a sound twice.
    """
    data = path.read_bytes()
    lines: list[Line] = []
    for number, text in enumerate(data[: whole_lines(data)].split(b"\n")[:-1], 1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise ValueError(
                f"{path} is damaged in line {number}; delete that line, and run the shard again."
            ) from error
        if not isinstance(line, dict) or (number > 1 and not isinstance(line.get("id"), str)):
            raise ValueError(f"{path} is no file of captions: line {number} has no id.")
        lines.append(line)
    if not lines:
        raise ValueError(f"{path} is empty; delete it, and run the shard again.")
    ids = [line["id"] for line in lines[1:]]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{path} has a sound twice; delete it, and run the shard again.")
    return lines[0], lines[1:]


def whole_lines(data: bytes) -> int:
    """Bytes up to the last end of a line."""
    return data.rfind(b"\n") + 1
