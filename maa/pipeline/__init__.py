"""The one door: sound from text, pictures, video, the user's own sound and painted masks."""

from maa.pipeline.filling import Filling
from maa.pipeline.pipeline import MakeAnAudio
from maa.pipeline.request import Cancelled, OnStep, Sampling
from maa.pipeline.result import Generation

__all__ = ["Cancelled", "Filling", "Generation", "MakeAnAudio", "OnStep", "Sampling"]
