"""The tabs, in their order: what each one's endpoint does, and what lays it out. The page and the endpoints read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maa.ui import image, inpaint, personalize, text, video
from maa.ui.tab import TabTask, Workplace


@dataclass(frozen=True)
class Tab:
    """One task in the page and for programs."""

    task: TabTask  # as programs ask for it
    build: Callable[[Workplace], None]


TABS: dict[str, Tab] = {
    tab.task.name: tab
    for tab in (
        Tab(text.TASK, text.build),
        Tab(image.TASK, image.build),
        Tab(video.TASK, video.build),
        Tab(personalize.TASK, personalize.build),
        Tab(inpaint.BOX_TASK, inpaint.build),
    )
}
