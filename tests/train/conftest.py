"""Training's tests compute in float32: which precision is faster is measured, and no test may hang on a measurement."""

from __future__ import annotations

import os

os.environ["ACCELERATE_MIXED_PRECISION"] = "no"
