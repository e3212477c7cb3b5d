"""What the tests of training share."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from train.data import Row

# Which precision is faster is measured, and no test may hang on a measurement.
os.environ["ACCELERATE_MIXED_PRECISION"] = "no"


@pytest.fixture
def packages(tmp_path: Path) -> tuple[Path, list[Row]]:
    """Two unpacked packages with three generated recordings of one second, and their rows."""
    soundfile = pytest.importorskip("soundfile")
    made = []
    for package, name, pitch in (("farm", "dog_00", 300), ("farm", "dog_01", 400), ("town", "bell", 900)):
        path = Path(package) / "usr/share/sounds" / f"{name}.wav"
        whole = tmp_path / "debs" / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        tone = 0.3 * np.sin(2 * np.pi * pitch * np.arange(44_100) / 44_100)
        soundfile.write(whole, np.concatenate([np.zeros(4410), tone, np.zeros(4410)]), 44_100)
        concept = "dog barking" if package == "farm" else "bell ringing"
        digest = hashlib.sha256(whole.read_bytes()).hexdigest()
        captions = (f"a {concept} sound", f"the {concept}")
        base = (f"{package}/{name}.wav", concept, "made", captions, "train", path)
        made.append(Row(*base, package, "1.0-1", digest, 1.2, "CC0", "nobody"))
    return tmp_path / "debs", made
