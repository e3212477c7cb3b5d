"""Training a detector, and asking it about what it has not heard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maa.checkpoint import read_weights
from maa.models.detector import DEPTH, MELS, Detector, DetectorConfig
from maa.pipeline.detecting import PART
from train.detector.figures import Auc, Floats, Labels, auc, measured
from train.detector.folders import CUES, REAL, Clip, HeardFolder
from train.trainer.draw import Draw
from train.trainer.loop import Trainer
from train.trainer.options import RunOptions
from train.trainer.precision import make_accelerator

TILT = 1.0  # decades of power from the lowest band to the highest that a window is tilted by at most
BANDS, FRAMES = 12, 24  # of a window that are covered at most


def fold_of(stem: str, folds: int) -> int:
    """Which fold all files of a name are in."""
    return int(hashlib.sha256(stem.encode()).hexdigest(), 16) % folds


def train_detector(clips: Sequence[Clip], options: RunOptions, batch: int, config: DetectorConfig) -> Detector:
    """A detector of some clips, kept in `options.out`. Recordings and generated clips, and each generator among these,
    are drawn equally often, and each clip of a source as often as the others, however long it is.

    Raises:
        ValueError: there are no recordings, or nothing generated.
    """
    sources = sorted({clip.source for clip in clips})
    if REAL not in sources or len(sources) < 2:
        raise ValueError("A detector needs recordings and generated sounds to learn from; give more of them.")
    torch.manual_seed(options.seed)
    accelerator = make_accelerator()
    model = Detector(config)
    pools = {name: [clip for clip in clips if clip.source == name] for name in sources}
    fakes = [name for name in sources if name != REAL]

    def step(draw: Draw) -> dict[str, Tensor]:
        rng = draw.rng()
        labels = np.arange(batch) % 2
        drawn = []
        for label in labels:
            pool = pools[str(rng.choice(fakes)) if label else REAL]
            windows = pool[int(rng.integers(len(pool)))].windows
            drawn.append(windows[int(rng.integers(len(windows)))].float())
        with accelerator.autocast():
            logits = model(varied(torch.stack(drawn), rng)).float()
        wanted = torch.from_numpy(labels).float()
        found = F.binary_cross_entropy_with_logits(logits, wanted * 0.9 + 0.05)
        return {"loss": found, "right": ((logits > 0) == (wanted > 0.5)).float().mean()}

    weights = Trainer(model, options, PART, accelerator).run(step)
    trained = Detector(config)
    trained.load_state_dict(read_weights([weights]))
    return trained.eval().requires_grad_(False)


def varied(windows: Tensor, rng: np.random.Generator) -> Tensor:
    """Windows [B, MELS, T] under another tilt of the spectrum each, with a stretch of bands and of frames at the mean.

    A detector that went by a microphone's or a vocoder's balance alone would not know the next one.
    """
    tilt = torch.from_numpy(rng.uniform(-TILT, TILT, (len(windows), 1, 1))).float()
    windows = windows + tilt * torch.linspace(-0.5, 0.5, MELS)[None, :, None]
    for window in windows:
        band, frame = int(rng.integers(MELS)), int(rng.integers(windows.shape[2]))
        window[band : band + int(rng.integers(BANDS))] = 0
        window[:, frame : frame + int(rng.integers(FRAMES))] = 0
    return windows.clamp(-DEPTH, DEPTH)


@torch.inference_mode()
def detector_scores(model: Detector, clips: Sequence[Clip]) -> Floats:
    """Mean logit over each clip's windows, [N]."""
    return np.array([float(model(clip.windows.float()).mean()) for clip in clips])


def cross_validated(
    found: HeardFolder, options: RunOptions, batch: int, config: DetectorConfig, folds: int
) -> dict[str, Auc]:
    """ROC-AUC by what the detector did not hear in training. Test recordings are never heard, in all of them.

    "heard generators": all generators, other clips of them. "not heard: NAME": NAME was left out of training, for each
    generator where there are two or more. "not heard: all": these together.
    """
    tests: dict[str, list[str]] = {"heard generators": found.generators}
    if len(found.generators) > 1:
        tests |= {f"not heard: {name}": [name] for name in found.generators}
    numbers = np.array([fold_of(clip.stem, folds) for clip in found.clips], np.int64)
    told: dict[str, Auc] = {}
    unheard: list[tuple[Floats, Labels, NDArray[np.int64], list[str]]] = []
    for k, (name, tested) in enumerate(tests.items()):
        learnt = [one for one in found.generators if one not in tested] or tested
        scores, labels, of, stems = [], [], [], []
        for fold in range(folds):
            inside = [c for c, n in zip(found.clips, numbers, strict=True) if n != fold and c.source in (REAL, *learnt)]
            outside = [
                c for c, n in zip(found.clips, numbers, strict=True) if n == fold and c.source in (REAL, *tested)
            ]
            where = options.out / "folds" / f"{k}-{fold}"
            model = train_detector(inside, replace(options, out=where, resume=_begun(where)), batch, config)
            scores.append(detector_scores(model, outside))
            labels += [int(clip.source != REAL) for clip in outside]
            of += [fold + folds * k] * len(outside)
            stems += [clip.stem for clip in outside]
        row = (np.concatenate(scores), np.array(labels, np.int64), np.array(of, np.int64), stems)
        told[name] = measured(*row, seed=options.seed)
        if len(tested) == 1 and name.startswith("not heard"):
            unheard.append(row)
    if unheard:
        joined = [np.concatenate([row[i] for row in unheard]) for i in range(3)]
        names = [stem for row in unheard for stem in row[3]]
        told["not heard: all"] = measured(joined[0], joined[1], joined[2], names, seed=options.seed)
    return told


def _begun(out: Path) -> bool:
    return (out / f"{PART}.state.pt").is_file()


def cue_figures(found: HeardFolder, seed: int = 0) -> dict[str, Auc]:
    """How well each cue of the files alone would tell them apart, whichever way round."""
    labels, stems = found.labels(), [clip.stem for clip in found.clips]
    told = {}
    for k, name in enumerate(CUES):
        values = np.array([clip.cues[k] for clip in found.clips])
        one = np.zeros(len(values), np.int64)
        sign = 1.0 if auc(values, labels) >= 0.5 else -1.0
        told[name] = measured(sign * values, labels, one, stems, seed)
    return told
