"""The bands of the mel grid, in hertz, and their filters (paper Sec. 5.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maa.config import AudioSpec
from maa.dsp import mel_corners, slaney_filterbank


def edges(spec: AudioSpec) -> NDArray[np.float64]:
    """Corner frequencies in Hz, shape [mels + 2]: band k rises from edge k, peaks at k + 1 and ends at k + 2."""
    return mel_corners(spec.mels, *spec.frequency_range)


def centres(spec: AudioSpec) -> NDArray[np.float64]:
    """Centre frequency of each band in Hz, shape [mels]."""
    return edges(spec)[1:-1]


def filterbank(spec: AudioSpec) -> NDArray[np.float32]:
    """Triangular filters of unit area on the magnitude spectrum, shape [mels, n_fft / 2 + 1] (Slaney normalisation)."""
    return slaney_filterbank(spec.sample_rate, spec.n_fft, spec.mels, *spec.frequency_range).astype(np.float32)
