"""Dataclasses from and to plain JSON types, strictly: unknown names and wrong types are named."""

from __future__ import annotations

import dataclasses
import json
import reprlib
import types
import typing
from collections.abc import Iterable
from typing import Any, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints


class _Described(Protocol):
    """Goes to plain JSON types and back."""

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Any: ...


Described = TypeVar("Described", bound=_Described)
MOST = 1_000_000  # of any number in a description; sizes beyond it are damage


def to_plain(value: Any) -> Any:
    """Tuples to lists, all the way down."""
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def changed(value: Described, changes: Iterable[str]) -> Described:
    """A described dataclass with other values, such as `unet.channels=64`, checked as a description from elsewhere is.

    Args:
        value: has `to_json` and `from_json`.
        changes: each a path of names, "=" and JSON; what is no JSON is text.

    Raises:
        ValueError: there is no such name, or the value is none that it can have.
    """
    data = value.to_json()
    for change in changes:
        path, equals, text = change.partition("=")
        *owners, name = path.split(".")
        part: Any = data
        for owner in owners:
            part = part.get(owner) if isinstance(part, dict) else None
        if not equals or not isinstance(part, dict) or name not in part:
            raise ValueError(f"{reprlib.repr(change)} changes nothing; write it as unet.channels=64.")
        try:
            part[name] = json.loads(text)
        except json.JSONDecodeError:
            part[name] = text
    return typing.cast(Described, value.from_json(data))


def from_plain(cls: type, data: Any, where: str) -> Any:
    """One dataclass from a JSON object, strictly: a config from elsewhere must not half-fit."""
    if not isinstance(data, dict):
        raise ValueError(f"{where} should be an object, not {type(data).__name__}.")
    hints = get_type_hints(cls)
    known = {f.name: f for f in dataclasses.fields(cls) if f.init}
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise ValueError(f"{where} has unknown entries: {', '.join(unknown)}.")
    values = {name: _value(hints[name], value, f"{where}.{name}") for name, value in data.items()}
    try:
        return cls(**values)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) in (typing.Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        if value is None:
            return None
        if len(options) == 1:
            return _value(options[0], value, where)
        kinds = {option().kind: option for option in options}  # parts that come in kinds name themselves
        kind = value.get("kind", next(iter(kinds))) if isinstance(value, dict) else None
        if kind not in kinds:
            raise ValueError(f"{where}.kind should be one of {', '.join(sorted(kinds))}.")
        return from_plain(kinds[kind], value, where)
    if dataclasses.is_dataclass(hint):
        return from_plain(typing.cast(type, hint), value, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{where} should be a list.")
        return tuple(_value(type(one), one, where) if isinstance(one, int | float) else one for one in value)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ValueError(
                f"{where} should be one of {', '.join(map(str, get_args(hint)))}, not {reprlib.repr(value)}."
            )
        return value
    wanted = (int, float) if hint is float else (hint,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and hint is not bool):
        raise ValueError(f"{where} should be {hint.__name__}, not {reprlib.repr(value)}.")
    if hint in (int, float) and not -MOST <= value <= MOST:  # neither is NaN
        raise ValueError(f"{where} should be a number up to {MOST:,}, not {reprlib.repr(value)}.")
    return hint(value)
