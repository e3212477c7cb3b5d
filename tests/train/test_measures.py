"""Conditions of one number each: declared everywhere, and measured column by column."""

from __future__ import annotations

from dataclasses import fields

import torch

from maa.config import SCALARS, UNetConfig
from maa.models.context import Context
from maa.pipeline.options import Sampling
from maa.pipeline.setting import settings_of
from train.latents.measures import MEASURES, sounding


def test_a_number_that_conditions_is_asked_for_measured_and_carried() -> None:
    settings = {one.name: one for one in settings_of(Sampling)}
    carried = {one.name for one in fields(Context)}
    assert set(MEASURES) == set(SCALARS)
    assert {name for pair in ((one, f"has_{one}") for one in SCALARS) for name in pair} <= carried
    asked = [settings[name] for name in SCALARS]
    assert all((one.low, one.high, one.default) == (0.0, 1.0, None) for one in asked)
    boxes = [one.free for one in settings.values() if one.free]
    assert len(set(boxes)) == len(boxes) >= len(SCALARS)


def test_networks_know_the_numbers_of_their_configuration() -> None:
    every, none = UNetConfig().with_scalars(SCALARS), UNetConfig().with_scalars(())
    assert every.scalars == SCALARS and none.scalars == ()


def test_sounding_is_the_share_of_a_column_that_is_not_silent() -> None:
    wave = torch.zeros(1, 4 * 2048)
    wave[:, 2048:4096], wave[:, 4096:4608] = 0.5, 0.5
    assert sounding(wave, torch.zeros(1, 1, 80, 32), 4).tolist() == [[0.0, 1.0, 0.25, 0.0]]
