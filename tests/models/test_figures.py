"""Every published network answers as in the table beside this file, on any machine."""

from __future__ import annotations

import json

import pytest

from tests.models.figures import FIGURES, PATH, measure

TABLE = json.loads(PATH.read_text(encoding="utf-8"))
QUICK = {"HiFi-GAN", "mel A", "mel B"}


def test_the_table_covers_every_network() -> None:
    assert list(TABLE) == list(FIGURES)


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in FIGURES])
def test_figures(name: str) -> None:
    """Values to 1e-4 of the output's peak, norms to 1e-4 of themselves: attention may be fused or not."""
    wanted, made = TABLE[name], measure(name)
    assert made["size"] == wanted["size"]
    assert made["values"] == pytest.approx(wanted["values"], abs=1e-4 * wanted["peak"], rel=0)
    assert (made["l1"], made["l2"]) == pytest.approx((wanted["l1"], wanted["l2"]), rel=1e-4)
