"""How good is a filled hole? Measured inside the painted span only, on held-out recordings.

    python -m train.evaluate_inpaint --model small --data data --out data/inpainting.json
    python -m train.evaluate_inpaint --only closeness --clips 4 --steps 4         # a look on a CPU

closeness  distance to the true sound in dB (mean over the span's mel cells), narrow boxes and wide spans, of: this
           program; the hard composite of the authors' demo (holes pasted into the mel, all of it re-vocoded) with the
           same generated mel; and silence.
flux       spectral flux at the joints (largest within 128 ms of them) against that of uncut recordings.
leak       a bark laid over a steady background, painted over and filled without a prompt: is the filled part less like
           what was removed than like other moments of the same background (aiSFX cosine)?
prompt     a hole in a steady background, filled with the name of a concept or with another one's: which of the two
           comes out nearer to the concept's own recordings (aiSFX cosine to their mean)?
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from maa import Audio, Filling, MakeAnAudio, Sampling
from maa.audio.splice import splice
from maa.device import DTYPES
from maa.models.aisfx import AisfxEncoder
from maa.pipeline import conditioning
from maa.pipeline.inpainting import Conditions, Counter, Job
from maa.pipeline.stretches import plan_windows
from train.data import Library

Wave = NDArray[np.float32]
KNOWN = 12  # recordings of a concept that its mean is taken over
REACH = 8  # frames: 128 ms on either side of a joint
STEADY = (
    "rain", "wind blowing", "crickets chirping", "crowd cheering", "crowd talking", "factory machinery",
    "steam hissing", "water running", "windmill turning", "bird chirping", "fire crackling", "rumbling rocks",
)  # fmt: skip
PARTS = ("closeness", "flux", "leak", "prompt")


class Recorder(Job):
    """A job that keeps the mel of each window, holes pasted in."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.mels: list[torch.Tensor] = []

    def _window(self, *given: Any) -> torch.Tensor:
        made = super()._window(*given)
        self.mels.append(made.clone())
        return made


@dataclass(frozen=True)
class Bench:
    """A model, recordings and the settings of a run."""

    maa: MakeAnAudio
    library: Library
    sampling: Sampling
    filling: Filling
    clips: int
    split: str = "test"

    @property
    def rate(self) -> int:
        """Hz of everything here."""
        return self.maa.config.audio.sample_rate

    def mel(self, wave: Wave) -> NDArray[np.float32]:
        """log10 mel [mels, frames]."""
        return self.maa.model.front.to_log10(self.maa.renderer.mel_of(wave))[0, 0].cpu().numpy()

    @torch.inference_mode()
    def embed(self, wave: Wave) -> Wave:
        """Unit aiSFX vector of a sound."""
        assert isinstance(self.maa.model.clap_audio, AisfxEncoder)
        vector = self.maa.model.clap_audio.embed(torch.from_numpy(wave)[None].to(self.maa.device), self.rate)
        return F.normalize(vector.float(), dim=-1)[0].cpu().numpy()

    def fill(self, wave: Wave, mask: NDArray[np.bool_], prompt: str, seed: int) -> tuple[Wave, Wave]:
        """(this program's result, the hard composite re-vocoded), from the same generated mel.

        The sound fits into one window, so the window's mel is the composite of the whole.
        """
        maa = self.maa
        job = Recorder(maa.renderer, Audio(wave[None], self.rate), mask, self.filling)
        condition, null = conditioning.from_text(maa.model, prompt, "")
        sampling = Sampling(self.sampling.steps, seed=seed).settled(maa.config.guidance)
        windows = plan_windows(job.spans, job.frames, maa.config.audio.frames, maa.config.autoencoder.factor)
        made = job.take(Conditions(condition, null, prompt), sampling, windows, Counter(None, 0))
        ours = splice(job.source, made, job.seconds, self.filling.level_match, self.rate, job.mask, maa.config.audio)
        return ours.samples[0], maa.renderer.vocode(job.mels[0])[0, : len(wave)]


def held_out(bench: Bench, seconds: float) -> list[int]:
    """Held-out recordings of at least `seconds`, in an order that the seed of the run fixes."""
    rows = [int(i) for i in bench.library.indices(bench.split) if bench.library.seconds(int(i)) >= seconds]
    return [rows[k] for k in np.random.default_rng(0).permutation(len(rows))]


def excerpt(bench: Bench, index: int, seconds: float, rng: np.random.Generator) -> Wave:
    """`seconds` of a recording, from anywhere in it."""
    wave = bench.library.wave(index)
    count = min(len(wave), round(seconds * bench.rate)) // 256 * 256
    first = int(rng.integers(0, len(wave) - count + 1))
    return wave[first : first + count]


def closeness_and_flux(bench: Bench) -> dict[str, Any]:
    """Distances to the truth, and flux at joints, of narrow and wide holes."""
    rng = np.random.default_rng(1)
    distances: dict[str, list[tuple[float, float, float]]] = {"narrow": [], "wide": []}
    joints: list[float] = []
    uncut: list[float] = []
    same: list[float] = []
    for number, index in enumerate(held_out(bench, 3.0)[: bench.clips]):
        wave = excerpt(bench, index, 8.0, rng)
        truth = bench.mel(wave)
        frames = truth.shape[1]
        uncut += [_flux_near(_flux(truth), joint) for joint in range(REACH, frames - REACH, REACH)]
        for kind in distances:
            mask, (start, end) = _hole(kind, frames, rng)
            ours, composite = bench.fill(wave, mask, "", 100 + number)
            silent = wave.copy()
            silent[start * 256 : end * 256] = 0.0
            found = [bench.mel(sound) for sound in (ours, composite, silent)]
            near = [float(20 * np.abs(mel - truth)[:, start:end].mean()) for mel in found]
            distances[kind].append((near[0], near[1], near[2]))
            flux = _flux(found[0])
            joints += [_flux_near(flux, joint) for joint in (start, end)]
            same += [_flux_near(_flux(truth), joint) for joint in (start, end)]
    limit = float(np.percentile(uncut, 95))
    return {
        "closeness": {kind: _distances(rows) for kind, rows in distances.items()},
        "flux": {
            "uncut_p95": limit,
            "uncut_within_1.5_p95": float(np.mean(np.array(uncut) <= 1.5 * limit)),
            "uncut_at_the_same_joints_within_1.5_p95": float(np.mean(np.array(same) <= 1.5 * limit)),
            "joints": len(joints),
            "share_within_1.5_p95": float(np.mean(np.array(joints) <= 1.5 * limit)),
            "joints_p95": float(np.percentile(joints, 95)),
            "joints_max": float(np.max(joints)),
        },
    }


def _hole(kind: str, frames: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """Narrow: 0.5 s of a quarter of the bands. Wide: 1 s of all. Never nearer than half a second to an end."""
    width = 32 if kind == "narrow" else 63
    start = int(rng.integers(32, frames - width - 32))
    mask = np.zeros((80, frames), bool)
    low = int(rng.integers(5, 55))
    mask[slice(low, low + 20) if kind == "narrow" else slice(None), start : start + width] = True
    return mask, (start, start + width)


def _flux(mel: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rise from frame to frame in dB, mean over bands, [frames - 1]; what is 80 dB below the loudest counts as that."""
    level = 20 * np.maximum(mel, mel.max() - 4.0)
    return np.asarray(np.maximum(np.diff(level, axis=1), 0).mean(axis=0), dtype=np.float64)


def _flux_near(flux: NDArray[np.float64], joint: int) -> float:
    return float(flux[max(0, joint - REACH) : joint + REACH].max())


def _distances(rows: list[tuple[float, float, float]]) -> dict[str, float]:
    ours, composite, silent = np.array(rows).T
    return {
        "holes": len(rows),
        "ours_db": float(ours.mean()),
        "composite_db": float(composite.mean()),
        "silence_db": float(silent.mean()),
        "closer_than_composite": float(np.mean(ours < composite)),
        "closer_than_silence": float(np.mean(ours < silent)),
    }


def backgrounds(bench: Bench) -> list[int]:
    """Steady recordings of at least 4 s, held-out ones first."""
    rows = [i for i, row in enumerate(bench.library.rows) if row.concept in STEADY and bench.library.seconds(i) >= 4.0]
    return sorted(rows, key=lambda i: (bench.library.rows[i].split != bench.split, i))


def leak(bench: Bench, cases: int) -> dict[str, Any]:
    """Barks over backgrounds, removed without a prompt."""
    rng = np.random.default_rng(2)
    barks = [i for i, row in enumerate(bench.library.rows) if row.concept == "dog barking"]
    rows = []
    beds = backgrounds(bench)
    for case in range(cases):
        bed = excerpt(bench, beds[case % len(beds)], 8.0, rng)
        bark = bench.library.wave(barks[case % len(barks)])[: round(0.9 * bench.rate)]
        span = -(-len(bark) // 256) + 6  # three frames of room on either side
        start = int(rng.integers(40, len(bed) // 256 - span - 40))
        mix = bed.copy()
        at = (start + 3) * 256
        mix[at : at + len(bark)] += bark
        mix *= min(1.0, 0.95 / float(np.abs(mix).max()))
        mask = np.zeros((80, len(mix) // 256), bool)
        mask[:, start : start + span] = True
        ours, _ = bench.fill(mix, mask, "", 300 + case)
        count = max(span * 256, round(0.5 * bench.rate))  # aiSFX hears half a second or more
        hole = slice(start * 256, start * 256 + count)
        others = [p for p in range(0, len(mix) - count, count // 2) if p + count <= hole.start or p >= hole.stop]
        gone = np.zeros_like(mix)
        gone[at : at + len(bark)] = bark
        clips = [bench.embed(mix[p : p + count]) for p in others]
        row = []
        for sound in (ours, bed, mix):  # what we made, what was there before the bark, and the bark left in
            heard = bench.embed(sound[hole])
            row += [float(heard @ bench.embed(x[hole])) for x in (gone, mix)] + [float(np.mean(clips @ heard))]
        rows.append(row)
    return {"cases": len(rows), **_leaks(np.array(rows))}


def _leaks(rows: NDArray[np.float64]) -> dict[str, Any]:
    """Per sound: its mean likeness to the bark, to bark and background together, to the background elsewhere."""
    found: dict[str, Any] = {}
    for k, name in enumerate(("filled", "true_background", "bark_left_in")):
        bark, both, bed = rows[:, 3 * k : 3 * k + 3].T
        found[name] = {
            "to_bark": float(bark.mean()),
            "to_bark_and_background": float(both.mean()),
            "to_background_elsewhere": float(bed.mean()),
            "share_nearer_to_background_than_to_bark": float(np.mean(bark <= bed)),
            "share_nearer_to_background_than_to_both": float(np.mean(both <= bed)),
        }
    return found


def prompts(bench: Bench, cases: int) -> dict[str, Any]:
    """A right prompt against a wrong one, with the same seed in the same hole."""
    rng = np.random.default_rng(3)
    concepts = np.array([row.concept for row in bench.library.rows])
    names = [c for c in bench.library.concepts if (concepts == c).sum() >= 5 and c not in STEADY]
    beds = backgrounds(bench)
    wins, gaps = [], []
    for case in range(cases):
        right, wrong = rng.choice(names, 2, replace=False)
        bed = excerpt(bench, beds[case % len(beds)], 8.0, rng)
        start, span = int(rng.integers(40, len(bed) // 256 - 165)), 125  # two seconds
        mask = np.zeros((80, len(bed) // 256), bool)
        mask[:, start : start + span] = True
        hole = slice(start * 256, (start + span) * 256)
        known = np.flatnonzero(concepts == right)[:KNOWN]
        centre = np.mean([bench.embed(bench.library.wave(int(i))) for i in known], axis=0)
        near = []
        for prompt in (right, wrong):
            ours, _ = bench.fill(bed, mask, str(prompt), 500 + case)
            near.append(float(bench.embed(ours[hole]) @ centre / np.linalg.norm(centre)))
        wins.append(near[0] > near[1])
        gaps.append(near[0] - near[1])
    return {"cases": cases, "right_beats_wrong": float(np.mean(wins)), "mean_gap": float(np.mean(gaps))}


def main() -> None:
    """Read the arguments, measure, print and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", default="small")
    parser.add_argument("--dtype", choices=DTYPES, help="what the U-Net computes in; default: the device's choice")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the library")
    parser.add_argument("--out", type=Path, default=Path("data/inpainting.json"))
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; repeatable")
    parser.add_argument("--clips", type=int, default=34, help="held-out recordings for closeness and flux")
    parser.add_argument("--split", choices=("valid", "test"), default="test", help="valid is for choosing by")
    parser.add_argument("--cases", type=int, default=36, help="cases for leak and prompt")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--blend", type=float, default=Filling().blend)
    parser.add_argument("--resampling", type=int, default=Filling().resampling)
    options = parser.parse_args()
    wanted = options.only or PARTS
    maa = MakeAnAudio.from_pretrained(options.model, dtype=options.dtype)
    filling = Filling(blend=options.blend, resampling=options.resampling)
    library = Library.open(options.data)
    if not len(library.indices(options.split)):
        parser.error(f"The library has no {options.split} recordings; choose another --split.")
    bench = Bench(maa, library, Sampling(options.steps), filling, options.clips, options.split)
    found: dict[str, Any] = {
        "model": options.model,
        "weights": maa.model.weights_hash,
        "filling": filling.to_settings(),
    }
    if "closeness" in wanted or "flux" in wanted:
        found |= closeness_and_flux(bench)
    if "leak" in wanted:
        found["leak"] = leak(bench, options.cases)
    if "prompt" in wanted:
        found["prompt"] = prompts(bench, options.cases)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
