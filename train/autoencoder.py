"""Train the spectrogram autoencoder (paper Sec. 3.4): L1, a KL penalty, and the multi-window discriminator.

python -m train.autoencoder --out runs/autoencoder --minutes 30                          one CPU or one GPU
python -m train.autoencoder --out runs/autoencoder --minutes 30 --batch 64 --frames 128 --graphs   a big GPU
accelerate launch -m train.autoencoder --config paper --out runs/autoencoder --batch 4 --kl-weight 6e-8   many GPUs
python -m train.autoencoder --config tiny --out /tmp/ae --steps 20 --batch 2             seconds, to see it run

To go on from weights alone, with their latents kept as they are (a U-Net trained on them stays good):
python -m train.autoencoder --out runs/autoencoder --start checkpoints/small/autoencoder.safetensors --frozen-encoder
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor

from maa.audio import picture
from maa.audio.mel import MelSpectrogram
from maa.config import ModelConfig, changed
from maa.device import layout, send
from maa.models.autoencoder import Autoencoder, Posterior
from train.adversarial.discriminators import MultiWindowDiscriminator
from train.adversarial.losses import (
    adversarial_loss,
    balance,
    discriminator_loss,
    feature_matching,
    fixed,
    gradient_norm,
    gradient_penalty,
    held_back,
    weighted,
)
from train.adversarial.options import DiscriminatorOptions
from train.data import Library
from train.data.crops import WaveCrops
from train.trainer.draw import Draw
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

# Of the losses, by their names. The authors' KL of 1e-6 on sums over 3,120 latents, beside an L1 on the sum over
# 49,920 cells, is 6e-8 on these means.
WEIGHTS = {
    "l1": 1.0,
    "kl": 1e-3,
    "texture": 0.5,
    "adversarial": 0.5,
    "feature_matching": 0.7,
    "gradient_penalty": 0.5,  # R1 of the discriminator, on every eighth step
}
DISCRIMINATOR = DiscriminatorOptions(channels=48, lr_ratio=3.0, floor=0.1)
LAGS = ((0, 1), (0, 2), (1, 0), (2, 0))  # bands and frames
LAZY = 8  # steps between gradient penalties (StyleGAN2's lazy regularisation)


def texture_distance(made: Tensor, real: Tensor) -> Tensor:
    """How differently rough two mels [B, 1, 80, T] are: local means of the absolute steps to cells 1 and 2 away.

    L1 alone answers noise with its median, a smooth mel that no real sound has and that a vocoder turns into a buzz.
    This asks for as much grain as the real mel has nearby, without asking for the same grain.
    """
    total = made.new_zeros(())
    for bands, frames in LAGS:
        grains = []
        for mel in (made, real):
            ahead = mel[..., bands:, frames:]
            step = (ahead - mel[..., : ahead.shape[2], : ahead.shape[3]]).abs()
            grains.append(F.avg_pool2d(step, (8, 16), stride=(4, 8)))
        total = total + (grains[0] - grains[1]).abs().mean()
    return total / len(LAGS)


class AutoencoderObjective:
    """The losses of mels [B, 1, 80, T], in the phases of a run (`DiscriminatorOptions.phase`); on every eighth step of
    those with a discriminator there is its gradient penalty, too: "warm-up, penalty" and "adversarial, penalty".

    Args:
        weights: as WEIGHTS.
        waves: this process's waveforms [B, hop * T] of a step.
    """

    def __init__(
        self,
        model: Autoencoder,
        discriminator: MultiWindowDiscriminator,
        weights: Mapping[str, float],
        chosen: DiscriminatorOptions,
        accelerator: Accelerator,
        front: MelSpectrogram,
        waves: Callable[[Draw], Tensor],
    ) -> None:
        self.model, self.discriminator, self.weights, self.chosen = model, discriminator, weights, chosen
        self.accelerator, self.front, self.waves = accelerator, front, waves
        self.frozen = not any(parameter.requires_grad for parameter in model.encoder.parameters())

    def inputs(self, draw: Draw) -> dict[str, Tensor]:
        """A mel, the noise of its latent, and where the discriminator's windows begin."""
        wave = self.waves(draw)
        mel = self.front(wave)[..., : wave.shape[1] // self.front.spec.hop]  # convention A has a frame more
        config = self.model.config
        latent = mel.new_empty(
            len(mel), config.latent_channels, mel.shape[2] // config.factor, mel.shape[3] // config.factor
        )
        starts = send(self.discriminator.starts(mel.shape[-1], draw.rng(3)), mel.device)
        return {"mel": mel, "noise": draw.normal(latent), "starts": starts}

    def phase(self, draw: Draw) -> str:
        """By how much of the run is done, and every eighth step apart."""
        name = self.chosen.phase(draw.progress)
        return f"{name}, penalty" if name != "reconstruction" and draw.step % LAZY == 0 else name

    def losses(self, inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
        """The losses of a step."""
        weights, mel = self.weights, inputs["mel"]
        posterior = self._posterior(mel)
        z = posterior.mean + torch.exp(0.5 * posterior.logvar) * inputs["noise"]
        with self.accelerator.autocast():
            made = self.model.decoder(self.model.post_quant_conv(z))
        made = made.float()
        terms = {"l1": (made - mel).abs().mean(), "texture": texture_distance(made, mel)}
        kl = posterior.kl().mean() / z[0].numel()
        seen: dict[str, Tensor] = {}
        if phase != "reconstruction":
            seen = self._discriminator(mel, made.detach(), inputs["starts"], penalised=phase.endswith("penalty"))
        if not phase.startswith("adversarial"):
            return {"loss": weighted({**terms, "kl": kl}, weights), **terms, "kl": kl, **seen}
        with fixed(self.discriminator), self.accelerator.autocast():
            judged = self.discriminator(made, inputs["starts"])
            with torch.no_grad():
                wanted = self.discriminator(mel, inputs["starts"])
        terms |= {"adversarial": adversarial_loss(judged), "feature_matching": feature_matching(wanted, judged)}
        (gradient,) = torch.autograd.grad(terms["l1"], made, retain_graph=True)
        reach = gradient_norm(gradient, self.accelerator)  # the KL term keeps the size it had beside a plain L1
        loss = balance(terms, weights, made, self.accelerator, reach) + weights["kl"] * kl
        return {"loss": loss, **terms, "kl": kl, **seen}

    def _posterior(self, mel: Tensor) -> Posterior:
        with self.accelerator.autocast(), torch.set_grad_enabled(not self.frozen):
            posterior = self.model.posterior(mel)
        return Posterior(posterior.mean.float(), posterior.logvar.float())

    def _discriminator(self, mel: Tensor, made: Tensor, starts: Tensor, penalised: bool) -> dict[str, Tensor]:
        """The discriminator's own loss, and its terms."""
        with self.accelerator.autocast():
            loss = discriminator_loss(self.discriminator(mel, starts), self.discriminator(made, starts))
        values = {"discriminator": held_back(loss, self.chosen.floor, self.accelerator), "least_squares": loss.detach()}
        if penalised:
            given = mel.clone().requires_grad_(True)
            penalty = gradient_penalty(self.discriminator(given, starts), given)
            values["discriminator"] = values["discriminator"] + 0.5 * LAZY * self.weights["gradient_penalty"] * penalty
            values["gradient_penalty"] = penalty.detach()
        return values


def train_autoencoder(
    config: ModelConfig,
    library: Library,
    options: RunOptions,
    batch: int,
    frames: int,
    weights: Mapping[str, float] = WEIGHTS,
    chosen: DiscriminatorOptions = DISCRIMINATOR,
    frozen_encoder: bool = False,
) -> Path:
    """Train on random crops and return the path of the weights.

    Args:
        batch: crops per process. frames: of a crop, a multiple of 8.
        frozen_encoder: train the decoder only.
    """
    accelerator = make_accelerator()
    torch.manual_seed(options.seed)
    options = scaled(options, batch, accelerator.num_processes)
    source = WaveCrops(library, "train", frames * config.audio.hop, accelerator.device)
    front = MelSpectrogram(config.audio).to(accelerator.device)
    form = layout(accelerator.device)
    model = Autoencoder(config.autoencoder).to(accelerator.device).to(memory_format=form)
    discriminator = MultiWindowDiscriminator(chosen.channels).to(accelerator.device).to(memory_format=form)
    # Start the output at the mean of the data: the last bias would take thousands of steps to walk there.
    sample = source.fixed(64, options.seed)
    with torch.no_grad():
        model.decoder.conv_out.get_parameter("bias").fill_(front(sample).mean())
    if frozen_encoder:
        model.encoder.requires_grad_(False)
        model.quant_conv.requires_grad_(False)
    trainer = Trainer(
        model,
        options,
        "autoencoder",
        accelerator,
        discriminator if chosen.takes_part else None,
        lr_ratio=chosen.lr_ratio,
        compilable=[model.encoder, model.decoder],
    )
    objective = AutoencoderObjective(
        model, discriminator, weights, chosen, accelerator, front, lambda draw: source.of(draw, batch)
    )

    def show(folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        mel = front(sample[:2])[..., :frames]
        for k, pair in enumerate(zip(mel, model.decode(model.encode(mel)), strict=True)):
            both = torch.cat([side[0] for side in pair], dim=1).cpu().numpy()
            picture.draw(both, config.audio, folder / f"{step:07d}-real-and-made-{k}.png")

    return trainer.run(objective, show)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_config(parser, "small")
    parser.add_argument("--latent-channels", type=int, help="numbers of a latent cell (Table 8 has 4, 32 and 128)")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--batch", type=int, default=8, help="crops per process")
    parser.add_argument("--frames", type=int, default=64, help="mel frames in a crop, a multiple of 8")
    parser.add_argument(
        "--frozen-encoder", action="store_true", help="train the decoder only; latents stay as they are"
    )
    add_weights(parser, WEIGHTS)
    add_fields(parser, DiscriminatorOptions, "discriminator_", **asdict(DISCRIMINATOR))
    add_fields(parser, RunOptions, lr=1e-3)
    args = parser.parse_args()
    chosen = from_args(DiscriminatorOptions, args, "discriminator_")
    options, weights = from_args(RunOptions, args), weights_from(args, WEIGHTS)
    with one_line(parser):
        config = config_from(args)
        if args.latent_channels:
            config = changed(config, [f"autoencoder.latent_channels={args.latent_channels}"])
        library = Library.open(args.library, rate=config.audio.sample_rate)
        train_autoencoder(config, library, options, args.batch, args.frames, weights, chosen, args.frozen_encoder)


if __name__ == "__main__":
    main()
