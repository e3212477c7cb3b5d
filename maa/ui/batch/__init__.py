"""Many sounds at once: a list of prompts, or a grid of two settings; the tab, and what it keeps on the server."""

from __future__ import annotations

from maa.ui.batch.tab import LABEL, NAME, build

__all__ = ["LABEL", "NAME", "build"]
