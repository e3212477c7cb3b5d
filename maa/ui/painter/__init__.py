"""A spectrogram to paint on: a component with its page parts beside it."""

from maa.ui.painter.component import Named as Named
from maa.ui.painter.component import painted_mask as mask_of
from maa.ui.painter.component import painter as painter
from maa.ui.painter.component import saved_mask as saved_mask
from maa.ui.painter.component import value_of as value_of

__all__ = ["Named", "mask_of", "painter", "saved_mask", "value_of"]
