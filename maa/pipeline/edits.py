"""What may be done to a part of a sound without a model, and the chain of everything that was done to a sound.

A chain is a list of steps in the settings of a file. A step is a JSON object: `operation`, `boxes` (rows of start s,
end s, low Hz, high Hz), `settings`, and `seed` where chance had a part in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maa.pipeline import checks
from maa.pipeline.options import SEEDS
from maa.pipeline.rows import regions
from maa.pipeline.setting import File, Number, OptionGroup, Rows, Switch, Whole, declare
from maa.pipeline.tasks import MAX_START

MOST_STEPS = 32  # of a chain
LARGEST = 1e12  # number of a step
MOST_BOXES = 1000  # that a step is described by
LEAST_GAIN, MOST_GAIN = -80.0, 36.0  # dB
FILL = "fill"  # the one operation that needs a model
Row = tuple[float, float, float, float]
Step = dict[str, Any]

# What a page calls them. `boost` is a gain either way.
OPERATIONS = {
    "boost": "Louder, softer (dB)", "silence": "Silence", "heal": "Heal from neighbours", "copy": "Copy to (s)",
    "move": "Move to (s)",
}  # fmt: skip
VALUED = {"boost": "gain", "copy": "copy_to", "move": "move_to"}  # operations that need a number, and its setting


def _second(what: str) -> Any:
    setting = Number(help=what, low=0.0, high=MAX_START, metavar="S", open="not at all")
    return declare(None, setting)


@dataclass(frozen=True)
class Edit(OptionGroup):
    """One edit of a sound's own spectrum: where, and what.

    Raises:
        ValueError: a value outside its range, or not exactly one thing to do.
    """

    boxes: tuple[tuple[float, ...], ...] = declare(
        (),
        Rows(
            help="a region to work on: start and end in seconds, lowest Hz, highest Hz",
            cells=lambda value: regions(value, 4), flag="box", metavar=("START", "END", "LOW", "HIGH"),
        ),
    )  # fmt: skip
    frames: tuple[tuple[float, ...], ...] = declare(
        (),
        Rows(
            help="a stretch of all frequencies to work on: start and end in seconds",
            cells=lambda value: regions(value, 2), metavar=("START", "END"),
        ),
    )  # fmt: skip
    mask: Any = declare(  # noqa: RUF009 - a dataclass field
        None, File(help="PNG, white = work on it and low notes at the bottom, or .npy [bands, frames]", metavar="FILE")
    )
    harmonics: bool = declare(False, Switch(help="each box around a fundamental, and its multiples with it"))
    gain: float | None = declare(
        None,
        Number(help="louder, or below 0 softer", low=LEAST_GAIN, high=MOST_GAIN, unit="dB", metavar="DB", open="as is"),
    )
    silence: bool = declare(False, Switch(help="nothing is left there"))
    heal: bool = declare(False, Switch(help="made from what lies before and behind it"))
    copy_to: float | None = _second("once more at this second, at the same frequencies")
    move_to: float | None = _second("at this second instead, at the same frequencies")
    seed: int = declare(0, Whole(help="of what healing leaves to chance", low=0, high=SEEDS - 1, metavar="N"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self._asked) != 1:
            raise ValueError("Say one thing to do: gain, silence, heal, copy-to or move-to.")

    @property
    def _asked(self) -> list[str]:
        given = {name: getattr(self, setting) is not None for name, setting in VALUED.items()}
        return [name for name, on in {**given, "silence": self.silence, "heal": self.heal}.items() if on]

    @property
    def operation(self) -> str:
        """One of `OPERATIONS`."""
        return self._asked[0]

    @property
    def regions(self) -> list[tuple[float, ...]]:
        """Every box and every stretch."""
        return [*self.boxes, *self.frames]

    def step(self, boxes: Sequence[Sequence[float]]) -> Step:
        """This edit as a step of a chain; `boxes` are what it worked on."""
        value = VALUED.get(self.operation)
        settings = {} if value is None else {value: getattr(self, value)}
        return _step(self.operation, boxes, settings, self.seed if self.heal else None)


def filled_step(settings: Mapping[str, Any], boxes: Sequence[Sequence[float]] | None = None) -> Step:
    """An inpainted take as a step of a chain.

    Args:
        settings: of the take.
        boxes: what was painted; None = the settings tell at least when.
    """
    left_out = ("chain", "painted", "report", "spans", "mask", "task", "seed", "takes", "clap_score", "input")
    plain = {name: value for name, value in settings.items() if name not in left_out and _is_plain(value)}
    if boxes is None:
        spans = settings.get("spans")
        boxes = [[*span, 0.0, 0.0] for span in spans] if isinstance(spans, list | tuple) else []
    seed = settings.get("seed")
    return _step(FILL, boxes, plain, seed if isinstance(seed, int) and not isinstance(seed, bool) else None)


def _step(operation: str, boxes: Sequence[Sequence[float]], settings: Mapping[str, Any], seed: int | None) -> Step:
    chance = {} if seed is None else {"seed": seed}
    rows = [list(box) for box in boxes]
    if len(rows) > MOST_BOXES:  # painted finely: when is told, and at which frequencies altogether
        rows = [[*(edge(column) for edge, column in zip((min, max, min, max), zip(*rows, strict=True), strict=True))]]
    return {"operation": operation, "boxes": rows, "settings": dict(settings), **chance}


def steps_in(settings: Mapping[str, Any] | None) -> list[Step]:
    """The chain that the settings of a file tell, that of an inpainted take with itself as the last step.

    Settings come from files and from other programs, so whatever is no step is passed over.
    """
    found: list[Step] = []
    given = (settings or {}).get("chain")
    for one in given if isinstance(given, list) else []:
        step = _known(one)
        if step is not None:
            found.append(step)
    if settings is not None and settings.get("task") == "inpaint":
        step = _known(filled_step(settings, _rows(settings.get("painted"))))
        found += [] if step is None else [step]
    return found[-MOST_STEPS:]


def _known(step: Any) -> Step | None:
    """A step as it should be; None where it is none."""
    if not isinstance(step, Mapping) or step.get("operation") not in (*OPERATIONS, FILL):
        return None
    boxes, settings, seed = _rows(step.get("boxes")), step.get("settings"), step.get("seed")
    if boxes is None or not isinstance(settings, Mapping) or len(settings) > 64:
        return None
    plain = {str(name)[: checks.SHOWN]: value for name, value in settings.items() if _is_plain(value)}
    if VALUED.get(str(step["operation"]), "") and not _is_number(plain.get(VALUED[str(step["operation"])])):
        return None
    return _step(str(step["operation"]), boxes, plain, seed if _is_number(seed) and isinstance(seed, int) else None)


def _rows(value: Any) -> list[Row] | None:
    if not isinstance(value, list | tuple) or len(value) > MOST_BOXES:
        return None
    rows = [tuple(map(float, row)) for row in value if isinstance(row, list | tuple) and all(map(_is_number, row))]
    return rows if len(rows) == len(value) and all(len(row) == 4 for row in rows) else None  # type: ignore[return-value]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= checks.MAX_PROMPT
    return value is None or isinstance(value, bool) or _is_number(value)


def step_sentence(step: Step) -> str:
    """A step for people, such as "Boost +6 dB, 2.00–2.50 s"."""
    settings, operation = step["settings"], step["operation"]
    value = settings.get(VALUED.get(operation, ""))
    prompt = settings.get("prompt")
    words = {
        "boost": lambda: f"{'Boost' if value > 0 else 'Attenuate'} {value:+g} dB".replace("-", "−"),
        "silence": lambda: "Silence",
        "heal": lambda: "Heal",
        "copy": lambda: f"Copy to {value:.2f} s",
        "move": lambda: f"Move to {value:.2f} s",
        FILL: lambda: f"Replace: {prompt}" if isinstance(prompt, str) and prompt else "Remove",
    }[operation]()
    spans = [row[:2] for row in step["boxes"]]
    when = f", {min(s for s, _ in spans):.2f}–{max(e for _, e in spans):.2f} s" if spans else ""
    return f"{words}{when}"


def check_room(steps: Sequence[object]) -> None:
    """Raise ValueError where a chain is as long as it may be."""
    if len(steps) >= MOST_STEPS:
        raise ValueError(
            f"A chain has at most {MOST_STEPS} edits; download this sound and give it anew to go on from there."
        )
