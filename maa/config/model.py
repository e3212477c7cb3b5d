"""What a model is, as frozen dataclasses: every number is named once here and everything else is derived."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from maa.config.plain import from_plain, to_plain
from maa.config.vocoders import HifiganConfig, VocoderConfig

Convention = Literal["A", "B"]
Prediction = Literal["eps", "v"]


@dataclass(frozen=True)
class AudioSpec:
    """The sound a model speaks: rate, frame grid and mel convention (paper Sec. 5.1).

    Convention "B" is the authors' later front end (0-8000 Hz, log10, no normalisation), "A" their earlier one
    (125-7600 Hz, scaled to [-1, 1]). The two cannot be told apart from tensors, so the config says which.
    """

    sample_rate: int = 16_000  # Hz
    n_fft: int = 1024
    hop: int = 256  # samples between frames: 16 ms
    mels: int = 80
    convention: Convention = "B"
    frames: int = 624  # T, the length the network was trained on
    low: float | None = None  # Hz, edges of the mel filterbank; None = the convention's own
    high: float | None = None

    @property
    def samples(self) -> int:
        """Samples of a full clip: 159,744."""
        return self.frames * self.hop

    @property
    def seconds(self) -> float:
        """Length of a full clip: 9.984 s."""
        return self.samples / self.sample_rate

    @property
    def frame_seconds(self) -> float:
        """One mel frame: 16 ms."""
        return self.hop / self.sample_rate

    @property
    def frequency_range(self) -> tuple[float, float]:
        """Lowest and highest frequency of the mel filterbank, in Hz."""
        low, high = (125.0, 7600.0) if self.convention == "A" else (0.0, 8000.0)
        return (low if self.low is None else self.low, high if self.high is None else self.high)


@dataclass(frozen=True)
class AutoencoderConfig:
    """Spectrogram autoencoder (Sec. 3.4, Table 6). Down- and upsampling is 2 per level after the first."""

    channels: int = 128
    multipliers: tuple[int, ...] = (1, 2, 2, 4)
    res_blocks: int = 2  # per level in the encoder; the decoder has one more
    latent_channels: int = 4
    attention_levels: tuple[int, ...] = (2, 3)  # levels with self-attention; () gives the 62.4 M the paper counted
    middle_attention: bool = True  # self-attention at the coarsest cells
    latent_scale: float = 1.0  # 1 / std of the encoder's latents; applied by encode and decode only

    @property
    def factor(self) -> int:
        """Mel bins and frames per latent cell side: 8."""
        return 2 ** (len(self.multipliers) - 1)


def _scalar() -> Any:
    """A flag: the network is conditioned on a number in 0..1 of that name, besides text and vector."""
    return field(default=False, metadata={"scalar": True})


@dataclass(frozen=True)
class UNetConfig:
    """The denoising network (Table 6); the paper's text, image and inpainting networks are three settings of it."""

    channels: int = 320
    multipliers: tuple[int, ...] = (1, 2)
    res_blocks: int = 2
    in_channels: int = 4  # 4 plain, or 9 = latent 4 | masked latent 4 | mask 1
    out_channels: int = 4
    attention_levels: tuple[int, ...] = (0, 1)
    heads: int = 8
    head_channels: int | None = None  # width of one head; overrides heads
    context_dim: int | None = 1024  # width of the text tokens; None = self-attention blocks without text
    global_dim: int | None = None  # width of a global vector added to the time embedding; None = none
    global_projection: bool = False  # zero-initialised linear in front of it (False = added as it is)
    global_space: Literal["joint", "clip"] = "joint"  # of a projected one: CLAP's, or CLIP's, where others always lie
    global_unit: bool = True  # it is brought to length 1 (Table 9's NormGlobal; False = Global)
    learned_null: bool = False  # learned stand-ins for absent text and absent global vector
    resample_in_block: bool = False  # up/down sampling inside a residual block instead of a convolution
    density: bool = _scalar()  # which share of the clip sounds: one event or many
    guided: bool = False  # the scale of guidance is an input, too: one call does for two (arXiv 2210.03142, Sec. 3.1)
    # What stands in the hole of the masked latent: the known part's mean, encoded, and then zeros in the hole's cells;
    # or silence, encoded and left as it is (the authors' inpainting network).
    hole: Literal["mean", "silence"] = "mean"

    @property
    def inpaints(self) -> bool:
        """True when the network itself takes the masked latent and the mask."""
        return self.in_channels == 2 * self.out_channels + 1

    @property
    def clip_conditioned(self) -> bool:
        """True when the network is conditioned on a vector of CLIP (Sec. 4.3), not on text."""
        return self.global_dim is not None and (not self.global_projection or self.global_space == "clip")

    @property
    def reads(self) -> bool:
        """True when the network attends to the tokens of a text."""
        return self.context_dim is not None and not self.clip_conditioned

    @property
    def hears(self) -> bool:
        """True when there is anything that can be asked of the network: a text, or what a vector stands for."""
        return self.context_dim is not None or self.global_dim is not None

    @property
    def scalars(self) -> tuple[str, ...]:
        """The numbers that the network is conditioned on, of those in SCALARS."""
        return tuple(name for name in SCALARS if getattr(self, name))

    def with_scalars(self, names: Collection[str]) -> UNetConfig:
        """The same, conditioned on these numbers and on no others."""
        flags: dict[str, Any] = {name: name in names for name in SCALARS}
        return dataclasses.replace(self, **flags)


# Each is a field of `Context` and one of `Sampling`, a layer of the U-Net, and a measure in `train.latents.measures`.
SCALARS = tuple(one.name for one in dataclasses.fields(UNetConfig) if one.metadata.get("scalar"))


@dataclass(frozen=True)
class ScheduleConfig:
    """LDM's "linear" schedule: betas linear in square-root space (latent-diffusion; Eq. 4)."""

    steps: int = 1000
    beta_start: float = 0.00085
    beta_end: float = 0.0120
    prediction: Prediction = "eps"  # what the network outputs


@dataclass(frozen=True)
class TextConfig:
    """The text tower whose token states are the diffusion network's context (Sec. 3.3, rows of Table 1)."""

    kind: Literal["bert", "t5", "clip"] = "bert"
    vocabulary: int = 30_522
    width: int = 768
    layers: int = 12
    heads: int = 12
    intermediate: int = 3072
    positions: int = 512  # T5 has none
    tokens: int = 77  # K, the fixed number of token vectors
    projection: int | None = 1024  # width of the CLAP projection applied to every token; None = raw token states
    mask_pads: bool = False  # hide padding from attention (the authors' code does not)
    pooler: bool = False  # BERT's layer over the first token: unused, but part of the authors' files
    activation: str | None = None  # None = the kind's usual one
    head_width: int | None = None  # T5's width of one head; None = width / heads
    pad: str | None = None  # the padding token; None = the kind's usual one

    @property
    def context_dim(self) -> int:
        """Width of the context's token vectors."""
        return self.width if self.projection is None else self.projection


@dataclass(frozen=True)
class ClapConfig:
    """Joint space of sound and text, for ranking takes and for the global vector (Sec. 3.3)."""

    kind: Literal["heads"] = "heads"  # projections over the text tower and a sound encoder
    audio_width: int = 512  # of the sound encoder's vectors
    joint: int = 256


def _caption_tower() -> TextConfig:
    return TextConfig(tokens=100, mask_pads=True, pooler=True)


@dataclass(frozen=True)
class MsClapConfig:
    """Microsoft's CLAP of 2022 (arXiv 2206.04769), which scores the authors' takes: Cnn14 and a BERT of its own."""

    kind: Literal["ms-clap"] = "ms-clap"
    channels: int = 64  # of Cnn14's first block; doubled in each of the six
    classes: int = 527  # AudioSet's, of a head that comes with the file
    caption: TextConfig = field(default_factory=_caption_tower)

    @property
    def audio_width(self) -> int:
        """Width of Cnn14's vectors: 2048."""
        return 32 * self.channels

    @property
    def joint(self) -> int:
        """Width of the joint space: 1024."""
        return self.caption.context_dim


@dataclass(frozen=True)
class VisionConfig:
    """The classifier that hears pictures (Sec. 4.3); an open_clip model in the checkpoint takes its place."""

    kind: Literal["classifier"] = "classifier"
    model: str = "efficientnet_lite0"
    size: int = 224  # pixels per side
    top: int = 10  # classes that take part in the mean (ConSE)


@dataclass(frozen=True)
class OpenClipConfig:
    """The CLIP that the image network was trained on: an open_clip folder in the checkpoint."""

    kind: Literal["open-clip"] = "open-clip"
    model: str = "ViT-H-14"
    pretrained: str = "laion2b_s32b_b79k"  # open_clip's tag of the authors' weights


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to rebuild a model around its weights."""

    name: str = "paper"
    audio: AudioSpec = field(default_factory=AudioSpec)
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    vocoder: VocoderConfig = field(default_factory=HifiganConfig)
    text: TextConfig = field(default_factory=TextConfig)
    clap: ClapConfig | MsClapConfig = field(default_factory=ClapConfig)
    vision: VisionConfig | OpenClipConfig = field(default_factory=VisionConfig)
    guidance: float = 3.0  # default scale in the interface
    latent_cells: tuple[int, int] = field(init=False, default=(10, 78))

    def __post_init__(self) -> None:
        audio = self.audio
        if min(audio.sample_rate, audio.n_fft, audio.hop, audio.mels, audio.frames) < 1:
            raise ValueError("The sound's rate, window, hop, bands and frames must be at least 1.")
        factor = self.autoencoder.factor
        rows, row_rest = divmod(self.audio.mels, factor)
        columns, column_rest = divmod(self.audio.frames, factor)
        if row_rest or column_rest or rows % 2 or columns % 2:
            raise ValueError(
                f"A mel of {self.audio.mels} x {self.audio.frames} does not divide into an even grid of "
                f"{factor} x {factor} latent cells; use multiples of {2 * factor}."
            )
        object.__setattr__(self, "latent_cells", (rows, columns))

    @property
    def frame_multiple(self) -> int:
        """Mel frames come in multiples of this: the U-Net halves the latent once, so 16."""
        return 2 * self.autoencoder.factor

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, ready for `config.json`."""
        data = dataclasses.asdict(self)
        del data["latent_cells"]
        return typing.cast(dict[str, Any], to_plain(data))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ModelConfig:
        """Rebuild from `to_json`. An unknown or missing name raises ValueError with that name."""
        return typing.cast(ModelConfig, from_plain(cls, data, "config"))
