"""Which devices there are, with and without PyTorch to ask."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import app
from maa import MakeAnAudio, Sampling, device


def test_a_machine_without_a_driver_is_told_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(device, "glob", lambda pattern: [])
    monkeypatch.setitem(sys.modules, "torch", None)
    assert device.available() == ["cpu"]
    assert [device.checked_device(name) for name in (None, "", "auto", " CPU ", "cpu:0")] == ["cpu"] * 4 + ["cpu:0"]
    with pytest.raises(ValueError, match="no cuda device"):
        device.checked_device("cuda")
    with pytest.raises(ValueError, match="is not a device"):
        device.checked_device("gpu")
    with pytest.raises(ValueError, match="no cpu:1 here"):
        device.checked_device("cpu:1")


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_where_a_driver_may_be_pytorch_is_asked(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(device, "glob", lambda pattern: [pattern] if pattern == device.NODES[0] else [])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.available() == ["cuda", "cpu"]
    assert str(device.pick_device()) == "cuda" and str(device.pick_device("cuda:1")) == "cuda:1"
    with pytest.raises(ValueError, match="the last one is cuda:1"):
        device.pick_device("cuda:2")


@pytest.mark.parametrize("has", [True, False])
def test_a_processor_computes_in_what_it_has_instructions_for(monkeypatch: pytest.MonkeyPatch, has: bool) -> None:
    monkeypatch.delenv("MAA_DTYPE")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has}, raising=False)
    chosen = torch.bfloat16 if has else torch.float32
    assert device.pick_dtype(torch.device("cpu")) is chosen
    assert MakeAnAudio.from_pretrained("tiny", device="cpu").dtype is chosen
    assert device.pick_dtype(torch.device("cpu"), "float32") is torch.float32
    assert device.compute_dtype(torch.device("mps")) is torch.float32


def test_an_older_pytorch_is_asked_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    for answer in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda answer=answer: answer, raising=False)
        assert device.compute_dtype(torch.device("cpu")) is (torch.bfloat16 if answer else torch.float32)
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    assert device.compute_dtype(torch.device("cpu")) is torch.float32


def test_a_precision_from_the_environment_is_everyones(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, dtype in (("bfloat16", torch.bfloat16), ("float32", torch.float32)):
        monkeypatch.setenv("MAA_DTYPE", name)
        made = MakeAnAudio.from_pretrained("tiny", device="cpu").text_to_audio("rain", Sampling(steps=1), seconds=0.5)
        assert device.pick_dtype(torch.device("cpu")) is dtype and made.settings["dtype"] == name
    monkeypatch.setenv("MAA_DTYPE", "half")
    with pytest.raises(ValueError, match="'half' is no precision"):
        MakeAnAudio.from_pretrained("tiny", device="cpu")


def test_a_seed_is_the_same_sound_for_the_ear_in_either_precision(small: MakeAnAudio) -> None:
    low = MakeAnAudio.from_pretrained("small", device="cpu", dtype="bfloat16")

    def mel(maa: MakeAnAudio, seed: int) -> NDArray[np.float32]:
        made = maa.text_to_audio("a dog barks", Sampling(quality="instant", seed=seed), seconds=2.0)
        return np.maximum(made.mel[0], -4.0)

    def apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
        return float(20 * np.sqrt(np.mean((one - other) ** 2)))

    single = mel(small, 3)
    assert 0.0 < apart(single, mel(low, 3)) < 1.0  # dB; not a bit the same, and not another sound
    assert apart(single, mel(small, 4)) > 5.0


def test_the_app_computes_in_what_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAA_DTYPE", "bfloat16")
    for words, dtype in (([], torch.bfloat16), (["--dtype", "float32"], torch.float32)):
        loading, _ = app.promised("tiny", "cpu", app.arguments(words).dtype)
        assert loading.get().dtype is dtype
    assert app.main(["--model", "tiny", "--dtype", "half"]) == 2
    assert capsys.readouterr().err == "app: 'half' is no precision to compute in; choose float32 or bfloat16.\n"
