"""What a setting is: one field of an options class, with everything that any place needs to offer, check and name it.

The library checks with it, and the command line, the endpoints, the page, what a file remembers and the command that
makes a sound again are loops over the settings of a class.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from maa.pipeline import checks

if TYPE_CHECKING:
    from maa.config import ModelConfig

T = TypeVar("T")
PROMPTS, SOUND, ADVANCED, TAB = "prompts", "sound", "advanced", "tab"  # places of a page


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting. `field` and `default` are filled in by `settings_of`; `name` too, where it is the field's."""

    help: str  # a phrase, for the command line and the endpoints
    name: str = ""  # everywhere but in Python: argument, option, key of what a file remembers
    title: str = ""  # what messages call it; "" = its name
    label: str = ""  # of its control on the page
    info: str = ""  # a hint beside the control
    place: str = ""  # of the control; "" = there is none, or one of its own
    half: bool = False  # the control shares its row with a neighbour
    flag: str = ""  # of the command line, where it is not --name
    metavar: str | tuple[str, ...] | None = None
    only: tuple[str, ...] = ()  # the tasks whose command lines have it; () = all
    api: bool = True  # whether endpoints have it
    turn: int = 0  # among the arguments of an endpoint, whose order programs rely on: later ones come last
    always: bool = False  # said in a command also where it is the default
    required: bool = False  # no sound without it
    native: Callable[[ModelConfig], float] | None = None  # what None means for a model, where that is a number
    open: str = ""  # and in words
    free: str = ""  # name of the box on the page that leaves it to the model; "" = there is none
    known: Callable[[ModelConfig], bool] | None = None  # which models have it; None = all
    field: str = ""
    default: Any = None

    @property
    def called(self) -> str:
        """The name in messages."""
        return self.title or self.name

    @property
    def option(self) -> str:
        """The option of the command line."""
        return f"--{self.flag or self.name.replace('_', '-')}"

    @property
    def text(self) -> str:
        """What it is and what it may be, as a phrase."""
        return "; ".join(part for part in (self.help, self.range) if part)

    @property
    def range(self) -> str:
        """What it may be, as a phrase; "" where that goes without saying."""
        return ""

    def check(self, value: Any) -> Any:
        """The value as it should be, or ValueError. None stands for the default where that is None."""
        return None if value is None and self.default is None else self._check(value)

    def read(self, value: Any) -> Any:
        """The same for a value that came through JSON, which does not tell 25.0 from 25."""
        return self.check(value)

    def parse(self, text: str) -> Any:
        """The value that a cell of a table says."""
        return self.check(self._parse(text.strip()))

    def kept(self, value: Any) -> Any:
        """What of a value from a file or an event can be shown in a control; None where nothing can."""
        try:
            return None if value is None else self.read(value)
        except ValueError:
            return None

    def words(self, value: Any) -> list[str]:
        """The part of a command line that says this value."""
        return pair(self.option, value)

    def _check(self, value: Any) -> Any:
        raise NotImplementedError

    def _parse(self, text: str) -> Any:
        return text


@dataclass(frozen=True, kw_only=True)
class Number(Setting):
    """A number from `low` to `high`."""

    low: float
    high: float
    unit: str = ""
    says: str = ""  # what is said of a number that lies outside
    slider: tuple[float, float, float] | None = None  # least, most and step on the page; None = a field to type into

    @property
    def range(self) -> str:
        return f"{self.low:g} to {self.high:g}{' ' if self.unit else ''}{self.unit}"

    def _check(self, value: Any) -> Any:
        return checks.number(value, self.called, self.low, self.high, self.says)

    def _parse(self, text: str) -> Any:
        try:
            return float(text)
        except ValueError:
            return text  # which is said to be no number


@dataclass(frozen=True, kw_only=True)
class Whole(Number):
    """A whole number."""

    def _check(self, value: Any) -> Any:
        return checks.whole(value, self.called, int(self.low), int(self.high))

    def _parse(self, text: str) -> Any:
        value = super()._parse(text)
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def read(self, value: Any) -> Any:
        return self.check(int(value) if isinstance(value, float) and value.is_integer() else value)

    @property
    def range(self) -> str:
        return f"{int(self.low)} to {int(self.high)}"


@dataclass(frozen=True, kw_only=True)
class Choice(Setting):
    """One of several values."""

    choices: Callable[[], Mapping[Any, str]]  # value -> its label on the page
    radio: bool = False  # few enough to be seen at once

    def _check(self, value: Any) -> Any:
        choices = self.choices()
        if not isinstance(value, bool) and isinstance(value, numbers.Real) and all(isinstance(c, str) for c in choices):
            try:
                return checks.choice(f"{float(value):g}", self.called, choices)  # -23.0 means "-23"
            except OverflowError:
                pass
        return checks.choice(value, self.called, choices)

    @property
    def range(self) -> str:
        return "one of " + ", ".join(map(str, self.choices()))


@dataclass(frozen=True, kw_only=True)
class TextLine(Setting):
    """Text, such as a prompt."""

    placeholder: str = ""

    def _check(self, value: Any) -> Any:
        return checks.text(value, self.called)

    def read(self, value: Any) -> Any:
        return self.check("" if value is None else value)

    def kept(self, value: Any) -> Any:
        return super().kept(value[: checks.MAX_PROMPT] if isinstance(value, str) else None)


@dataclass(frozen=True, kw_only=True)
class TextList(Setting):
    """A list of texts, each said by an option of its own."""

    most: int  # texts

    @property
    def range(self) -> str:
        return f"at most {self.most}"

    def _check(self, value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) > self.most:
            raise ValueError(f"{self.called} must be a list of at most {self.most} texts, not {checks.shown(value)}.")
        return tuple(checks.text(one, f"text in {self.called}", needed=True) for one in value)

    def read(self, value: Any) -> Any:
        return self.check(() if value is None else value)

    def words(self, value: Any) -> list[str]:
        return [word for one in value for word in pair(self.option, one)]


@dataclass(frozen=True, kw_only=True)
class Switch(Setting):
    """True or false."""

    @property
    def option(self) -> str:
        name = self.flag or self.name.replace("_", "-")
        return f"--no-{name}" if self.default else f"--{name}"

    def _check(self, value: Any) -> Any:
        return checks.switch(value, self.called)

    def _parse(self, text: str) -> Any:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower(), text)

    def words(self, value: Any) -> list[str]:
        return [] if value == self.default else [self.option]


@dataclass(frozen=True, kw_only=True)
class Rows(Setting):
    """A list of rows, each said by an option of its own."""

    cells: Callable[[Any], list[Any]]  # the checked rows
    numbers: bool = True  # whether every cell is one

    def _check(self, value: Any) -> Any:
        return tuple(tuple(row) for row in self.cells(value))

    def words(self, value: Any) -> list[str]:
        said = [[_word(cell) for cell in self.cells_said(row)] for row in self.check(value)]
        return [word for row in said for word in (self.option, *row)]

    def cells_said(self, row: Any) -> Any:
        """A checked row as a command line has it: as many cells as the option takes."""
        return row


def _word(cell: Any) -> str:
    """A cell as a word of a command line, which takes one that begins with a dash for an option."""
    text = cell if isinstance(cell, str) else repr(cell)
    return f" {text}" if isinstance(cell, str) and text.startswith("-") else text


@dataclass(frozen=True, kw_only=True)
class Stretch(Number):
    """From one number to another, of which the first is the smaller one; None is all there is."""

    @property
    def range(self) -> str:
        return ""

    def _check(self, value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError(f"{self.called} must be a start and an end, not {checks.shown(value)}.")
        start, end = (checks.number(one, f"Each end of {self.called}", self.low, self.high) for one in value)
        if not start < end:
            raise ValueError(f"{self.called} must begin before it ends, not at {start:g} and {end:g}.")
        return start, end

    def _parse(self, text: str) -> Any:
        return [super(Stretch, self)._parse(one) for one in text.split()]

    def words(self, value: Any) -> list[str]:
        return [] if value is None else [self.option, *(_word(one) for one in value)]


@dataclass(frozen=True, kw_only=True)
class File(Setting):
    """A file that is given besides the one that is worked on; whoever opens it checks it."""

    def kept(self, value: Any) -> Any:
        return None  # no settings can name a file

    def _check(self, value: Any) -> Any:
        return value


def declare(default: Any, setting: Setting) -> Any:
    """A field of an options class."""
    return field(default=default, metadata={"setting": setting})


def settings_of(kind: Any) -> tuple[Setting, ...]:
    """The settings of an options class, in their order."""
    return _collected(kind)


@lru_cache(maxsize=64)
def _collected(kind: Any) -> tuple[Setting, ...]:
    found = []
    for one in dataclasses.fields(kind):
        setting: Setting = one.metadata["setting"]
        found.append(dataclasses.replace(setting, field=one.name, name=setting.name or one.name, default=one.default))
    return tuple(found)


class OptionGroup:
    """Base of all options: every value is checked, and becomes what it should be, when they are made."""

    def __post_init__(self) -> None:
        for setting in settings_of(type(self)):
            object.__setattr__(self, setting.field, setting.check(getattr(self, setting.field)))

    def to_settings(self) -> dict[str, Any]:
        """JSON types by their names, for the settings of a take."""
        return {setting.name: getattr(self, setting.field) for setting in settings_of(type(self))}

    def keywords(self) -> dict[str, Any]:
        """Every value by its name in Python."""
        return {setting.field: getattr(self, setting.field) for setting in settings_of(type(self))}


def read_options(kind: Callable[..., T], given: Mapping[str, Any]) -> T:
    """Options from values that came from outside, by their names; those that are missing keep their defaults.

    Raises:
        ValueError: one of them is not what it should be.
    """
    return kind(**{one.field: one.read(given[one.name]) for one in settings_of(kind) if one.name in given})


def pair(option: str, value: object) -> list[str]:
    """An option and its value as words of a command line; nothing where there is no value."""
    if value is None:
        return []
    text = str(value)
    return [f"{option}={text}"] if text.startswith("-") else [option, text]
