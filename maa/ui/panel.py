"""What the page says about the model: its name, what it can do, its licence, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from maa.pipeline.tasks import LABELS
from maa.ui.model import LoadingModel

LOADING = "Loading the model …"
HOW = (
    "To add a part, put its file into the model's folder under `checkpoints/`; for another model start with "
    "`python app.py --model NAME`. `checkpoints/README.md` says which file enables what."
)


def describe(model: LoadingModel) -> tuple[str, dict[str, str]]:
    """Wait for the model and describe it.

    Returns:
        One line of Markdown, and for each task the sentence that says what is missing ("" = it works).
    """
    try:
        pipeline = model.get()
    except ValueError as error:
        return f"**No model.** {error}", dict.fromkeys(LABELS, str(error))
    missing = {task: pipeline.capabilities()[task] or "" for task in LABELS}
    works = [name for task, name in LABELS.items() if not missing[task]]
    parts = [
        f"Model **{pipeline.name}**",
        "all tasks" if len(works) == len(LABELS) else ", ".join(works) or "no task works",
        f"{pipeline.config.audio.seconds:.1f} s at {pipeline.config.audio.sample_rate / 1000:g} kHz",
    ]
    terms = licence(model.card)
    if terms:
        card = "[model card](#model-panel)"
        parts.append(f"licences in the {card}" if terms == "other" else f"licence {terms} ({card})")
    return " · ".join(parts), missing


def hashes_of(hashes: Mapping[str, str], part: str) -> list[str]:
    """The hashes of a part's file, or of all files that it lies in."""
    file_of_it = re.compile(rf"{re.escape(part)}(-\d+-of-\d+)?\.safetensors")
    return [known for file, known in sorted(hashes.items()) if file_of_it.fullmatch(file)]


def card_of(model: LoadingModel) -> str:
    """The model card without its front matter; "" where there is none."""
    if model.card is None or not model.card.is_file():
        return ""
    return re.sub(r"\A---\n.*?\n---\n", "", model.card.read_text(encoding="utf-8"), flags=re.DOTALL)


def licence(card: Path | None) -> str | None:
    """The licence that a model card names in its front matter."""
    if card is None or not card.is_file():
        return None
    front = re.match(r"---\n(.*?)\n---", card.read_text(encoding="utf-8"), re.DOTALL)
    line = re.search(r"^license:\s*(\S.*)$", front.group(1) if front else "", re.MULTILINE)
    return line.group(1).strip().strip("'\"") if line else None


def table(model: LoadingModel) -> str:
    """The parts of the model and what it can do, as Markdown tables."""
    try:
        pipeline = model.get()
    except ValueError as error:
        return f"{error}\n\n{HOW}"
    rows = ["| task | state |", "|---|---|"]
    for task, sentence in pipeline.capabilities().items():
        rows.append(f"| {LABELS.get(task, task)} | {sentence or 'works'} |")
    parts = ["| part | parameters | weights |", "|---|---|---|"]
    inside = getattr(pipeline, "model", None)
    for name, network in (inside.networks() if inside else {}).items():
        count = sum(parameter.numel() for parameter in network.parameters())
        known = ", ".join(f"`{one[:16]}`" for one in hashes_of(inside.hashes, name)) if inside else ""
        parts.append(f"| {name} | {count / 1e6:.2f} M | {known} |")
    for name, sentence in (inside.missing if inside else {}).items():
        parts.append(f"| {name} | missing | {sentence} |")
    terms = licence(model.card)
    lines = [f"**{pipeline.name}**" + (f", weights `{inside.weights_hash}`" if inside else "")]
    if terms:
        lines.append(f"Licence: {terms}" + (" (the model card says which)" if terms == "other" else "") + ".")
    return "\n\n".join([" · ".join(lines), "\n".join(rows), "\n".join(parts), HOW])
