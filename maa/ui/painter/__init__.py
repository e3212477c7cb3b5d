"""A spectrogram to paint on, and a comparison of before and after: components with their page parts beside them."""

from maa.ui.painter.compare import Side as Side
from maa.ui.painter.compare import compare as compare
from maa.ui.painter.compare import comparison as comparison
from maa.ui.painter.component import mask_of as mask_of
from maa.ui.painter.component import painter as painter
from maa.ui.painter.component import value_of as value_of

__all__ = ["Side", "compare", "comparison", "mask_of", "painter", "value_of"]
