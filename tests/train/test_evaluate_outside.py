"""Networks of others: what their published files are called, their front ends, and files that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.sounds import sine_wave
from train.evaluation.embedders import Weights, open_embedders
from train.evaluation.outside import exact, melception, panns, passt, vggish


def noise(count: int) -> torch.Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(3)) * 0.1


def cnn14_file(path: Path, front: panns.FrontEnd = panns.FRONT_ENDS[0]) -> panns.PannsCnn14:
    """As published: the weights under "model", with the front end among them."""
    torch.manual_seed(0)
    network = panns.PannsCnn14(front, channels=2).eval()
    stored = {panns.FILTERS: front.filters()} | {name: torch.zeros(1) for name in panns.FRONT_END}
    torch.save({"model": network.state_dict() | stored}, path)
    return network


@torch.inference_mode()
def test_cnn14_tells_its_rate_by_its_filters(tmp_path: Path) -> None:
    for front in panns.FRONT_ENDS:
        made = cnn14_file(tmp_path / "cnn14.pth", front)
        network, digest = panns.load_cnn14(tmp_path / "cnn14.pth")
        assert network.front == front and len(digest) == 64
        wave = noise(front.rate)[None]
        assert torch.equal(network(wave)[1], made(wave)[1]) and network(wave)[1].shape == (1, 527)
        assert network(wave[:, :5])[0].shape == (1, 64), "shorter than a second"


def test_a_sound_is_heard_in_its_band() -> None:
    """A tone's energy lies in the band around it, on each filterbank."""
    tone = torch.from_numpy(sine_wave(1000, 1.0, 32_000)[0])
    mel = passt.Passt(64, 1).mel(tone[None])[0].mean(1)
    mels = 1127 * np.log1p(np.array([1000.0, 15_000.0]) / 700)
    assert abs(int(mel.argmax()) - (mels[0] / mels[1] * 129 - 1)) < 1
    power = panns.FRONT_ENDS[1].filters()
    assert power.shape == (513, 64) and int(power[32].argmax()) == int(power[31:34].sum(0).argmax())


@torch.inference_mode()
def test_passt_and_vggish_as_their_files_have_them(tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = passt.Passt(64, 2).eval()
    torch.save(first.state_dict(), tmp_path / "passt.pt")
    network, _ = passt.load_passt(tmp_path / "passt.pt")
    wave = noise(passt.LONGEST)
    features, logits = network.hear(wave)
    assert features.shape == (64,) and torch.equal(logits, first.hear(wave)[1])
    assert torch.allclose(network.hear(torch.cat([wave, wave]))[1], logits, atol=1e-5), "means over windows"
    second = vggish.Vggish(2, 8, 4).eval()
    torch.save(second.state_dict() | {"pproc.pca_means": torch.zeros(4, 1)}, tmp_path / "vggish.pth")
    found, _ = vggish.load_vggish(tmp_path / "vggish.pth")
    assert torch.equal(found(noise(40_000)), second(noise(40_000))) and found(noise(40_000)).shape == (2, 4)
    assert found(noise(100)).shape == (1, 4), "shorter than a stretch"


@torch.inference_mode()
def test_melception_hears_ten_seconds() -> None:
    statistics = np.stack([np.full(80, 0.4), np.full(80, 0.2)], axis=1)
    network = melception.Melception(statistics).eval()
    mel = network.mel(noise(5000))
    assert mel.shape == (80, 848) and mel[:, -1].unique() == pytest.approx(-2.0), "silence after a short sound"
    assert torch.equal(network.mel(noise(300_000)), network.mel(noise(300_000)[:220_500]))
    embedding, logits = network(noise(30_000))
    assert embedding.shape == (2048,) and logits.shape == (309,) and torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda weights: weights.pop("fc1.bias"), "it lacks fc1.bias"),
        (lambda weights: weights.update(more=torch.zeros(1)), "that has no more"),
        (lambda weights: weights.update({"fc1.bias": torch.zeros(3)}), r"fc1.bias has the shape \[3\], not \[64\]"),
        (lambda weights: weights.pop(panns.FILTERS), "lacks logmel_extractor.melW"),
        (lambda weights: weights.update({panns.FILTERS: torch.zeros(5, 64)}), "neither of theirs"),
    ],
)
def test_a_file_that_does_not_fit_is_told_by_name(change, said: str, tmp_path: Path) -> None:
    path = tmp_path / "cnn14.pth"
    cnn14_file(path)
    content = torch.load(path, weights_only=True)
    change(content["model"])
    torch.save(content, path)
    with pytest.raises(ValueError, match=said) as error:
        panns.load_cnn14(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("load", [panns.load_cnn14, passt.load_passt, vggish.load_vggish])
def test_any_other_file_is_refused(load, tmp_path: Path) -> None:
    (tmp_path / "words.pth").write_text("not weights")
    torch.save({"weight": torch.zeros(2, 2)}, tmp_path / "other.pth")
    for name in ("words.pth", "other.pth", "nothing.pth"):
        with pytest.raises(ValueError, match=name):
            load(tmp_path / name)


def test_melception_needs_its_statistics(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2, 2)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="--melception-statistics"):
        melception.load_melception(tmp_path / "other.pt", None)
    (tmp_path / "statistics.txt").write_text("1 2\n3 4\n")
    with pytest.raises(ValueError, match="80 mel bands"):
        melception.load_melception(tmp_path / "other.pt", tmp_path / "statistics.txt")
    np.savetxt(tmp_path / "statistics.txt", np.ones((80, 2)))
    with pytest.raises(ValueError, match="does not hold Melception: it lacks"):
        melception.load_melception(tmp_path / "other.pt", tmp_path / "statistics.txt")


def test_names_that_several_processes_gave_lose_their_prefix(tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, tmp_path / "a.pt")
    exact.put_into(nn.Linear(2, 2), exact.read_exact(tmp_path / "a.pt", "x").tensors, tmp_path / "a.pt", "x")


def test_given_weights_join_the_panel(tmp_path: Path) -> None:
    cnn14_file(tmp_path / "cnn14.pth")
    panel = open_embedders(Weights("tiny", None, "cpu", panns=tmp_path / "cnn14.pth"))
    names = [one.name for one in panel.embedders]
    assert names == ["aisfx", "clap", "panns"] and "yamnet" in panel.absent and "passt" in panel.absent
    one = panel.named("panns")
    with torch.inference_mode():
        heard = one.hear(noise(one.rate))
    assert heard.vector.shape == (64,) and heard.logits.shape == (527,) and heard.windows is None
