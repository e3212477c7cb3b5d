"""(a) What the autoencoder and the vocoder keep of held-out recordings, beside Griffin-Lim from the true mel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.audio.mel import MelSpectrogram
from maa.dsp import whole_frames
from maa.models.refine import least_squares
from train.adversarial.losses import RESOLUTIONS
from train.evaluation.files import line_contrast, noise_like, outside
from train.evaluation.metrics import unit
from train.evaluation.sounds import Judge, Wave, judged_stretch

ITERATIONS = 32
SOLVED = 50  # updates of the least squares
MOMENTUM = 0.99
PITCHED = 0.8  # median normalised autocorrelation of the loud frames
WAYS = ("vocoder", "autoencoder + vocoder", "griffin-lim")
MEASURES = ("mel_l1", "log_magnitude")  # and a distance by each pair of ears
NOISE = ("lines_db", "below_20_hz", "above_7850_hz")  # of clips that are noise, the recordings' own beside


def griffin_lim_from_mel(front: MelSpectrogram, mel: Tensor, seed: int = 0, iterations: int = ITERATIONS) -> Wave:
    """A waveform [samples] for a true mel [1, 1, mels, T]: fast Griffin-Lim (Perraudin et al., WASPAA 2013).

    Magnitudes are the non-negative least squares of the filterbank, by multiplicative updates.
    """
    spec = front.spec
    wanted = 10 ** front.to_log10(mel)[0, 0]
    start = (front.filters.T @ wanted).clamp_min(1e-8)
    magnitude = least_squares(front.filters, wanted[None], start[None], SOLVED)[0]
    generator = torch.Generator(device="cpu").manual_seed(seed)
    phase = torch.rand(magnitude.shape, generator=generator).to(magnitude.device) * 2 * torch.pi
    angles, previous = torch.polar(torch.ones_like(phase), phase), torch.zeros_like(magnitude, dtype=torch.complex64)
    length = spec.hop * (magnitude.shape[1] - 1)
    window = torch.hann_window(spec.n_fft, device=magnitude.device)
    for _ in range(iterations):
        wave = torch.istft(magnitude * angles, spec.n_fft, spec.hop, window=window, length=length)
        rebuilt = torch.stft(wave, spec.n_fft, spec.hop, window=window, return_complex=True)
        turned = rebuilt - MOMENTUM / (1 + MOMENTUM) * previous
        angles, previous = turned / turned.abs().clamp_min(1e-9), rebuilt
    wave = torch.istft(magnitude * angles, spec.n_fft, spec.hop, window=window, length=length)
    if spec.convention == "A":
        return wave.cpu().numpy()
    # Frames of convention B are centred half a hop later than torch.istft's.
    out = torch.zeros(spec.hop * magnitude.shape[1])
    out[spec.hop // 2 : spec.hop // 2 + length] = wave.cpu()
    return out.numpy()


def pitched(wave: Wave, rate: int) -> float:
    """How periodic the loud parts are: the median over frames of the largest normalised autocorrelation between 60 and
    1,000 Hz."""
    size, hop = 1024, 512
    if len(wave) < size:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[::hop]
    energy = np.square(frames).sum(1)
    frames = frames[energy > 0.1 * energy.max()]
    frames = frames - frames.mean(1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(frames, 2 * size)) ** 2
    correlation = np.fft.irfft(spectrum)[:, : size // 2]
    lags = np.arange(size // 2)
    squares = np.concatenate([np.zeros((len(frames), 1)), np.cumsum(np.square(frames), axis=1)], axis=1)
    both = np.sqrt(squares[:, size - lags] * (squares[:, -1:] - squares[:, lags])) + 1e-9
    inside = slice(round(rate / 1000), min(size // 2, round(rate / 60)))
    return float(np.median((correlation / both)[:, inside].max(axis=1)))


def log_magnitude(made: Wave, real: Wave) -> float:
    """Mean absolute difference of natural-log STFT magnitudes over four window sizes, floor 60 dB below the peak."""
    length = min(len(made), len(real))
    a, b = (torch.from_numpy(np.ascontiguousarray(x[:length])) for x in (made, real))
    total = 0.0
    for size, hop in RESOLUTIONS:
        if length <= size:
            continue
        window = torch.hann_window(size)
        spectra = [torch.stft(x, size, hop, window=window, return_complex=True).abs() for x in (a, b)]
        floor = 1e-3 * float(spectra[1].max()) + 1e-7
        total += float((spectra[0].clamp_min(floor).log() - spectra[1].clamp_min(floor).log()).abs().mean())
    return total / len(RESOLUTIONS)


Row = dict[str, dict[str, float]]  # of a way (or "recording"): measures


@torch.inference_mode()
def kept_of(judge: Judge, raw: Wave) -> tuple[Row, float]:
    """Distances of one recording to itself by each way, and how periodic it is."""
    front, renderer, spec = judge.maa.model.front, judge.maa.renderer, judge.maa.config.audio
    cut = judged_stretch(raw, judge.rate)
    wave = whole_frames(cut, spec.hop * judge.maa.config.frame_multiple)
    mel = renderer.mel_of(wave)
    decoded = renderer.decode(renderer.autoencoder.encode(mel))
    made = {
        "vocoder": renderer.vocode(mel)[0],
        "autoencoder + vocoder": renderer.vocode(decoded)[0],
        "griffin-lim": np.clip(griffin_lim_from_mel(front, mel), -1, 1),
    }
    true = front.to_log10(mel)[0, 0].cpu().numpy()
    row: Row = {
        way: {
            "mel_l1": float(np.abs(judge.mel(sound) - true).mean()),
            "log_magnitude": log_magnitude(sound, wave),
        }
        for way, sound in made.items()
    }
    for name, ears in judge.ears.items():
        vectors = unit(ears.vectors(judge.embed([wave, *made.values()], ears=ears)))
        for way, vector in zip(made, vectors[1:], strict=True):
            row[way][name] = float(1 - vectors[0] @ vector)
    if noise_like(cut, judge.rate):
        for way, sound in {"recording": cut, **made}.items():
            part = sound[: len(cut)]
            found = (line_contrast(part, judge.rate, spec.sample_rate / spec.hop), *outside(part, judge.rate))
            row[way] = row.get(way, {}) | dict(zip(NOISE, found, strict=True))
    row["autoencoder"] = {"mel_l1": float(np.abs(front.to_log10(decoded)[0, 0].cpu().numpy() - true).mean())}
    return row, pitched(cut, judge.rate)


def reconstruction(judge: Judge, waves: Sequence[Wave]) -> dict[str, Any]:
    """Mean distances over held-out recordings, on how many the vocoder is nearer than Griffin-Lim, and what either adds
    to recordings of noise."""
    found = judge.share(kept_of, waves, "reconstruction")
    periodic = np.array([periodic for _, periodic in found])
    return _summary([row for row, _ in found], periodic, tuple(judge.ears))


def _summary(rows: list[Row], periodic: NDArray[np.float64], ears: tuple[str, ...]) -> dict[str, Any]:
    def mean(way: str, measure: str, chosen: NDArray[np.bool_]) -> float:
        return float(np.mean([row[way][measure] for row, keep in zip(rows, chosen, strict=True) if keep]))

    everything, tonal = np.ones(len(rows), bool), periodic > PITCHED
    report: dict[str, Any] = {"clips": len(rows), "pitched_clips": int(tonal.sum())}
    report["autoencoder"] = {"mel_l1": mean("autoencoder", "mel_l1", everything)}
    for way in WAYS:
        report[way] = {name: mean(way, name, everything) for name in (*MEASURES, *ears)}
        if tonal.any():
            report[way] |= {f"pitched_{name}": mean(way, name, tonal) for name in (*MEASURES, *ears)}
    for name in ears:
        nearer = [row["vocoder"][name] < row["griffin-lim"][name] for row in rows]
        report["vocoder_nearer_than_griffin_lim" + ("" if name == "aisfx" else f"_{name}")] = float(np.mean(nearer))
    if tonal.any():
        values = [report[way]["pitched_log_magnitude"] for way in ("vocoder", "griffin-lim")]
        report["pitched_vocoder_over_griffin_lim"] = values[0] / values[1]
    return report | {"noise": _noise(rows)}


def _noise(rows: list[Row]) -> dict[str, Any]:
    """Medians, and the largest share of energy out of bounds, over the recordings of noise."""
    chosen = [row for row in rows if "recording" in row]
    report: dict[str, Any] = {"clips": len(chosen)}
    for way in ("recording", *WAYS) if chosen else ():
        report[way] = {name: float(np.median([row[way][name] for row in chosen])) for name in NOISE}
        report[way]["lines_db_worst"] = max(row[way]["lines_db"] for row in chosen)
        report[way]["outside_mean"] = float(np.mean([row[way][NOISE[1]] + row[way][NOISE[2]] for row in chosen]))
    return report
