"""A folder for a listening test, and ratings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import soundfile
from PIL import Image

from tests.clips import make_clip
from tests.sounds import sine_wave
from train.listening_test.material import Material
from train.listening_test.plan import FAITHFULNESS, INSTRUCTION, NOISE, QUALITY, Trial
from train.listening_test.store import Rating


def rehearsal(root: Path, clips: int) -> Path:
    """Two systems with as many clips of half a second; captions for two, a picture and a clip where there are more."""
    for system, pitch in (("reference", 300), ("madeby", 500)):
        (root / system).mkdir(parents=True)
        for k in range(clips):
            soundfile.write(root / system / f"clip{k}.wav", sine_wave(pitch + 40 * k, 0.5)[0], 16_000)
    (root / "captions.csv").write_text("clip,caption\nclip0.wav,number 0\nclip1,number <1>\n")
    (root / "pictures").mkdir()
    if clips > 2:
        Image.new("RGB", (64, 48), "teal").save(root / "pictures" / "clip2.png")
    if clips > 3:
        make_clip(root / "pictures" / "clip3.mp4")
    return root


def ratings_of(
    material: Material, scores: dict[str, int], careful: Sequence[int], careless: Sequence[int]
) -> list[Rating]:
    """Every rater gives every system its score; the careless fail both checks."""
    made = []
    for rater in (*careful, *careless):
        for question in (QUALITY, FAITHFULNESS):
            for system, score in scores.items():
                asked = [clip for clip in material.clips if question == QUALITY or material.shown(clip)]
                made += [Rating(rater, Trial(f"{rater}", question, system, clip), score, 1.0) for clip in asked]
        checks = (Trial("n", QUALITY, "reference", "clip0", NOISE, 20, 40),
                  Trial("i", FAITHFULNESS, "madeby", "clip1", INSTRUCTION, 60, 60))  # fmt: skip
        made += [Rating(rater, check, check.high if rater in careful else 100, 1.0) for check in checks]
    return made
