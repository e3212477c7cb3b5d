"""Edits of edits in the Inpaint tab: a chain of sounds to step back and forth in, and tools that need no model."""

from __future__ import annotations

from maa.ui.chain.component import edits, value_of
from maa.ui.chain.mels import chain_mel
from maa.ui.chain.steps import EXACT, Steps, connect
from maa.ui.chain.store import chain_of, told_by

__all__ = ["EXACT", "Steps", "chain_mel", "chain_of", "connect", "edits", "told_by", "value_of"]
