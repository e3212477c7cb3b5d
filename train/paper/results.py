"""What a table or a figure leaves behind, and what may be said of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from maa.aside import aside, write_text
from train.evaluation.distances import Value
from train.evaluation.harness import HarnessReport
from train.evaluation.harness_files import MELS, harness_csv, interval, number_text, plain

Row = dict[str, Any]  # cells by the name of their column: words, numbers, and Values
PUBLISHED = ("melception", "panns", "passt", "vggish")  # whose numbers papers print; they come first
HIGHER = ("IS", "CLAP", "1-MSE")  # of these, more is better


@dataclass(frozen=True)
class Result:
    """A table or a figure."""

    name: str
    title: str
    rows: list[Row]
    settings: dict[str, Any]  # JSON types
    draw: Callable[[Path], None]  # writes the picture
    says: list[str] = field(default_factory=list)  # what the rows show, and what they do not


def write_result(result: Result, folder: Path) -> str:
    """Write <name>.csv, <name>.png and <name>.json (one line); what a person reads comes back."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / f"{result.name}.csv", harness_csv([flat(row) for row in result.rows]))
    with aside(folder / f"{result.name}.png") as neighbour:
        result.draw(neighbour)
    content = {"name": result.name, "title": result.title, "settings": result.settings, "says": result.says}
    write_text(folder / f"{result.name}.json", json.dumps(plain(content), ensure_ascii=False) + "\n")
    return as_text(result)


def flat(row: Row) -> Row:
    """A row for CSV: a Value becomes three cells."""
    found: Row = {}
    for name, cell in row.items():
        if isinstance(cell, Value):
            found |= {name: cell.value, f"{name} low": cell.low, f"{name} high": cell.high}
        else:
            found[name] = cell
    return found


def as_text(result: Result) -> str:
    """Markdown: the rows, and what is said of them."""
    names = list(dict.fromkeys(name for row in result.rows for name in row))
    lines = [f"{result.title}", "", f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    lines += [f"| {' | '.join(cell(row.get(name, '')) for name in names)} |" for row in result.rows]
    return "\n".join([*lines, "", *(f"- {sentence}" for sentence in result.says)])


def cell(value: Any) -> str:
    """A cell for people."""
    if isinstance(value, Value):
        return f"{number_text(value.value)} ({interval(value)})"
    return number_text(value) if isinstance(value, float) else str(value)


def columns(report: HarnessReport, measures: Sequence[str]) -> Row:
    """The measures of a report, by whom they are taken: those that papers print first."""
    found: Row = {}
    for measure in measures:
        own = [one for one in report.scores if one.measure == measure]
        for one in sorted(own, key=lambda one: (one.by not in PUBLISHED, one.by)):
            found[column(measure, one.by)] = one.value
    return found


def column(measure: str, by: str) -> str:
    """The name of a column: only melception's are called as the paper's are."""
    if measure == "CLAP":
        return measure
    return f"{MELS[measure]}" if by == "melception" else f"{measure} {by}"


def better(name: str, a: float, b: float) -> bool:
    """Whether a is the better value of a column."""
    return a > b if name.split()[0] in HIGHER else a < b


def differences(rows: Sequence[Row], label: str) -> list[str]:
    """For each measured column, which row is best and from which no difference was seen.

    Args:
        label: the column that names a row.
    """
    found = []
    for name in dict.fromkeys(name for row in rows for name, one in row.items() if isinstance(one, Value)):
        known = [row for row in rows if isinstance(row.get(name), Value) and row[name].settled]
        if len(known) < 2:
            continue
        best = known[0]
        for row in known[1:]:
            best = row if better(name, row[name].value, best[name].value) else best
        same = [str(row[label]) for row in known if row is not best and row[name].overlaps(best[name])]
        apart = [str(row[label]) for row in known if row is not best and not row[name].overlaps(best[name])]
        told = [f"{name}: best is {best[label]}"]
        told += [f"no difference seen from {', '.join(same)} (intervals overlap)"] if same else []
        told += [f"better than {', '.join(apart)}"] if apart else []
        found.append("; ".join(told) + ".")
    return found


def order_seen(names: Sequence[str], values: Sequence[Value], rises: bool) -> str:
    """Whether values go one way from the first to the last, and whether the ends are apart."""
    way = "rises" if rises else "falls"
    steps = [(b.value - a.value) * (1 if rises else -1) for a, b in pairwise(values)]
    against = [f"{names[k]} to {names[k + 1]}" for k, step in enumerate(steps) if step < 0]
    ends = values[-1].value - values[0].value if rises else values[0].value - values[-1].value
    apart = (
        "the ends' intervals do not overlap" if not values[0].overlaps(values[-1]) else "no difference seen (overlap)"
    )
    turns = f", but not from {', '.join(against)}" if against else " at every step"
    return f"{way if ends > 0 else 'does not ' + way[:-1]} from {names[0]} to {names[-1]}{turns}; {apart}."
