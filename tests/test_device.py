"""Which devices there are, with and without PyTorch to ask."""

from __future__ import annotations

import sys

import pytest
import torch

import app
from maa import device


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


def test_the_app_computes_in_what_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAA_DTYPE", "bfloat16")
    assert app.arguments([]).dtype == "bfloat16" and app.arguments(["--dtype", "float32"]).dtype == "float32"
    loading, _ = app.promised("tiny", "cpu", "bfloat16")
    assert loading.get().dtype is torch.bfloat16
    assert app.main(["--model", "tiny", "--dtype", "half"]) == 2
    assert capsys.readouterr().err == "app: 'half' is no precision to compute in; choose float32 or bfloat16.\n"
