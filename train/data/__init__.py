"""Real recordings for training: a manifest of open packages, how to fetch them, and the library that training reads."""

from train.data.library import Library
from train.data.manifest import MANIFEST, Recording, Row, load_manifest

__all__ = ["MANIFEST", "Library", "Recording", "Row", "load_manifest"]
