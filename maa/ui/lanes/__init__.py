"""Sounds placed in time: a lane for every layer of events, with its page parts beside it. `follow` connects it."""

from maa.ui.lanes.component import given as given
from maa.ui.lanes.component import lanes as lanes
from maa.ui.lanes.component import shown as shown

__all__ = ["given", "lanes", "shown"]
