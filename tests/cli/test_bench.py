"""`python -m maa bench`: every stage has a time, and the authors' way runs the same network."""

from __future__ import annotations

import json

import pytest
import torch

from maa.cli import main
from maa.cli.timing import DepthwiseSnake
from maa.models import tiles
from maa.models.bigvgan import Snake

QUICK = ["bench", "--config", "tiny", "--steps", "3", "--seconds", "1"]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--official-path", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    ours, official = facts["ours"], facts["official"]
    assert ours["steps"] == 3 and official["steps"] == 100
    for about in (ours, official):
        seconds = about["seconds"]
        assert set(seconds) == {"text", "sample", "step", "decode", "vocode", "rank", "write", "total"}
        parts = sum(seconds[stage] for stage in ("text", "sample", "decode", "vocode", "rank", "write"))
        assert 0.9 * parts <= seconds["total"] <= parts + 0.5
        assert seconds["step"] * about["steps"] <= 2 * seconds["sample"] + 0.1
        assert about["realtime_factor"] == pytest.approx(seconds["total"], rel=0.05, abs=0.01)
        assert about["peak_memory"] > 2**20
    assert facts["speedup"] == pytest.approx(official["seconds"]["total"] / ours["seconds"]["total"], rel=0.02)
    assert facts["dtype"] == "float32" and facts["weights"] == "random"


def test_table_and_bfloat16(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "--dtype", "bfloat16", "--takes", "2", "--sampler", "ddim"]) == 0
    printed = capsys.readouterr().out
    assert "ddim, bfloat16" in printed and "real-time factor" in printed and "2 take(s)" in printed


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--config", "huge"], "no configuration"),
        (["--config", "paper-inpaint"], "makes no sound from text"),
        (["--config", "tiny", "--dtype", "int4"], "no precision"),
        (["--config", "tiny", "--runs", "0"], "at least 1"),
        (["--config", "tiny", "--steps", "0"], "steps"),
        (["--model", "absent"], "no model"),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 2
    said = capsys.readouterr().err
    assert sentence in said and len(said.strip().splitlines()) == 1


def test_the_published_activation_is_the_same_function() -> None:
    snake = Snake(5)
    torch.nn.init.normal_(snake.alpha, std=0.3)
    torch.nn.init.normal_(snake.beta, std=0.3)
    x = torch.randn(2, 5, 77)
    assert torch.allclose(snake(x), DepthwiseSnake(snake)(x), atol=1e-5)


def test_the_authors_way_has_plain_convolutions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[int] = []
    by_tiles = tiles._by_tiles

    def counted(layer: torch.nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return by_tiles(layer, x)

    monkeypatch.setattr(tiles, "_by_tiles", counted)
    for name in ("LEAST_CELLS", "LEAST_CHANNELS", "LEAST_PRODUCTS"):
        monkeypatch.setattr(tiles, name, 1)
    assert main([*QUICK, "--json"]) == 0
    ours = len(calls)
    assert main([*QUICK, "--official-path", "--json"]) == 0
    assert ours > 0 and len(calls) == 2 * ours
    capsys.readouterr()
