"""What a model is: frozen dataclasses, the named configurations, and their JSON form.

Every number is named once here and everything else is derived from it. A checkpoint folder carries one `ModelConfig`
as `config.json`; loading rebuilds the networks from that file, never from these presets.
"""

from maa.config.model import (
    SCALARS,
    AudioSpec,
    AutoencoderConfig,
    ClapConfig,
    Convention,
    ModelConfig,
    MsClapConfig,
    OpenClipConfig,
    Prediction,
    ScheduleConfig,
    TextConfig,
    UNetConfig,
    VisionConfig,
)
from maa.config.plain import changed
from maa.config.presets import MINI, PAPER, PAPER_IMAGE, PAPER_INPAINT, PAPER_TEXT, PRESETS, SMALL, TINY

__all__ = [
    "MINI",
    "PAPER",
    "PAPER_IMAGE",
    "PAPER_INPAINT",
    "PAPER_TEXT",
    "PRESETS",
    "SCALARS",
    "SMALL",
    "TINY",
    "AudioSpec",
    "AutoencoderConfig",
    "ClapConfig",
    "Convention",
    "ModelConfig",
    "MsClapConfig",
    "OpenClipConfig",
    "Prediction",
    "ScheduleConfig",
    "TextConfig",
    "UNetConfig",
    "VisionConfig",
    "changed",
]
