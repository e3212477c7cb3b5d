"""A gross of damaged, renamed and hostile files: nothing is executed, nothing half-written, every reason is named."""

from __future__ import annotations

import io
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from maa.official.convert import Choices, convert
from maa.official.pickles import read_tensors
from tests.official.files import document, importable, write

MARK = "MAA_TEST_WAS_HERE"


class Bomb:
    """Pickles as a call of some function, the way an attacker would."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


BOMBS = {
    "os.system": lambda path: Bomb(os.system, f"touch {path}"),
    "os.mkdir": lambda path: Bomb(os.mkdir, str(path)),
    "eval": lambda path: Bomb(eval, f"__import__('pathlib').Path({str(path)!r}).touch()"),
    "exec": lambda path: Bomb(exec, f"__import__('pathlib').Path({str(path)!r}).touch()"),
    "open": lambda path: Bomb(open, str(path), "w"),
    "touch": lambda path: Bomb(Path.touch, path),
    "getattr": lambda path: Bomb(getattr, path, "touch"),
    "import": lambda path: Bomb(__import__, "antigravity"),
    "torch.save": lambda path: Bomb(torch.save, {}, str(path)),
    "pickle.loads": lambda path: Bomb(pickle.loads, pickle.dumps(Bomb(os.mkdir, str(path)))),
}


def truncated(data: bytes, dice: random.Random, path: Path) -> bytes:
    return data[: dice.randrange(len(data))]


def flipped(data: bytes, dice: random.Random, path: Path) -> bytes:
    """Bytes changed inside the pickle, which comes first in the file."""
    changed = bytearray(data)
    start = data.index(b"data.pkl")
    for _ in range(dice.randint(8, 40)):
        changed[start + dice.randrange(3000)] = dice.randrange(256)
    return bytes(changed)


def noise(data: bytes, dice: random.Random, path: Path) -> bytes:
    return dice.randbytes(dice.randrange(1, 5000))


def tensors(change: Callable[[dict[str, Any], random.Random], None]) -> Callable[[bytes, random.Random, Path], bytes]:
    """The same file with its tensors changed."""

    def mutate(data: bytes, dice: random.Random, path: Path) -> bytes:
        content = document("text")
        change(content["state_dict"], dice)
        return _saved(content)

    return mutate


def _saved(content: Any) -> bytes:
    stream = io.BytesIO()
    with importable(content):
        torch.save(content, stream)
    return stream.getvalue()


def _pick(state: dict[str, Any], dice: random.Random) -> str:
    spared = ("alphas_cumprod", "scale_factor", "position_ids")
    return dice.choice([name for name in state if not name.endswith(spared)])


def renamed(state: dict[str, Any], dice: random.Random) -> None:
    name = _pick(state, dice)
    state[name.replace("model", "modul", 1) + ("_" if "model" not in name else "")] = state.pop(name)


def dropped(state: dict[str, Any], dice: random.Random) -> None:
    del state[_pick(state, dice)]


def added(state: dict[str, Any], dice: random.Random) -> None:
    state[f"{_pick(state, dice)}.more"] = torch.zeros(1)


def reshaped(state: dict[str, Any], dice: random.Random) -> None:
    name = _pick(state, dice)
    state[name] = torch.zeros(*state[name].shape, 2) if dice.random() < 0.5 else torch.zeros(3, 3)


def retyped(state: dict[str, Any], dice: random.Random) -> None:
    name = _pick(state, dice)
    kinds = (torch.int32, torch.bool, torch.complex64, torch.float64, torch.uint8)
    state[name] = state[name].to(dice.choice(kinds))


def spoiled(state: dict[str, Any], dice: random.Random) -> None:
    name = _pick(state, dice)
    state[name] = torch.full_like(state[name], dice.choice([float("nan"), float("inf")]))


def hostile(data: bytes, dice: random.Random, path: Path) -> bytes:
    """Code in place of the weights, beside them, or as one of them."""
    bomb = BOMBS[dice.choice(list(BOMBS))](path.with_name(MARK))
    place = dice.randrange(3)
    if place == 0:
        return pickle.dumps(bomb)  # no torch file at all
    content = document("text")
    if place == 1:
        content["state_dict"] = bomb
    else:
        content["state_dict"][_pick(content["state_dict"], dice)] = bomb
    return _saved(content)


def squeezed(data: bytes, dice: random.Random, path: Path) -> bytes:
    """A zip of another make: entries compressed, some missing."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if dice.random() < 0.8:
                new.writestr(name, old.read(name))
    return stream.getvalue()


MUTATIONS = [
    truncated, flipped, noise, hostile, hostile, squeezed,
    *map(tensors, (renamed, dropped, added, reshaped, retyped, spoiled)),
]  # fmt: skip


@pytest.mark.parametrize("group", range(4))
def test_a_gross_of_bad_files(theirs: dict[str, Path], tmp_path: Path, group: int) -> None:
    whole = theirs["text"].read_bytes()
    for case in range(36 * group, 36 * group + 36):
        dice = random.Random(case)
        path = tmp_path / "maa1_full.ckpt"
        path.write_bytes(MUTATIONS[case % len(MUTATIONS)](whole, dice, path))
        with pytest.raises(ValueError) as raised:
            convert([path], tmp_path / "model", Choices(words=None))
        sentence = str(raised.value)
        assert "maa1_full.ckpt" in sentence, f"case {case}: {sentence}"
        assert len(sentence) < 600 and "\n" not in sentence, f"case {case}: {sentence}"
        assert sorted(item.name for item in tmp_path.iterdir()) == ["maa1_full.ckpt"], f"case {case} left something"


def test_the_bombs_are_live(tmp_path: Path) -> None:
    """Python's own unpickler would run them: the test above is not about duds."""
    for name in ("os.system", "os.mkdir", "eval", "exec", "open", "touch", "torch.save", "pickle.loads"):
        path = tmp_path / name
        pickle.loads(pickle.dumps(BOMBS[name](path)))
        assert path.exists(), name


def test_code_beside_the_weights_is_never_run_and_does_not_hinder(tmp_path: Path) -> None:
    content = document("text")
    names = ("eval", "exec", "open", "import", "torch.save", "pickle.loads")  # a name of its own, so answered inertly
    content["callbacks"] = {name: BOMBS[name](tmp_path / MARK) for name in names}
    folder = convert([write("text", tmp_path, content)], tmp_path / "model", Choices(words=None))
    assert (folder / "config.json").is_file() and not (tmp_path / MARK).exists()


def test_settings_of_foreign_classes_are_let_go(theirs: dict[str, Path]) -> None:
    source = read_tensors(theirs["text"])
    assert source.tensors and all(isinstance(value, torch.Tensor) for value in source.tensors.values())
