"""Python's collector waits while a program starts, and all is as before afterwards."""

from __future__ import annotations

import gc
import os
import sys

import pytest

from maa.starting import LOOKS, TURN, starting, stay_awake

SPINNING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def test_the_collector_waits_and_comes_back() -> None:
    before, turn = gc.get_freeze_count(), sys.getswitchinterval()
    try:
        with starting():
            assert not gc.isenabled() and sys.getswitchinterval() == pytest.approx(TURN)
        assert gc.isenabled() and gc.get_freeze_count() > before
        with pytest.raises(ValueError, match="no weights"), starting():
            raise ValueError("no weights")
        assert gc.isenabled() and sys.getswitchinterval() == turn
    finally:
        gc.unfreeze()


def test_threads_wait_awake_unless_somebody_has_said_how(monkeypatch: pytest.MonkeyPatch) -> None:
    def left(platform: str = "linux", **said: str) -> dict[str, str]:
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr(os, "environ", dict(said))
        stay_awake()
        return {name: os.environ[name] for name in SPINNING if name in os.environ}

    assert left() == {"OMP_WAIT_POLICY": "ACTIVE", "GOMP_SPINCOUNT": str(LOOKS)}
    assert left(OMP_WAIT_POLICY="PASSIVE") == {"OMP_WAIT_POLICY": "PASSIVE"}
    assert left(GOMP_SPINCOUNT="5") == {"GOMP_SPINCOUNT": "5"}
    assert left("darwin") == left("win32") == {}
