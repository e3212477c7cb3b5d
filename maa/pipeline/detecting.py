"""Telling generated sound from recordings, with a detector that was trained here (paper App. G)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maa import checkpoint
from maa.audio.io import read
from maa.audio.sound import Audio, mono_at
from maa.config.plain import from_plain
from maa.foreign import foreign
from maa.models.detector import RATE, SECONDS, Detector, DetectorConfig, Windows, probability

PART = "detector"
DESCRIPTION = "detector.json"  # {"config": …, "trained": {"auc": …, …}, "sha256": of the weights}


@dataclass(frozen=True)
class OpenDetector:
    """A detector, and what is known about it."""

    network: Detector
    trained: dict[str, Any]  # on what, and how well it tells generators that it has not heard
    front: Windows

    @torch.inference_mode()
    def judge(self, audio: Audio) -> float:
        """The probability that a sound is generated, as far as this detector goes; NaN for less than a second."""
        return probability(self.network(self.front(heard(audio))))


def heard(audio: Audio) -> Tensor:
    """What a detector gets of a sound: mono [n] at 16 kHz, every file by the same resampler."""
    return torch.from_numpy(mono_at(audio.samples, audio.sample_rate, RATE))


def default_folder() -> Path:
    """Where a detector is looked for: `detector` among the checkpoints."""
    return checkpoint.root() / PART


def open_detector(folder: Path) -> OpenDetector | None:
    """The detector that `python -m train.detector` left in a folder; None where there is none.

    Raises:
        ValueError: a file of it is missing or damaged, or the weights are not those that it describes.
    """
    weights, description = folder / f"{PART}.safetensors", folder / DESCRIPTION
    if not weights.is_file() and not description.is_file():
        return None
    with foreign(f"{description} is missing or damaged; train the detector again."):
        content = json.loads(description.read_text(encoding="utf-8"))
        config, trained, digest = content["config"], dict(content["trained"]), str(content["sha256"])
    made: DetectorConfig = from_plain(DetectorConfig, config, f"{DESCRIPTION} config")
    if not weights.is_file() or checkpoint.file_hash(weights) != digest:
        raise ValueError(f"{weights} is not the file that {DESCRIPTION} describes; train the detector again.")
    network = Detector(made)
    with foreign(f"{weights} does not fit its description; train the detector again."):
        network.load_state_dict(checkpoint.read_weights([weights]))
    return OpenDetector(network.eval().requires_grad_(False), trained, Windows())


def verdict(path: Path, detector: OpenDetector) -> tuple[float, str]:
    """The probability for a file, and a sentence about it."""
    found = detector.judge(read(path))
    auc = detector.trained.get("auc_unseen")
    known = f"its ROC-AUC on {detector.trained.get('auc_of', 'sounds that it had not heard')} was {auc}" if auc else ""
    if found != found:
        return found, f"The detector needs {SECONDS:g} s of sound and has no opinion."
    rather = "generated" if found >= 0.5 else "a recording"
    return found, f"Rather {rather}: {found:.0%} generated{f'; {known}' if known else ''}. A hint, not a proof."
