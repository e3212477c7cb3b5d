"""The second judge: its network, its front end, and what is computed from its tags."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from maa import MakeAnAudio, Sampling
from tests.sounds import sine_wave
from tests.train.library import little_library, random_yamnet
from train.evaluation.ears import YamnetEars, inception_score, second_ears, tag_divergence
from train.evaluation.reference import Reference
from train.evaluation.sounds import Judge
from train.evaluation.yamnet import Yamnet, load_yamnet, log_mel

REAL = Path("data/parts/yamnet.safetensors")


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> YamnetEars:
    folder = tmp_path_factory.mktemp("parts")
    random_yamnet(folder / "yamnet.safetensors")
    found = second_ears(folder, torch.device("cpu"))
    assert found is not None
    return found


def test_the_front_end_hears_a_tone_in_its_band() -> None:
    filters = Yamnet().filters
    low, high = (log_mel(torch.from_numpy(sine_wave(hz, 2.0)[0]), filters).mean(0) for hz in (300, 3000))
    assert low.shape == (64,) and int(low.argmax()) < int(high.argmax())
    centre = 700 * (np.exp(np.linspace(*(np.log1p(f / 700) for f in (125, 7500)), 66)) - 1)[1:-1]
    assert centre[int(high.argmax())] == pytest.approx(3000, rel=0.06)
    assert log_mel(torch.zeros(10), filters).shape == (96, 64), "shorter than a patch"
    assert log_mel(torch.zeros(10), filters).unique().item() == pytest.approx(np.log(0.001))


@torch.inference_mode()
def test_rows_are_embeddings_and_scores_whatever_the_level(ears: YamnetEars) -> None:
    noise = torch.randn(3 * 16_000, generator=torch.Generator().manual_seed(0)) * 0.1
    row = ears.embed(noise, 16_000)
    assert row.shape == (ears.width,) and torch.isfinite(row).all()
    rows = row.numpy()[None]
    assert ears.vectors(rows).shape == (1, 1024) and ears.vectors(rows).min() >= 0 < ears.vectors(rows).max()
    assert ears.tags(rows).shape == (1, 521) and 0 < ears.tags(rows).min() < ears.tags(rows).max() < 1
    assert torch.allclose(ears.embed(noise * 0.05, 16_000), row, atol=1e-4)
    for n in (1, 100, 15_600, 15_601):
        assert torch.isfinite(ears.embed(noise[:n], 16_000)).all()
    assert torch.isfinite(ears.embed(torch.zeros(16_000), 16_000)).all(), "silence is a sound too"


@torch.inference_mode()
def test_patches_cover_a_sound_to_its_end(ears: YamnetEars) -> None:
    """What comes last changes what is heard, and a sound of one patch is heard as that patch."""
    wave = torch.randn(2 * 16_000, generator=torch.Generator().manual_seed(1))
    other = wave.clone()
    other[-2000:] = 0
    assert not torch.allclose(ears.network.embed(wave)[0], ears.network.embed(other)[0], atol=1e-4)
    one = wave[:15_600]
    patch = log_mel(one, ears.network.filters)[None]
    assert torch.allclose(ears.network.embed(one)[0], ears.network(patch)[0][0], atol=1e-5)


def test_without_the_part_there_is_one_judge(tmp_path: Path) -> None:
    assert second_ears(tmp_path, torch.device("cpu")) is None and second_ears(None, torch.device("cpu")) is None
    (tmp_path / "yamnet.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="does not hold YAMNet"):
        second_ears(tmp_path, torch.device("cpu"))


def test_what_each_hears_is_kept_apart(ears: YamnetEars, tmp_path: Path) -> None:
    judge = Judge(MakeAnAudio.from_pretrained("tiny", device="cpu"), tmp_path, Sampling(steps=1), second=ears)
    reference = Reference(judge, little_library(concepts=2, each=6))
    (other,) = reference.others
    assert reference.raw.shape == (10, judge.first.width) and other.raw.shape == (10, ears.width)
    names = sorted(path.name.rsplit("-", 1)[0] for path in tmp_path.glob("*.npy"))
    assert names == ["train", "train-yamnet"]
    assert np.linalg.norm(other.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert other.mean == pytest.approx(ears.vectors(other.raw).mean(0))
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npy")}
    assert np.array_equal(Reference(judge, reference.library, by="yamnet").raw, other.raw)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npy")} == kept


def test_divergence_of_tags_by_hand() -> None:
    q, p = np.array([0.5, 0.9]), np.array([[0.5, 0.9], [0.25, 0.9]])
    by_hand = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    assert tag_divergence(q, p) == pytest.approx([0, by_hand])
    assert np.isfinite(tag_divergence(np.array([0.0, 1.0]), np.array([[1.0, 0.0]]))).all()


def test_variety_counts_kinds_of_sound() -> None:
    assert inception_score(np.eye(7)) == pytest.approx(7)
    assert inception_score(np.repeat(np.eye(7), 3, axis=0)) == pytest.approx(7)
    assert inception_score(np.tile([0.2, 0.7, 0.1], (5, 1))) == pytest.approx(1)
    assert np.isnan(inception_score(np.zeros((0, 3))))


@pytest.mark.skipif(not REAL.is_file(), reason="python -m train.parts --only judge --to data/parts")
@torch.inference_mode()
def test_the_real_judge_names_simple_sounds() -> None:
    network, names = load_yamnet(REAL)
    noise = torch.randn(32_000, generator=torch.Generator().manual_seed(0)).clamp(-3, 3) / 3.4
    tone = torch.from_numpy(sine_wave(3000, 2.0)[0])
    tops = [names[int(network.embed(wave)[1].argmax())] for wave in (tone, noise, torch.zeros(32_000))]
    assert tops == ["Sine wave", "White noise", "Silence"]
