"""One of the authors' files in our terms: what it is, and its tensors under our names, each of them checked.

Strict: a key that is missing, one that is left over, a wrong shape and a wrong type are all refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from maa.config import PAPER, AudioSpec, ModelConfig, MsClapConfig, OpenClipConfig, ScheduleConfig
from maa.config.vocoders import BigvganConfig, HifiganConfig
from maa.diffusion.schedule import Schedule
from maa.models.autoencoder import Autoencoder
from maa.models.bigvgan import low_pass
from maa.models.msclap import Cnn14, MsClapHeads, stored_front_end
from maa.models.text import TextEncoder, spelling_tokenizer
from maa.models.unet import UNet
from maa.models.vocoders import build_vocoder
from maa.official import keys, names, shapes
from maa.official.pickles import TensorFile, check_shape
from maa.official.shapes import Kind

Weights = dict[str, Tensor]
Rename = Callable[[Iterable[str]], dict[str, str]]  # our names -> {our name: their name}

UNET, FIRST_STAGE, COND = "model.diffusion_model.", "first_stage_model.", "cond_stage_model."
CLIP = f"{COND}model."
FRAMES: dict[Kind, int] = {"text": 624, "image": 624, "inpaint": 848}  # the lengths they were trained on
CONDITION_TOKENS, CAPTION_TOKENS = 77, 100
# Computed from the schedule, or counters: in the files, but no weights.
BUFFERS = {
    *("betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod"),
    *("log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod"),
    *("posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2"),
    *("lvlb_weights", "scale_factor"),
}


@dataclass(frozen=True)
class Network:
    """A diffusion checkpoint. Its config says mel convention "B" until someone knows better."""

    source: TensorFile
    kind: Kind
    config: ModelConfig
    parts: dict[str, Weights]
    clip: Weights = field(default_factory=dict)  # an open_clip model, under open_clip's own names


@dataclass(frozen=True)
class Vocoder:
    """A vocoder, weight norm folded."""

    source: TensorFile
    config: HifiganConfig | BigvganConfig
    weights: Weights

    def build(self) -> nn.Module:
        """The network itself, for a round trip."""
        network = build_vocoder(self.config, PAPER.audio)
        network.load_state_dict({name: value.float() for name, value in self.weights.items()})
        return network.eval()


@dataclass(frozen=True)
class ClapFile:
    """MS-CLAP: both towers."""

    source: TensorFile
    config: MsClapConfig
    parts: dict[str, Weights]


def recognise(source: TensorFile) -> Network | Vocoder | ClapFile:
    """What a file is, told from its keys; ValueError with the file's name when it is nothing of the authors'."""
    tensors = source.tensors
    try:
        if f"{UNET}input_blocks.0.0.weight" in tensors:
            return _network(source)
        if any(name.startswith(("conv_pre.", "resblocks.")) for name in tensors):
            return _read_vocoder(source)
        if any(name.startswith(("audio_encoder.", "caption_encoder.")) for name in tensors):
            return _clap(source)
    except (ValueError, RuntimeError, IndexError, ZeroDivisionError) as error:
        raise ValueError(f"{source.path}: {error}") from error
    raise ValueError(f"{source.path} is none of the authors' networks; its first key is {next(iter(tensors))!r}.")


class Ledger:
    """The tensors of a file, crossed off as they are used."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = tensors
        self.used: set[str] = set()

    def under(self, prefix: str) -> Weights:
        """The tensors below a prefix, by the rest of their names."""
        return {name[len(prefix) :]: value for name, value in self.tensors.items() if name.startswith(prefix)}

    def take(self, prefix: str, build: Callable[[], nn.Module], rename: Rename) -> Weights:
        """All weights of one of our networks, found below a prefix by their names there; `build` runs without room."""
        with torch.device("meta"):
            ours = {name: tuple(value.shape) for name, value in build().state_dict().items()}
        theirs = {name: prefix + other for name, other in rename(ours).items()}
        absent = [name for name in theirs.values() if name not in self.tensors]
        if absent:
            raise ValueError(f"{_some(absent)} missing; the file is not complete.")
        self.used.update(theirs.values())
        return {name: check_shape(theirs[name], self.tensors[theirs[name]], shape) for name, shape in ours.items()}

    def compare(self, expected: Mapping[str, Tensor], what: str) -> None:
        """Constants that a file stores and we compute: where they are stored they must agree."""
        for name, value in expected.items():
            if name in self.tensors:
                stored = check_shape(name, self.tensors[name], tuple(value.shape))
                if not torch.allclose(stored.float(), value.float(), rtol=1e-3, atol=1e-4):
                    raise ValueError(f"{name} is another {what} than the authors'.")
                self.used.add(name)

    def close(self, allowed: Iterable[str] = ()) -> None:
        """Nothing may be left over but what is allowed, and BERT's list of positions."""
        known = {*self.used, *allowed}
        left = [name for name in self.tensors if name not in known and not name.endswith(".position_ids")]
        if left:
            raise ValueError(f"{_some(left)} unexpected; the file is of another kind or version.")


def _some(found: list[str]) -> str:
    listed = ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
    return f"{listed} {'is' if len(found) == 1 else 'are'}"


def _network(source: TensorFile) -> Network:
    ledger = Ledger(source.tensors)
    sizes = {name: tuple(value.shape) for name, value in source.tensors.items()}
    kind, unet = shapes.unet_of(_under(sizes, UNET))
    schedule = _schedule(source.tensors)
    autoencoder = shapes.autoencoder_of(_under(sizes, FIRST_STAGE), _scale(source.tensors, kind))
    config = replace(
        PAPER,
        name=f"official-{kind}",
        audio=AudioSpec(frames=FRAMES[kind]),
        unet=unet,
        schedule=schedule,
        autoencoder=autoencoder,
    )
    parts = {
        "unet": ledger.take(UNET, lambda: UNet(unet), keys.unet_keys),
        "autoencoder": ledger.take(FIRST_STAGE, lambda: Autoencoder(autoencoder), keys.autoencoder_keys),
    }
    clip: Weights = {}
    if kind == "text":
        text = shapes.text_tower_of(_under(sizes, f"{COND}caption_encoder."), CONDITION_TOKENS)
        if (text.projection or text.width) != unet.context_dim:
            raise ValueError(
                f"its text encoder gives {text.projection} numbers a token, its U-Net wants another count."
            )
        config = replace(config, text=text)
        parts["text"] = ledger.take(COND, lambda: TextEncoder(text, spelling_tokenizer()), _each(names.text_key))
    elif kind == "image":
        config = replace(config, vision=OpenClipConfig())
        clip = ledger.under(CLIP)
        ledger.used.update(CLIP + name for name in clip)
    else:
        _same_twice(ledger)
    ledger.close(BUFFERS)
    return Network(source, kind, config, parts, clip)


def _schedule(tensors: Mapping[str, Tensor]) -> ScheduleConfig:
    """The schedule whose betas are stored; ValueError when they are not linear in their square roots (Eq. 4)."""
    if "betas" not in tensors:
        raise ValueError("betas is missing; the file is not complete.")
    betas = check_shape("betas", tensors["betas"], (tensors["betas"].numel(),)).double()
    ends = [float(f"{float(betas[i]):.6g}") for i in (0, -1)]  # 0.00085 was stored as a float32
    config = ScheduleConfig(steps=len(betas), beta_start=ends[0], beta_end=ends[1])
    if not 0 < ends[0] < ends[1] < 1 or not torch.allclose(Schedule(config).betas, betas, rtol=1e-4, atol=0.0):
        raise ValueError("betas is not latent diffusion's linear schedule.")
    return config


def _scale(tensors: Mapping[str, Tensor], kind: Kind) -> float:
    """The latent scale: stored, except by the inpainting network, which has none."""
    if "scale_factor" not in tensors and kind == "inpaint":
        return 1.0
    if "scale_factor" not in tensors:
        raise ValueError("scale_factor is missing; without it the latents have the wrong size.")
    scale = float(check_shape("scale_factor", tensors["scale_factor"], ()))
    if scale <= 0:
        raise ValueError(f"scale_factor should be positive, not {scale:g}.")
    return scale


def _same_twice(ledger: Ledger) -> None:
    """The inpainting file holds its autoencoder a second time, as the module that encodes the condition."""
    first = ledger.under(FIRST_STAGE)
    for name, value in ledger.under(COND).items():
        if name not in first or value.shape != first[name].shape or not torch.equal(value, first[name]):
            raise ValueError(f"{COND}{name} differs from the autoencoder's; the file is of another kind or version.")
        ledger.used.add(COND + name)


def _read_vocoder(source: TensorFile) -> Vocoder:
    tensors = _folded(source.tensors)
    config = shapes.vocoder_of({name: tuple(value.shape) for name, value in tensors.items()})
    ledger = Ledger(tensors)
    rename = _each(names.bigvgan) if isinstance(config, BigvganConfig) else keys.hifigan
    weights = ledger.take("", lambda: build_vocoder(config, PAPER.audio), rename)
    filters = [name for name in tensors if name.endswith(".filter")]
    ledger.compare({name: low_pass().float()[None, None] for name in filters}, "low-pass filter")
    ledger.close()
    return Vocoder(source, config, weights)


def _folded(tensors: Mapping[str, Tensor]) -> Weights:
    """Weight norm as plain weights: w = g v / |v|, in v's own memory, so that a large file is not held twice."""
    plain: Weights = {}
    for name, value in tensors.items():
        if not name.endswith(".weight_v"):
            if not name.endswith(".weight_g"):
                plain[name] = value
            continue
        gain = name.replace(".weight_v", ".weight_g")
        if gain not in tensors:
            raise ValueError(f"{gain} is missing; the file is not complete.")
        check_shape(gain, tensors[gain], (len(value), *[1] * (value.ndim - 1)))
        weight = check_shape(name, value, tuple(value.shape)).float()
        norm = weight.flatten(1).norm(dim=1).view(tensors[gain].shape)
        plain[name.replace(".weight_v", ".weight")] = weight.mul_(tensors[gain].float() / norm)
    return plain


def _clap(source: TensorFile) -> ClapFile:
    sizes = {name: tuple(value.shape) for name, value in source.tensors.items()}
    caption = shapes.text_tower_of(_under(sizes, "caption_encoder."), CAPTION_TOKENS)
    config = MsClapConfig(
        channels=shapes.shape(sizes, "audio_encoder.base.conv_block1.conv1.weight")[0],
        classes=shapes.shape(sizes, "audio_encoder.base.fc_audioset.weight")[0],
        caption=replace(caption, mask_pads=True),
    )
    ledger = Ledger(source.tensors)
    parts = {
        "clap": ledger.take("", lambda: MsClapHeads(config, spelling_tokenizer()), _each(names.clap_text)),
        "clap_audio": ledger.take("", lambda: Cnn14(config), _each(names.clap_audio)),
    }
    front = {f"audio_encoder.base.{name}": value for name, value in stored_front_end().items()}
    ledger.compare(front, "spectrogram")
    ledger.close()
    return ClapFile(source, config, parts)


def _each(rename: Callable[[str], str]) -> Rename:
    return lambda ours: {name: rename(name) for name in ours}


def _under(sizes: Mapping[str, tuple[int, ...]], prefix: str) -> dict[str, tuple[int, ...]]:
    return {name[len(prefix) :]: size for name, size in sizes.items() if name.startswith(prefix)}
