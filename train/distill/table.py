"""The lines of Table 5: kept as CSV and picture, and for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from maa.aside import aside, write_text


@dataclass(frozen=True)
class TableRow:
    """A method on a data set. Scores are mean cosines, intervals 95 % over families of takes."""

    dataset: str
    method: str
    sounds: int
    score: float  # by the CLAP that only scores
    low: float
    high: float
    gain: float  # over the class label, sound by sound, by the same CLAP
    gain_low: float
    gain_high: float
    shuffled: float  # the same captions, each given to a sound of another label
    selecting: float  # by the CLAP that selects: for what it selected, too good
    agreement: float  # share whose caption is nearest to the sound's own label, by the text encoder alone
    agreement_low: float
    agreement_high: float


def table_csv(rows: Sequence[Sequence[object]]) -> str:
    """Rows as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def table_text(rows: Sequence[TableRow]) -> str:
    """The table for people."""
    lines = [f"{'data set':<21}{'method':<20}{'score by another CLAP':<24}{'gain over the label':<27}"]
    lines[0] += f"{'shuffled':<10}{'selecting CLAP':<16}label agreement"
    for row in rows:
        score = f"{row.score:.3f} [{row.low:.3f}, {row.high:.3f}]"
        gain = f"{row.gain:+.3f} [{row.gain_low:+.3f}, {row.gain_high:+.3f}]"
        agreement = f"{row.agreement:.1%} [{row.agreement_low:.1%}, {row.agreement_high:.1%}]"
        lines.append(
            f"{row.dataset:<21}{row.method:<20}{score:<24}{gain:<27}{row.shuffled:<10.3f}{row.selecting:<16.3f}{agreement}"
        )
    return "\n".join(lines)


def draw_table(rows: Sequence[TableRow], path: Path) -> None:
    """The table as a picture: scores with their intervals, shuffled captions beside them."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(row.dataset for row in rows))
    figure = Figure(figsize=(4.6 * len(names) + 2.2, 3.4), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
    for axes, name in zip(panels, names, strict=True):
        own = [row for row in rows if row.dataset == name][::-1]
        scores = np.array([row.score for row in own])
        reach = np.array([[row.score - row.low for row in own], [row.high - row.score for row in own]])
        axes.barh(range(len(own)), scores, color="#14938a", height=0.55, label="CLAP that did not select")
        axes.errorbar(scores, range(len(own)), xerr=reach, fmt="none", ecolor="#20262e", capsize=3)
        axes.plot([row.selecting for row in own], range(len(own)), "o", color="#c2571a", label="CLAP that selects")
        axes.plot([row.shuffled for row in own], range(len(own)), "x", color="#66717f", label="captions shuffled")
        axes.set_yticks(range(len(own)), [row.method for row in own])
        axes.set_title(f"{name}, {own[0].sounds} sounds", fontsize=10)
        axes.set_xlabel("mean CLAP score")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, fontsize=8, loc="outside lower center", ncols=3, frameon=False)
    with aside(path) as neighbour:
        figure.savefig(neighbour, dpi=150)


def save_table(rows: Sequence[TableRow], out: Path) -> None:
    """table5.csv and table5.png."""
    out.mkdir(parents=True, exist_ok=True)
    names = [field.name for field in fields(TableRow)]
    write_text(out / "table5.csv", table_csv([names, *(list(asdict(row).values()) for row in rows)]))
    draw_table(rows, out / "table5.png")
