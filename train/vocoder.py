"""Train a vocoder (paper Sec. 5.2): reconstruction first, HiFi-GAN's adversarial losses in the last third.

python -m train.vocoder --out runs/vocoder --minutes 30                                 one CPU or one GPU
python -m train.vocoder --out runs/vocoder --minutes 30 --batch 64 --graphs   a big GPU
accelerate launch -m train.vocoder --config paper --vocoder hifigan --out runs/vocoder --batch 16 \\
    --frames 32 --lr 2e-4 --discriminator-channels 128 --discriminator-start 0          HiFi-GAN V1 on many GPUs
accelerate launch -m train.vocoder --config paper --out runs/vocoder --batch 16 --frames 32 --lr 1e-4 \\
    --discriminator-channels 128 --discriminator-start 0                                BigVGAN on many GPUs
python -m train.vocoder --config tiny --out /tmp/vocoder --steps 20 --batch 2           seconds, to see it run

All kinds train alike: the inverse-STFT vocoder of "small", the BigVGAN of "paper" (the authors' published one; its
second kind of discriminators looks at resolutions instead of scales) and, with --vocoder hifigan, the paper's HiFi-GAN.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from maa.audio.mel import MelSpectrogram
from maa.config import ModelConfig
from maa.config.vocoders import BigvganConfig, HifiganConfig, IstftConfig, VocoderConfig
from maa.models.hifigan import Generator
from maa.models.istft import IstftVocoder
from maa.models.refine import vocode
from maa.models.vocoders import build_vocoder
from train.adversarial.discriminators import WaveDiscriminator
from train.adversarial.losses import (
    FrameLines,
    MultiResolutionStft,
    adversarial_loss,
    discriminator_loss,
    feature_matching,
    fixed,
    held_back,
    weighted,
)
from train.adversarial.options import DiscriminatorOptions
from train.data import Library
from train.data.crops import WaveCrops
from train.trainer.draw import Draw
from train.trainer.journal import write_wave
from train.trainer.keeping import one_line
from train.trainer.loop import Trainer
from train.trainer.options import (
    RunOptions,
    add_config,
    add_fields,
    add_weights,
    config_from,
    from_args,
    scaled,
    weights_from,
)
from train.trainer.precision import make_accelerator

# Of the losses, by their names: HiFi-GAN V1's (its Eq. 3 and 5), and ours for the reconstruction that comes first.
WEIGHTS = {
    "mel": 45 * math.log(10),  # on natural logarithms it is 45; our mel counts in decades
    "stft": 45.0,
    "lines": 20.0,  # on the buzz at the frame rate
    "adversarial": 1.0,
    "feature_matching": 2.0,
}
DISCRIMINATOR = DiscriminatorOptions()
KINDS: dict[str, type[VocoderConfig]] = {"bigvgan": BigvganConfig, "hifigan": HifiganConfig, "istft": IstftConfig}


class VocoderObjective:
    """The losses of waves [B, L], in the phases of a run (`DiscriminatorOptions.phase`).

    Args:
        weights: as WEIGHTS.
        config: of the model, whose vocoder's waveform is refined as it says: what is heard is what learns.
        waves: this process's waves of a step, `length` samples each.
    """

    def __init__(
        self,
        model: nn.Module,
        discriminator: WaveDiscriminator,
        weights: Mapping[str, float],
        chosen: DiscriminatorOptions,
        accelerator: Accelerator,
        config: ModelConfig,
        waves: Callable[[Draw], Tensor],
        length: int,
    ) -> None:
        self.model, self.discriminator, self.weights, self.chosen = model, discriminator, weights, chosen
        self.accelerator, self.waves = accelerator, waves
        self.front = MelSpectrogram(config.audio).to(accelerator.device)
        self.refine = getattr(config.vocoder, "refine", None)
        self.distance = MultiResolutionStft().to(accelerator.device)
        self.lines = FrameLines(length, config.audio.hop, config.audio.sample_rate).to(accelerator.device)

    def inputs(self, draw: Draw) -> dict[str, Tensor]:
        """Waves and their mels."""
        wave = self.waves(draw)
        return {"wave": wave, "mel": self.mel(wave)}

    def phase(self, draw: Draw) -> str:
        """By how much of the run is done."""
        return self.chosen.phase(draw.progress)

    def losses(self, inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
        """The losses of a step."""
        wave, mel = inputs["wave"], inputs["mel"]
        with self.accelerator.autocast():
            made = self.made(mel)
        terms = {
            "mel": (self.mel(made) - mel).abs().mean(),
            "stft": self.distance(made, wave),
            "lines": self.lines(made, wave),
        }
        seen: dict[str, Tensor] = {}
        if phase != "reconstruction":
            with self.accelerator.autocast():
                loss = discriminator_loss(self.discriminator(wave), self.discriminator(made.detach()))
            seen["discriminator"] = held_back(loss, self.chosen.floor, self.accelerator)
        if phase == "adversarial":
            with fixed(self.discriminator), self.accelerator.autocast():
                judged = self.discriminator(made)
                with torch.no_grad():
                    wanted = self.discriminator(wave)
            # HiFi-GAN sums both over its discriminators.
            terms["adversarial"] = len(judged) * adversarial_loss(judged)
            terms["feature_matching"] = len(judged) * feature_matching(wanted, judged)
        return {"loss": weighted(terms, self.weights), **terms, **seen}

    def mel(self, wave: Tensor) -> Tensor:
        """Mels [B, 1, mels, L / hop] of waves; convention A has a frame more."""
        return self.front(wave)[..., : wave.shape[1] // self.front.spec.hop]

    def made(self, mel: Tensor) -> Tensor:
        """Waveforms [B, L] of mels, as the program gives them out."""
        front = self.front
        return vocode(self.model, front.to_vocoder(mel), front.filters, front.spec, self.refine).float()


def trainable_vocoder(config: ModelConfig) -> nn.Module:
    """The configuration's vocoder, HiFi-GAN and BigVGAN with weight norm."""
    return build_vocoder(config.vocoder, config.audio, weight_norm=True)


def without_weight_norm(config: ModelConfig, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Averaged weights as the program loads them: without weight norm."""
    network = trainable_vocoder(config)
    if not isinstance(network, Generator):
        return values
    network.load_state_dict(values)
    return network.fold().state_dict()


def train_vocoder(
    config: ModelConfig,
    library: Library,
    options: RunOptions,
    batch: int,
    frames: int,
    weights: Mapping[str, float] = WEIGHTS,
    chosen: DiscriminatorOptions = DISCRIMINATOR,
) -> Path:
    """Train on random crops and return the path of the weights.

    Args:
        batch: crops per process. frames: of a crop.
    """
    accelerator = make_accelerator()
    torch.manual_seed(options.seed)
    options = scaled(options, batch, accelerator.num_processes)
    length = frames * config.audio.hop
    source = WaveCrops(library, "train", length, accelerator.device)
    model = trainable_vocoder(config).to(accelerator.device)
    resolutions = isinstance(config.vocoder, BigvganConfig)
    discriminator = WaveDiscriminator(chosen.channels, resolutions).to(accelerator.device)
    trainer = Trainer(
        model,
        options,
        "vocoder",
        accelerator,
        discriminator if chosen.takes_part else None,
        lambda values: without_weight_norm(config, values),
        lr_ratio=chosen.lr_ratio,
        # Behind the inverse STFT's blocks come complex numbers, which compilers leave alone anyway.
        compilable=[model.blocks if isinstance(model, IstftVocoder) else model, discriminator],
    )
    objective = VocoderObjective(
        model, discriminator, weights, chosen, accelerator, config, lambda draw: source.of(draw, batch), length
    )
    real = source.fixed(2, options.seed)

    def show(folder: Path, step: int) -> None:
        made = objective.made(objective.mel(real))
        for k, pair in enumerate(zip(real, made, strict=True)):
            both = torch.cat([*pair]).cpu().numpy()
            write_wave(folder / f"{step:07d}-real-then-made-{k}.wav", both, config.audio.sample_rate)

    return trainer.run(objective, show)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_config(parser, "small")
    parser.add_argument("--vocoder", choices=sorted(KINDS), help="instead of the configuration's, in its usual sizes")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--batch", type=int, default=8, help="crops per process")
    parser.add_argument("--frames", type=int, default=64, help="mel frames in a crop")
    add_weights(parser, WEIGHTS)
    add_fields(parser, DiscriminatorOptions, "discriminator_", **asdict(DISCRIMINATOR))
    add_fields(parser, RunOptions, lr=5e-4, clip=1000.0)  # the losses are HiFi-GAN's, 45 times a mel distance
    args = parser.parse_args()
    chosen = from_args(DiscriminatorOptions, args, "discriminator_")
    options, weights = from_args(RunOptions, args), weights_from(args, WEIGHTS)
    with one_line(parser):
        config = config_from(args, **({"vocoder": KINDS[args.vocoder]()} if args.vocoder else {}))
        library = Library.open(args.library, rate=config.audio.sample_rate)
        train_vocoder(config, library, options, args.batch, args.frames, weights, chosen)


if __name__ == "__main__":
    main()
