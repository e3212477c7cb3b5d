"""Files are there whole or not at all."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from maa.aside import aside, write_bytes, write_text
from tests.test_house import MODULES
from tests.train import killing

# Who writes in place, and why that is no harm.
IN_PLACE = {
    "maa.aside": "it is the neighbour",
    "maa.audio.tags": "the neighbour, before it is renamed",
    "maa.models.clip": "into a folder that is renamed as a whole",
    "maa.official.convert": "as above",
    "maa.folders": "whole folders",
    "maa.audio.compressed": "the neighbour, before it is renamed",
    "maa.ui.batch.folder": "a finished sound takes its place",
    "train.data.building": "a whole folder takes its place",
    "train.generate": "a sound that was written aside takes its place",
    "train.data.fetch": "beside the packages, before it is renamed",
}


def test_a_file_is_replaced_when_all_went_well(tmp_path: Path) -> None:
    path = tmp_path / "take.json"
    write_text(path, "old ü")
    with pytest.raises(IsADirectoryError), aside(path) as neighbour:
        neighbour.write_bytes(b"half" + tmp_path.read_bytes())
    assert path.read_text(encoding="utf-8") == "old ü" and list(tmp_path.iterdir()) == [path]
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    with aside(path, "take.part") as neighbour:
        assert neighbour == tmp_path / "take.part"
        neighbour.write_text("newer")
    assert path.read_text() == "newer" and list(tmp_path.iterdir()) == [path]


def test_what_is_killed_leaves_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    for moment in killing.moments(0, 12, 0.4):
        killing.killed(moment + 0.2, killing.writing, path)
        data = path.read_bytes()
        assert len(data) == 3_000_000 and data == data[:1] * len(data)


def test_everything_is_written_by_the_one_helper() -> None:
    found = set()
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
            if named in ("write_text", "write_bytes") or (named in ("replace", "rename") and _of_os(node)):
                found.add(module)
    assert found == set(IN_PLACE)


def _of_os(call: ast.AST) -> bool:
    assert isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    return isinstance(call.func.value, ast.Name) and call.func.value.id == "os"
