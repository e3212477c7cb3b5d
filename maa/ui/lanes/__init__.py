"""Sounds placed in time: a lane for every layer of events, with its page parts beside it."""

from maa.ui.lanes.component import connect as connect
from maa.ui.lanes.component import connect_clip as connect_clip
from maa.ui.lanes.component import given as given
from maa.ui.lanes.component import lanes as lanes
from maa.ui.lanes.component import shown as shown

__all__ = ["connect", "connect_clip", "given", "lanes", "shown"]
