"""The spectrogram's colours."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps

from maa.audio.picture import COLOURS, colour_table


def test_colours_are_matplotlibs() -> None:
    table = colour_table()
    assert table.shape == (256, 3) and table.dtype == np.uint8
    np.testing.assert_allclose(table, colormaps[COLOURS](np.arange(256))[:, :3] * 255, atol=0.51)
