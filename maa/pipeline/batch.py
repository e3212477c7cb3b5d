"""Many sounds from a list: prompts one a line, or a table with a column for each setting, times a grid of values.

A batch is a folder. Its `batch.json` says what it consists of and `sounds.csv` what each file is; a sound is made when
its file is not there yet, and files are there whole or not at all, so a batch that was cut off goes on where it was.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maa.aside import write_text
from maa.audio.tags import read_tags
from maa.pipeline.options import SEEDS, Sampling, fresh_seed
from maa.pipeline.setting import Rows, Setting, TextList, read_options, settings_of
from maa.pipeline.tasks import Personalize, Task, Text

MOST = 10_000  # sounds of a batch
MAX_BYTES = 2**24  # of a list
STATE, TABLE = "batch.json", "sounds.csv"
INPUT = "input"  # the column of a table that names a sound of the user's own
SLUG = 40  # letters of a prompt in a file's name


@dataclass(frozen=True)
class Request:
    """One sound of a batch."""

    line: int  # of the list, counted from 1
    task: Task
    sampling: Sampling  # with its seed
    source: Path | None  # the user's own sound, which is personalised
    name: str  # of the file, without its ending


def read_prompts(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line numbers and what each line says, by the names of settings: of a .csv with a header, or prompts alone.

    Raises:
        ValueError: the file is not there, no text, too long, empty, or has a column without a name.
    """
    if not path.is_file():
        raise ValueError(f"There is no file {path}.")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} is larger than {MAX_BYTES // 2**20} MB; a list has at most {MOST:,} lines.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8; save it as such.") from error
    return prompts_in(text, str(path), table=path.suffix.lower() == ".csv")


def prompts_in(text: str, called: str, *, table: bool) -> list[tuple[int, dict[str, str]]]:
    """The same of a text; `called` is its name in messages, `table` whether it has a header.

    Raises:
        ValueError: as `read_prompts`.
    """
    if table:
        found = list(_table(called, text))
    else:
        found = [(number, {"prompt": line.strip()}) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not found:
        raise ValueError(f"{called} has no prompts; write one a line, or a table with a column prompt.")
    return found


def typed_values(text: str, axis: str) -> list[str]:
    """The values of an axis as a person types them: "2, 4, 6"; prompts, which have commas, by lines or semicolons."""
    apart = r"[;\n]" if axis == "prompt" else r"[,;\n]"
    return list(dict.fromkeys(value.strip() for value in re.split(apart, text) if value.strip()))


def _table(path: str, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True, strict=True)
    try:
        table_columns = [(name or "").strip().lower() for name in rows.fieldnames or ()]
        if "prompt" not in table_columns or len(set(table_columns)) < len(table_columns):
            raise ValueError(f"{path} needs a header that names each column once, one of them prompt.")
        rows.fieldnames = table_columns
        for row in rows:
            if None in row:
                raise ValueError(f"{path}, line {rows.line_num}: there are more cells than columns; quote commas.")
            said = {name: value.strip() for name, value in row.items() if value and value.strip()}
            if said:
                yield rows.line_num, said
    except csv.Error as error:
        raise ValueError(f"{path}, line {rows.line_num}: {error}.") from error


def batch_requests(
    rows: Sequence[tuple[int, Mapping[str, str]]],
    common: Mapping[str, Any],
    axes: Mapping[str, Sequence[str]],
    folder: Path,
    seed: int,
) -> list[Request]:
    """Every sound of a batch, all of it checked before the first is made.

    Args:
        rows: as `read_prompts` gives them.
        common: settings of all, by name; a line's own come first.
        axes: a grid, name to values: each line is made with every combination.
        folder: where the sounds that a column `input` names are looked for.
        seed: of the first line, where a line says none; line k has k more.

    Raises:
        ValueError: a value that a setting cannot have, with its line; too many sounds.
    """
    count = len(rows)
    for values in axes.values():
        count *= len(values)
    if count > MOST:
        raise ValueError(f"These are {count:,} sounds; a batch has at most {MOST:,}.")
    found: list[Request] = []
    digits = max(3, len(str(count)))
    for index, (line, said) in enumerate(rows):
        for values in itertools.product(*axes.values()):
            cell = dict(zip(axes, values, strict=True))
            try:
                given = {"seed": (seed + index) % SEEDS, **common, **_parsed({**said, **cell})}
                found.append(_request(line, given, cell, folder, f"{len(found) + 1:0{digits}d}"))
            except ValueError as error:
                raise ValueError(f"line {line}: {error}") from error
    return found


def _request(line: int, given: Mapping[str, Any], cell: Mapping[str, str], folder: Path, number: str) -> Request:
    source = folder / str(given[INPUT]) if given.get(INPUT) else None
    if source is not None and not source.is_file():
        raise ValueError(f"there is no file {source}.")
    kind: type[Task] = Text if source is None else Personalize
    known = {setting.name for group in (kind, Sampling) for setting in settings_of(group)}
    unknown = [name for name in given if name not in known and name != INPUT]
    if unknown:
        raise ValueError(f"{unknown[0]} is {'for' if source is None else 'not for'} lines that name an {INPUT}.")
    if not str(given.get("prompt", "")).strip():
        raise ValueError("there is no prompt.")
    task, sampling = read_options(kind, given), read_options(Sampling, given)
    words = [number, slug(str(given["prompt"])), f"s{sampling.seed}"]
    words += [f"{name}{slug(value)}" for name, value in cell.items() if name not in ("seed", "prompt")]
    return Request(line, task, sampling, source, "_".join(word for word in words if word))


def table_columns() -> dict[str, Setting]:
    """What a table may have a column for, and a grid an axis of."""
    every = (*settings_of(Text), *settings_of(Personalize), *settings_of(Sampling))
    return {one.name: one for one in every if not isinstance(one, Rows | TextList)}


def _parsed(said: Mapping[str, str]) -> dict[str, Any]:
    known = table_columns()
    unknown = [name for name in said if name not in known and name != INPUT]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no setting; there are {', '.join([*known, INPUT])}.")
    return {name: known[name].parse(text) if name in known else text for name, text in said.items()}


def slug(text: str) -> str:
    """A text as a part of a file's name: letters, figures, points and dashes; "" where nothing is left."""
    plain = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    return plain[:SLUG].rstrip("-.")


def open_batch(folder: Path, settings: Mapping[str, Any], seed: int | None) -> int:
    """Make the folder of a batch, or go on with it; gives the seed of its first line.

    Args:
        settings: JSON types; all that decides what is made, but for an open seed.
        seed: None = one of the folder's own.

    Raises:
        ValueError: the folder holds another batch, or something else.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    state = folder / STATE
    if not state.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"{folder} is there already and holds no batch; choose a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
        chosen = fresh_seed() if seed is None else seed
        write_text(state, json.dumps({"digest": digest, "seed": chosen, "settings": settings}, indent=1) + "\n")
        return chosen
    try:
        document = json.loads(state.read_text(encoding="utf-8"))
        there, chosen = document["digest"], int(document["seed"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{state} is damaged; choose a new folder.") from error
    if there != digest or (seed is not None and seed != chosen):
        raise ValueError(f"{folder} holds another batch; choose a new folder, or ask for the very same again.")
    return chosen


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """A .csv of what each file is, whole or not at all."""
    table_columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, table_columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def table_row(path: Path, name: str) -> dict[str, Any]:
    """The row of a sound in that table, plain values only: what the file says of itself, and what it is called."""
    tags = read_tags(path) or {}
    plain = {key: value for key, value in tags.items() if isinstance(value, str | int | float | bool)}
    return {"file": name, **plain, "heard": json.dumps(tags["heard"]) if "heard" in tags else ""}
