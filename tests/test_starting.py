"""Python's collector waits while a program starts, and all is as before afterwards."""

from __future__ import annotations

import gc
import sys

import pytest

from maa.starting import TURN, starting


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
