"""The commands of training, and what their options mean."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

import pytest

from maa.config import TINY
from tests.train.library import little_library
from tests.train.test_stages import losses
from train import autoencoder, vocoder
from train.__main__ import commands, main
from train.adversarial.options import DiscriminatorOptions
from train.trainer.options import RunOptions, add_fields, add_weights, from_args, weights_from

TRAIN = Path(__file__).parents[2] / "train"


def test_every_command_is_listed_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == len(commands()) + 1
    for name, told in commands().items():
        assert told.endswith(".") and len(told) < 120, name
        assert any(line.startswith(f"python -m {name} ") and line.endswith(told) for line in shown)


def test_what_lies_at_the_top_runs() -> None:
    quiet = [path.name for path in TRAIN.glob("[a-z]*.py") if '__name__ == "__main__"' not in path.read_text()]
    assert quiet == []


def test_options_are_flags() -> None:
    parser = argparse.ArgumentParser()
    add_fields(parser, RunOptions, lr=1e-3)
    args = parser.parse_args(["--out", "here", "--start", "weights", "--save-every", "7", "--resume"])
    assert from_args(RunOptions, args) == RunOptions(
        Path("here"), lr=1e-3, start=Path("weights"), save_every=7, resume=True
    )
    with pytest.raises(SystemExit):
        parser.parse_args([])


def test_discriminators_have_flags_of_their_own() -> None:
    parser = argparse.ArgumentParser()
    add_fields(parser, DiscriminatorOptions, "discriminator_", channels=48)
    args = parser.parse_args(["--discriminator-start", "0", "--discriminator-lr-ratio", "3"])
    assert from_args(DiscriminatorOptions, args, "discriminator_") == DiscriminatorOptions(48, 0.0, lr_ratio=3.0)
    assert all(field.metadata["help"] for field in fields(DiscriminatorOptions))


def test_weights_have_flags_named_like_their_losses() -> None:
    parser = argparse.ArgumentParser()
    add_weights(parser, autoencoder.WEIGHTS)
    args = parser.parse_args(["--feature-matching-weight", "0.25"])
    assert weights_from(args, autoencoder.WEIGHTS) == autoencoder.WEIGHTS | {"feature_matching": 0.25}


@pytest.mark.parametrize("stage", ["autoencoder", "vocoder"])
def test_a_weight_a_term_and_a_line_of_the_log_share_one_name(stage: str, tmp_path: Path) -> None:
    options = RunOptions(tmp_path, steps=1, log_every=1)
    chosen = replace(autoencoder.DISCRIMINATOR, start=0.0, warmup=0.0, channels=4)
    train, weights = {
        "autoencoder": (autoencoder.train_autoencoder, autoencoder.WEIGHTS),
        "vocoder": (vocoder.train_vocoder, vocoder.WEIGHTS),
    }[stage]
    train(TINY, little_library(), options, 1, 32, chosen=chosen)
    for name in weights:
        assert len(losses(tmp_path, stage, name)) == 1, name


def test_phases_follow_the_run() -> None:
    chosen = DiscriminatorOptions(start=0.5, warmup=0.1)
    assert [chosen.phase(at) for at in (0.0, 0.45, 0.5, 1.0)] == ["reconstruction", "warm-up", *["adversarial"] * 2]
    assert not replace(chosen, start=1.0).takes_part and chosen.takes_part
