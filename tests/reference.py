"""Reference tensors of the authors' modules; tests that need them are skipped where they are not at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "parity" / "golden"


def reference(name: str) -> dict[str, np.ndarray]:
    """Arrays of one reference file."""
    path = FOLDER / f"{name}.npz"
    if not path.is_file():
        pytest.skip("reference tensors are not at hand")
    with np.load(path) as data:
        return {key: data[key] for key in data.files}
