"""What the page says about the model: its name, what it can do, its licence, and what is missing."""

from __future__ import annotations

import re
from pathlib import Path

from maa.ui.model import Model

TASKS = {
    "text": "Text",
    "image": "Image",
    "video": "Video",
    "personalize": "Personalise",
    "inpaint": "Inpaint",
}
LOADING = "Loading the model …"


def describe(model: Model) -> tuple[str, dict[str, str]]:
    """Wait for the model and describe it.

    Returns:
        One line of Markdown, and for each task the sentence that says what is missing ("" = it works).
    """
    try:
        pipeline = model.get()
    except ValueError as error:
        return f"**No model.** {error}", dict.fromkeys(TASKS, str(error))
    missing = {task: pipeline.capabilities()[task] or "" for task in TASKS}
    works = [name for task, name in TASKS.items() if not missing[task]]
    parts = [
        f"Model **{pipeline.config.name}**",
        "all five tasks" if len(works) == len(TASKS) else ", ".join(works) or "no task works",
        f"{pipeline.config.audio.seconds:.1f} s at {pipeline.config.audio.sample_rate / 1000:g} kHz",
    ]
    terms = licence(model.card)
    if terms:
        parts.append(f"licence {terms}")
    return " · ".join(parts), missing


def licence(card: Path | None) -> str | None:
    """The licence that a model card names in its front matter."""
    if card is None or not card.is_file():
        return None
    front = re.match(r"---\n(.*?)\n---", card.read_text(encoding="utf-8"), re.DOTALL)
    line = re.search(r"^license:\s*(\S.*)$", front.group(1) if front else "", re.MULTILINE)
    return line.group(1).strip().strip("'\"") if line else None
