"""What ships beside the code agrees with the weights it was made from."""

from __future__ import annotations

import json

import pytest

from maa import MakeAnAudio
from maa.audio.tags import read_tags
from tests.here import ROOT


def rows() -> list[dict[str, object]]:
    path = ROOT / "assets" / "examples.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def test_every_task_has_an_example() -> None:
    assert {row["task"] for row in rows()} == {"text", "image", "video", "personalize", "inpaint"}


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row["result"]))
def test_example_results_are_of_the_shipped_weights(row: dict[str, object], small: MakeAnAudio) -> None:
    for name in ("result", "picture", "input"):
        assert row[name] is None or (ROOT / str(row[name])).is_file()
    if str(row["result"]).endswith(".flac"):
        settings = read_tags(ROOT / str(row["result"]))
        assert settings is not None
        assert settings["weights"] == small.model.weights_hash, "run `python -m train.examples`"


def test_checkpoints_stay_small() -> None:
    size = sum(path.stat().st_size for path in (ROOT / "checkpoints").rglob("*") if path.is_file())
    assert size <= 150e6
