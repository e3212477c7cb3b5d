"""Train the spectrogram autoencoder (paper Sec. 3.4): L1, a KL penalty, and the multi-window discriminator.

python -m train.autoencoder --out runs/autoencoder --minutes 30                          one CPU or one GPU
python -m train.autoencoder --out runs/autoencoder --minutes 30 --batch 64 --frames 128 --graphs   a big GPU
accelerate launch -m train.autoencoder --config paper --out runs/autoencoder --batch 4   many GPUs
python -m train.autoencoder --config tiny --out /tmp/ae --steps 20 --batch 2             seconds, to see it run

To go on from weights alone, with their latents kept as they are (a U-Net trained on them stays good):
python -m train.autoencoder --out runs/autoencoder --start checkpoints/small/autoencoder.safetensors --frozen-encoder
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor

from maa.audio.mel import MelSpectrogram
from maa.config import PRESETS, ModelConfig
from maa.device import layout, send
from maa.models.autoencoder import Autoencoder, Posterior
from train.crops import Crops
from train.data import Library
from train.discriminators import MultiWindow, feature_loss, fixed, fool_loss, gradient_penalty, judge_loss
from train.loop import Draw, Trainer, prepare
from train.losses import balance, length
from train.options import Options


@dataclass(frozen=True)
class Weights:
    """Of the losses beside L1, and when the critics take part."""

    kl: float = 1e-3  # paper-size recipes follow the authors' 1e-6 on sums, which is 6e-8 here
    texture: float = 0.5
    fool: float = 0.5
    features: float = 0.7
    penalty: float = 0.5  # R1 of the critics, on every eighth step
    pace: float = 3.0  # the critics' learning rate as a multiple of the decoder's (two time-scales, arXiv 1706.08500)
    critics: int = 48  # channels
    gate: float = 0.67  # share of the run after which the critics are heard; 1 = never
    ready: float = 0.04  # share of the run that the critics learn alone before that
    strong: float = 0.1  # critics whose loss is below this wait for the decoder (a coin's is 0.5)


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


class Objective:
    """The losses of mels [B, 1, 80, T], in the phases of a run; the critics are gated: not before their time, not when
    far ahead.

    Phases: "alone", "ready" (the critics learn, unheard) and "judged"; on every eighth step of the last two, with
    the gradient penalty: "ready, penalty" and "judged, penalty".

    Args:
        waves: this process's waveforms [B, 256 T] of a step.
    """

    def __init__(
        self,
        model: Autoencoder,
        critics: MultiWindow,
        weights: Weights,
        accelerator: Accelerator,
        front: MelSpectrogram,
        waves: Callable[[Draw], Tensor],
    ) -> None:
        self.model, self.critics, self.weights, self.accelerator = model, critics, weights, accelerator
        self.front, self.waves = front, waves
        self.frozen = not any(parameter.requires_grad for parameter in model.encoder.parameters())

    def inputs(self, draw: Draw) -> dict[str, Tensor]:
        """A mel, the noise of its latent, and where the critics' windows begin."""
        mel = self.front(self.waves(draw))
        config = self.model.config
        latent = mel.new_empty(
            len(mel), config.latent_channels, mel.shape[2] // config.factor, mel.shape[3] // config.factor
        )
        starts = send(self.critics.starts(mel.shape[-1], draw.rng(3)), mel.device)
        return {"mel": mel, "noise": draw.normal(latent), "starts": starts}

    def phase(self, draw: Draw) -> str:
        """By how much of the run is done."""
        if draw.progress < self.weights.gate - self.weights.ready:
            return "alone"
        name = "ready" if draw.progress < self.weights.gate else "judged"
        return f"{name}, penalty" if draw.step % LAZY == 0 else name

    def losses(self, inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
        """The losses of a step."""
        weights, mel = self.weights, inputs["mel"]
        posterior = self._posterior(mel)
        z = posterior.mean + torch.exp(0.5 * posterior.logvar) * inputs["noise"]
        with self.accelerator.autocast():
            made = self.model.decoder(self.model.post_quant_conv(z))
        made = made.float()
        l1 = (made - mel).abs().mean()
        kl = posterior.kl().mean() / z[0].numel()
        rough = texture_distance(made, mel)
        values = {"l1": l1, "kl": kl, "texture": rough}
        if phase == "alone":
            return {"loss": l1 + weights.kl * kl + weights.texture * rough, **values}
        starts = inputs["starts"]
        values |= self._judge(mel, made.detach(), starts, penalised=phase.endswith("penalty"))
        if phase.startswith("ready"):
            return {"loss": l1 + weights.kl * kl + weights.texture * rough, **values}
        with fixed(self.critics), self.accelerator.autocast():
            judged = self.critics(made, starts)
            with torch.no_grad():
                wanted = self.critics(mel, starts)
        fool, features = fool_loss(judged), feature_loss(wanted, judged)
        parts = {"l1": (l1, 1.0), "texture": (rough, weights.texture)}
        parts |= {"fool": (fool, weights.fool), "features": (features, weights.features)}
        (gradient,) = torch.autograd.grad(l1, made, retain_graph=True)
        reach = length(gradient, self.accelerator)  # the KL term keeps the size it had beside a plain L1
        return {
            "loss": balance(parts, made, self.accelerator, reach) + weights.kl * kl,
            **values,
            "fool": fool,
            "features": features,
        }

    def _posterior(self, mel: Tensor) -> Posterior:
        with self.accelerator.autocast(), torch.set_grad_enabled(not self.frozen):
            posterior = self.model.posterior(mel)
        return Posterior(posterior.mean.float(), posterior.logvar.float())

    def _judge(self, mel: Tensor, made: Tensor, starts: Tensor, penalised: bool) -> dict[str, Tensor]:
        """The critics' own loss."""
        with self.accelerator.autocast():
            loss = judge_loss(self.critics(mel, starts), self.critics(made, starts))
        everywhere = loss.detach()
        if self.accelerator.num_processes > 1:
            everywhere = self.accelerator.reduce(everywhere, "mean")
        values = {"judge": loss.detach(), "critics": torch.where(everywhere < self.weights.strong, 0.0 * loss, loss)}
        if penalised:
            seen = mel.clone().requires_grad_(True)
            penalty = gradient_penalty(self.critics(seen, starts), seen)
            values["critics"] = values["critics"] + 0.5 * LAZY * self.weights.penalty * penalty
        return values


def run(
    config: ModelConfig,
    library: Library,
    options: Options,
    batch: int,
    frames: int,
    weights: Weights,
    frozen_encoder: bool = False,
) -> Path:
    """Train on random crops and return the path of the weights.

    Args:
        batch: crops per process. frames: of a crop, a multiple of 8.
        frozen_encoder: train the decoder only.
    """
    accelerator = prepare()
    torch.manual_seed(options.seed)
    source = Crops(library, "train", frames * config.audio.hop, accelerator.device)
    front = MelSpectrogram(config.audio).to(accelerator.device)
    form = layout(accelerator.device)
    model = Autoencoder(config.autoencoder).to(accelerator.device).to(memory_format=form)
    critics = MultiWindow(weights.critics).to(accelerator.device).to(memory_format=form)
    # Start the output at the mean of the data: the last bias would take thousands of steps to walk there.
    sample = source.fixed(64, options.seed)
    bias = model.decoder.conv_out.bias
    assert bias is not None
    with torch.no_grad():
        bias.fill_(front(sample).mean())
    if frozen_encoder:
        model.encoder.requires_grad_(False)
        model.quant_conv.requires_grad_(False)
    heard = critics if weights.gate < 1 else None
    networks = [model.encoder, model.decoder]
    trainer = Trainer(model, options, "autoencoder", accelerator, heard, pace=weights.pace, compilable=networks)
    objective = Objective(model, critics, weights, accelerator, front, lambda draw: source.of(draw, batch))

    def show(folder: Path, step: int) -> None:
        from maa.audio.picture import draw as picture

        folder.mkdir(parents=True, exist_ok=True)
        mel = front(sample[:2])
        for k, pair in enumerate(zip(mel, model.decode(model.encode(mel)), strict=True)):
            both = torch.cat([side[0] for side in pair], dim=1).cpu().numpy()
            picture(both, config.audio, folder / f"{step:07d}-real-and-made-{k}.png")

    return trainer.run(objective, show)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=sorted(PRESETS), default="small")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--batch", type=int, default=8, help="crops per process")
    parser.add_argument("--frames", type=int, default=64, help="mel frames in a crop, a multiple of 8")
    parser.add_argument(
        "--frozen-encoder", action="store_true", help="train the decoder only; latents stay as they are"
    )
    for field in fields(Weights):
        kind = int if field.type == "int" else float
        parser.add_argument(f"--{field.name}-weight", type=kind, default=field.default, dest=field.name)
    Options.add_to(parser, lr=1e-3)
    args = parser.parse_args()
    weights = Weights(**{field.name: getattr(args, field.name) for field in fields(Weights)})
    library = Library.open(args.library)
    run(PRESETS[args.config], library, Options.of(args), args.batch, args.frames, weights, args.frozen_encoder)


if __name__ == "__main__":
    main()
