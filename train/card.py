"""The numbers of a run as a table for the model card, read from the stages' own logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

STAGES = {"autoencoder": "autoencoder", "vocoder": "vocoder", "clap": "clap", "diffusion": "unet"}  # folder: its file
HEAD = "| part | start | steps | minutes | device | last losses |\n|---|---|---|---|---|---|"


def card(runs: Path, config: str) -> str:
    """Write `<runs>/card.md` and return its text: one row per stage that ran, and how the run was configured."""
    rows = [_row(stage, runs / stage / f"{name}.log.jsonl") for stage, name in STAGES.items()]
    rows = [row for row in rows if row]
    text = "\n".join([f"Configuration `{config}`.", "", HEAD, *rows]) + "\n"
    (runs / "card.md").write_text(text, encoding="utf-8")
    return text


def _row(stage: str, log: Path) -> str:
    if not log.is_file():
        return ""
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    options = [line["options"] for line in lines if "options" in line]
    losses = [line for line in lines if "step" in line]
    if not options or not losses:
        return ""
    last = losses[-1]
    start = Path(options[0]["start"]).parent.name if options[0].get("start") not in (None, "None") else "random"
    shown = ", ".join(f"{key} {value:.3g}" for key, value in last.items() if key not in ("step", "minutes", "lr"))
    device = options[-1].get("device", "unknown")
    return f"| `{stage}` | {start} | {last['step']} | {last['minutes']:.0f} | {device} | {shown} |"
