"""Python's collector waits while a program starts, and works again afterwards."""

from __future__ import annotations

import gc

import pytest

from maa.sweeping import unswept


def test_the_collector_waits_and_comes_back() -> None:
    before = gc.get_freeze_count()
    try:
        with unswept():
            assert not gc.isenabled()
        assert gc.isenabled() and gc.get_freeze_count() > before
        with pytest.raises(ValueError, match="no weights"), unswept():
            raise ValueError("no weights")
        assert gc.isenabled()
    finally:
        gc.unfreeze()
