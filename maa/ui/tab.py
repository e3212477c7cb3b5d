"""What all tabs have in common: a request goes in, progress and takes come out. `wiring` connects the buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gradio.components import Component

from maa import checkpoint
from maa.pipeline import tasks
from maa.pipeline.options import Sampling
from maa.pipeline.setting import Setting, settings_of
from maa.pipeline.shaping import next_of
from maa.ui import files, lending, limits, originals, records, words
from maa.ui.controls import Controls, Wording
from maa.ui.errands import Errands
from maa.ui.jobs import Done, Jobs, OnStep, Progress
from maa.ui.limits import Ask
from maa.ui.model import LoadingModel
from maa.ui.results import Results, Take, sound_takes, subtype
from maa.ui.storage import STORAGE, VISITOR, size_of

if TYPE_CHECKING:
    from maa.config import AudioSpec
    from maa.pipeline import Generation, MakeAnAudio

Own = dict[str, Any]  # a tab's own inputs by name, as the page sent them


def as_asked(pipeline: MakeAnAudio, own: Own, ask: Ask, on_step: OnStep) -> Generation:
    """Most tasks: the pipeline is asked for it, with what was uploaded."""
    source = ask.task.source
    given = None if source is None else files.uploaded(own[source.name], source.what)
    return ask.task.run(pipeline, given, ask.sampling, on_step)


def as_sounds(generation: Generation, own: Own, ask: Ask, pipeline: MakeAnAudio) -> list[Take]:
    """The takes of most tasks: sound files."""
    return sound_takes(generation, ask.file_format, pipeline.config.audio, ask.rate)


@dataclass(frozen=True)
class TabTask:
    """What one tab asks of the pipeline.

    Args:
        asks: what may be asked of it.
        call: does it.
        takes: what it made, as files.
        frames: pictures to show, into a folder.
        output: how its files are written; None = they are clips.
        reads: by setting, what makes the value of the tab's own component one that the setting takes.
        shows: by setting, the other way round.
        sets: settings that its button sets, whatever the controls say.
        done: what is said of it when it is done.
    """

    asks: type[tasks.Task]
    call: Callable[[MakeAnAudio, Own, Ask, OnStep], Generation] = as_asked
    takes: Callable[[Generation, Own, Ask, MakeAnAudio], list[Take]] = as_sounds
    frames: Callable[[Generation, Own, Path], list[dict[str, Any]]] | None = None
    output: type[limits.Output] | None = limits.Output
    reads: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    shows: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    sets: Mapping[str, Any] = field(default_factory=dict)
    done: str = ""

    @property
    def name(self) -> str:
        """A key of `capabilities()`."""
        return self.asks.name

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Everything that may be asked of it."""
        written = (self.output,) if self.output is not None else ()
        kinds = (self.asks, *self.asks.more, Sampling, *written)
        return tuple(setting for kind in kinds for setting in settings_of(kind))

    def shown(self, name: str, value: Any) -> Any:
        """A setting's value as its component takes it."""
        show = {"heard": words.wanted, **self.shows}.get(name)
        return value if show is None else show(value)

    def ask(self, fields: Own) -> Ask:
        """A checked request from what a page or a program sent.

        Raises:
            ValueError: a value is of the wrong kind or outside its limits.
        """
        return limits.ask(self.asks, self.given(fields), self.output)

    def given(self, fields: Own) -> Own:
        """The values of a page's components, those among them that settings have otherwise as settings have them.

        Raises:
            ValueError: one of these is of the wrong kind.
        """
        changed = {name: read(fields[name]) for name, read in self.reads.items() if name in fields}
        changed |= {"heard": words.chosen(fields)} if "heard" in fields else {}
        return {**fields, **changed, **self.sets}


@dataclass(frozen=True)
class Made:
    """A finished job: the takes as files, and what the pipeline said about them."""

    generation: Generation
    takes: list[Take]
    more: dict[str, Any] = field(default_factory=dict)  # what else the results column shows


@dataclass(frozen=True)
class Desk:
    """The components of one tab, for what happens across tabs."""

    task: TabTask
    own: dict[str, Component]  # inputs that are sent with a request
    knobs: Controls
    shown: Results
    spec: AudioSpec

    @property
    def parts(self) -> dict[str, Component]:
        """Every component that is sent with a request, by name."""
        return {**self.own, **self.knobs.asked()}


class Workplace:
    """What every tab works with.

    Args:
        model: the pipeline.
        assets: folder with `examples.json`.
    """

    def __init__(self, model: LoadingModel, assets: Path) -> None:
        self.model = model
        self.assets = assets
        self.jobs = Jobs(wait=lending.lent())
        self.errands = Errands()
        self.desks: dict[str, Desk] = {}  # filled while the page is built
        self.run = lending.borrowing(self._run, lambda task, own, ask: lending.seconds_of(*_size(ask, model)))
        self.look = lending.borrowing(self._look, lambda *given: lending.START_SECONDS)

    def worded(self, wording: Wording) -> Wording:
        """The same with chips under the prompt."""
        return replace(wording, heard=partial(words.heard, sounds=words.known_to(self.model)))

    def _run(self, task: TabTask, own: Own, ask: Ask) -> Iterator[Progress | Done[Made]]:
        def work(on_step: OnStep) -> Made:
            pipeline = self.model.for_task(task.name)
            generation = task.call(pipeline, own, ask, on_step)
            takes = task.takes(generation, own, ask, pipeline)
            return recorded(task, Made(generation, takes), own, ask, pipeline)

        yield from self.jobs.run(work)

    def _look(self, task: str, ask: Callable[[MakeAnAudio, Any], Any], given: Any) -> Iterator[Any]:
        yield ask(self.model.for_task(task), given)


def _size(ask: Ask, model: LoadingModel) -> tuple[int, int, int]:
    windows = round((ask.seconds or 0) / model.config.audio.seconds) + 1
    return ask.sampling.steps, ask.sampling.count, windows


def perform(place: Workplace, task: TabTask, own: Own, ask: Ask) -> Iterator[Progress | Done[Made]]:
    """Run one request. The page and the endpoints both come through here.

    Raises:
        ValueError: the request cannot be met; the sentence is for the person who sent it.
    """
    visitor = VISITOR.get()
    refusal = STORAGE.refusal(visitor, 0)
    if refusal:
        raise ValueError(refusal)
    with closing(cast(Any, place.run(task, own, ask))) as events:
        for event in events:
            if isinstance(event, Done):
                STORAGE.add(visitor, sum(size_of(take.media.parent) for take in event.result.takes))
            yield event


def recorded(task: TabTask, made: Made, own: Own, ask: Ask, pipeline: MakeAnAudio) -> Made:
    """The same with a record beside every take, with the upload to compare with, and with what was looked at."""
    STORAGE.sweep()
    inside = getattr(pipeline, "model", None)
    address = checkpoint.address(pipeline.name, inside.folder if inside else None)
    kind = None if task.frames else subtype(made.generation, ask.file_format)
    kept = []
    for take in made.takes:
        view = {
            **take.view,
            "next": following(made, take),
            "subtype": kind,
            "resampled": ask.rate,
            "choice": ask.output.file_format,
        }
        folder = files.shelf() / view["id"]
        kept.append(replace(take, view=records.keep(folder, view, own, address, pipeline.config.audio)))
    original = originals.view_of_upload(made.generation, own, kept, pipeline.config.audio)
    more = {**made.more, "original": original}
    if task.frames:
        more["frames"] = task.frames(made.generation, own, kept[0].media.parent)
    return Made(made.generation, kept, more)


def following(made: Made, take: Take) -> str | None:
    """The id of the take of the next seed, which could stand at the side of this one; None where there is none."""
    generation = made.generation
    if generation.audio.shape[1] != 1 or generation.reports:
        return None
    other = next_of(generation.seeds, take.view["seed"])
    return None if other is None else str(made.takes[other].view["id"])
