"""Sound from pictures and clips (Sec. 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from maa.checkpoint import Model
from maa.pipeline import conditioning
from maa.pipeline.engine import Engine
from maa.pipeline.events import SHORTEST, Event
from maa.pipeline.finishing import Wish
from maa.pipeline.leading import Prompts
from maa.pipeline.options import Sampling
from maa.pipeline.result import Generation
from maa.pipeline.seen import Seen
from maa.pipeline.steps import OnStep


def heard(model: Model, windows: Sequence[Seen]) -> tuple[Event, ...]:
    """What a clip is heard as, as events one after another: the words of every window until the next one begins.

    Neighbours that are heard as the same are one event; windows that are heard as nothing have none.
    """
    found: list[Event] = []
    for number, window in enumerate(windows):
        said = conditioning.caption(conditioning.describe_pictures(model, list(window.pictures)))
        last = number + 1 == len(windows)
        start, end = round(window.start, 3), round(window.end if last else windows[number + 1].start, 3)
        if not said or end - start < SHORTEST:
            continue
        if found and found[-1].text == said and found[-1].end == start:
            found[-1] = replace(found[-1], end=end)
        else:
            found.append(Event(said, start, end))
    return tuple(found)


def from_pictures(
    model: Model,
    engine: Engine,
    pictures: Sequence[Seen],
    sampling: Sampling,
    prompts: Prompts,
    more: dict[str, Any],
    how: tuple[float | None, Wish, OnStep | None],
) -> Generation:
    """Takes by a network that looks at the pictures, else by the text network and their caption.

    Args:
        model: names what is heard in the pictures.
        engine: makes the sound.
        pictures: of every window.
        sampling: how to sample.
        prompts: what to hear instead of what is seen, and what not.
        more: joins the settings; its "task" is the task.
        how: seconds, how the takes should leave, and what is called after every step.
    """
    seconds, wish, on_step = how
    sampling = engine.settled(sampling)
    found = conditioning.of_pictures(model, engine.model, pictures, prompts)
    settings = engine.settings(more["task"], sampling, prompts)
    settings |= {"heard_as": [[word, round(weight, 4)] for word, weight in found.words], **more}
    settings |= {"input": conditioning.digest_of_pictures(pictures)}
    made = engine.generate(
        found.contexts, sampling, seconds, settings, on_step, replace(wish, scored_by=found.scored_by)
    )
    return replace(made, words=tuple(found.words))
