"""What the harness leaves behind: a table for people, the same as CSV, everything as JSON, and a line for each clip."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from maa.aside import write_text
from train.evaluation.distances import Value
from train.evaluation.harness import HarnessReport, Scored

TITLES = {
    "aisfx": "aiSFX", "yamnet": "YAMNet", "clap": "this model's CLAP", "panns": "PANNs Cnn14", "vggish": "VGGish",
    "passt": "PaSST", "melception": "melception",
}  # fmt: skip
MELS = {"FD": "mel-FID", "KL": "mel-KL", "IS": "mel-IS", "KID": "mel-KID"}  # the paper's names
BETTER = {"IS": "↑", "CLAP": "↑"}
NAMES = ("harness.md", "harness.csv", "harness.json", "clips.csv")


def write_report(report: HarnessReport, folder: Path) -> str:
    """Write the four files; the table comes back."""
    folder.mkdir(parents=True, exist_ok=True)
    table = as_table(report)
    write_text(folder / "harness.md", table + "\n")
    write_text(folder / "harness.csv", harness_csv([_cells(one, report) for one in report.scores]))
    write_text(folder / "clips.csv", harness_csv(report.clips))
    content = {**report.about, "scores": [asdict(one) for one in report.scores]}
    write_text(folder / "harness.json", json.dumps(plain(content), indent=2, ensure_ascii=False) + "\n")
    return table


def remove_report(folder: Path) -> None:
    """Take away what an earlier run left, so that nothing old is read as the result of this one."""
    for name in NAMES:
        (folder / name).unlink(missing_ok=True)


def title(scored: Scored) -> str:
    """What a measure is called."""
    name = MELS[scored.measure] if scored.by == "melception" else scored.measure
    return f"{name} {BETTER.get(scored.measure, '↓')}"


def number_text(value: float) -> str:
    """Four digits that count, and a dash for none."""
    if not np.isfinite(value):
        return "–"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def interval(value: Value) -> str:
    """The 95 % interval."""
    return (
        f"{number_text(value.low)} to {number_text(value.high)}" if np.isfinite((value.low, value.high)).all() else "–"
    )


def as_table(report: HarnessReport) -> str:
    """Markdown: what was compared, the scores, and what was not measured."""
    about = report.about
    head = ("measure", "by", "value", "95 % interval", "sounds", "recordings")
    out = [*_heads(about), "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for one in report.scores:
        mark = "" if report.complete else " (part)"
        cells = (title(one) + mark, TITLES[one.by], number_text(one.value.value), interval(one.value))
        out.append(f"| {' | '.join(cells)} | {one.generated} | {one.reference or '–'} |")
    out += ["", *(f"- {title(one)} by {TITLES[one.by]}: {one.note}." for one in report.scores if one.note)]
    out += [f"- {TITLES[name]}: {why}." for name, why in about["absent"].items()]
    out.append("- Intervals: clips drawn again, each with its sounds. They say nothing of other seeds or trainings.")
    return "\n".join(out)


def _heads(about: dict[str, Any]) -> list[str]:
    """What was compared, in words."""
    out = []
    if not about["complete"]:
        wanted = about["generated"]["wanted"] or "?"
        there, gone = about["generated"]["files"], len(about["missing"])
        out.append(f"**INCOMPLETE: {there} of {wanted} sounds were scored, {gone} missing or unreadable:**")
        out += [f"- {sentence}" for sentence in about["missing"]]
    for side in ("generated", "reference"):
        one = about[side]
        if one is None:
            continue
        rates = ", ".join(f"{count} at {rate} Hz" for rate, count in one["rates"].items())
        channels = ", ".join(f"{n} with {count} channel(s)" for count, n in one["channels"].items())
        out.append(
            f"{side}: {one['folder']}, {one['files']} sounds of {one['clips']} clips, {one['shortest']:g} to "
            f"{one['longest']:g} s; {rates}; {channels}; list {one['sha256'][:16]}"
        )
        if one["of_other_rates"]:
            names = one["of_other_rates"]
            out.append(f"{side}: mixed rates; not as most: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}")
    if about["captions"]:
        one = about["captions"]
        out.append(f"captions: {one['file']}, {one['lines']} lines, {one['clips']} clips; list {one['sha256'][:16]}")
    first = f"everything at {about['rate']} Hz first" if about["rate"] else "each embedder from the file's own rate"
    cut = "whole files" if about["seconds"] is None else f"the first {about['seconds']:g} s"
    out.append(f"heard: {cut}, {first}; {about['resampling']}; {'pairs' if about['paired'] else 'not paired'}")
    out += [f"{TITLES[name]}: weights {one['sha256'][:16]}; {one['about']}" for name, one in about["embedders"].items()]
    return out


def _cells(one: Scored, report: HarnessReport) -> dict[str, Any]:
    return {
        "measure": title(one)[:-2],
        "by": one.by,
        "value": one.value.value,
        "low": one.value.low,
        "high": one.value.high,
        "sounds": one.generated,
        "recordings": one.reference,
        "complete": report.complete,
        "weights": report.about["embedders"][one.by]["sha256"][:16],
        "note": one.note,
    }


def harness_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV with a head; a cell that a row has not is empty. Nothing for no rows."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def plain(value: Any) -> Any:
    """Numbers of NumPy as Python's, and what is no number as None: JSON knows neither."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
