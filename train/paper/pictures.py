"""The pictures of tables and figures, small enough for a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from train.evaluation.distances import Value
from train.paper.results import Row

DPI = 90
BLUE, ORANGE = "#3050a0", "#d07020"


def _spread(values: Sequence[Value]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values [N], and how far their intervals reach down and up [2, N]; nothing where there is none."""
    middle = np.array([one.value for one in values])
    reach = np.array([[one.value - one.low, one.high - one.value] for one in values]).T.reshape(2, -1)
    return middle, np.nan_to_num(reach).clip(0)


def points(rows: Sequence[Row], label: str, path: Path, most: int = 6) -> None:
    """One panel for each measured column, a point with its interval for each row."""
    names = list(dict.fromkeys(name for row in rows for name, one in row.items() if isinstance(one, Value)))[:most]
    count = max(1, len(names))
    figure = Figure(figsize=(2.6 * count + 1, 0.35 * len(rows) + 1.3))
    axes = figure.subplots(1, count, squeeze=False, sharey=True)
    for name, axis in zip(names, axes[0][: len(names)], strict=True):
        shown = [(k, row[name]) for k, row in enumerate(rows) if isinstance(row.get(name), Value)]
        middle, reach = _spread([value for _, value in shown])
        axis.errorbar(middle, [k for k, _ in shown], xerr=reach, fmt="o", color=BLUE, capsize=3)
        axis.set_title(name, fontsize=9)
        axis.grid(axis="x", alpha=0.3)
    axes[0][0].set_yticks(range(len(rows)), [str(row[label]) for row in rows], fontsize=8)
    axes[0][0].invert_yaxis()
    _save(figure, path)


def two_curves(x: Sequence[float], left: tuple[str, Sequence[Value]], right: tuple[str, Sequence[Value]], what: str,
               path: Path) -> None:  # fmt: skip
    """Two measures over one quantity, each with its own axis and band."""
    figure = Figure(figsize=(5, 3.4))
    first = figure.subplots()
    second = first.twinx()
    for axis, (name, values), colour in ((first, left, BLUE), (second, right, ORANGE)):
        middle, reach = _spread(values)
        axis.plot(x, middle, "o-", color=colour, label=name)
        axis.fill_between(x, middle - reach[0], middle + reach[1], color=colour, alpha=0.2, lw=0)
        axis.set_ylabel(name, color=colour)
    first.set_xlabel(what)
    _save(figure, path)


def one_over_the_other(
    names: Sequence[str], x: tuple[str, Sequence[Value]], y: tuple[str, Sequence[Value]], path: Path
) -> None:
    """A trade-off: one measure over another, a point for each setting."""
    figure = Figure(figsize=(4.6, 3.4))
    axis = figure.subplots()
    (across, left), (up, down) = _spread(x[1]), _spread(y[1])
    axis.errorbar(across, up, xerr=left, yerr=down, fmt="o-", color=BLUE, ecolor="#b0bcd8", capsize=2)
    for name, a, b in zip(names, across, up, strict=True):
        axis.annotate(name, (a, b), textcoords="offset points", xytext=(5, 5), fontsize=8)
    axis.set_xlabel(x[0])
    axis.set_ylabel(y[0])
    axis.grid(alpha=0.3)
    _save(figure, path)


def mels(
    grid: Sequence[Sequence[NDArray[np.floating]]], heads: Sequence[str], sides: Sequence[str], path: Path
) -> None:
    """log10 mels [mels, frames] in rows and columns; NaN is left white."""
    figure = Figure(figsize=(2.6 * len(heads), 1.2 * len(grid) + 0.4))
    axes = figure.subplots(len(grid), len(heads), squeeze=False)
    for row, (pictures, side) in enumerate(zip(grid, sides, strict=True)):
        for column, mel in enumerate(pictures):
            axis = axes[row][column]
            axis.imshow(mel, origin="lower", aspect="auto", cmap="magma", vmin=-4, vmax=1, interpolation="nearest")
            axis.set_xticks([])
            axis.set_yticks([])
            if row == 0:
                axis.set_title(heads[column], fontsize=8)
        axes[row][0].set_ylabel(side, fontsize=8)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
