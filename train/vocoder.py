"""Train a vocoder (paper Sec. 5.2): reconstruction first, HiFi-GAN's adversarial losses in the last third.

python -m train.vocoder --out runs/vocoder --minutes 30                                 one CPU or one GPU
python -m train.vocoder --out runs/vocoder --minutes 30 --batch 64 --graphs   a big GPU
accelerate launch -m train.vocoder --config paper --out runs/vocoder --batch 16 \\
    --frames 32 --lr 2e-4 --critics-weight 128 --gate-weight 0                          HiFi-GAN V1 on many GPUs
python -m train.vocoder --config tiny --out /tmp/vocoder --steps 20 --batch 2           seconds, to see it run

The inverse-STFT vocoder of "small" and the HiFi-GAN of "paper" train alike.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from maa.audio.mel import MelSpectrogram
from maa.config import PRESETS, HifiganConfig, IstftConfig, ModelConfig, RefineConfig
from maa.models.hifigan import HifiganGenerator
from maa.models.istft import IstftVocoder
from maa.models.refine import vocode
from train.crops import Crops
from train.data import Library
from train.discriminators import WaveCritics, feature_loss, fixed, fool_loss, judge_loss
from train.journal import write_wave
from train.loop import Draw, Trainer, prepare
from train.losses import FrameLines, MultiResolutionStft
from train.options import Options


@dataclass(frozen=True)
class Weights:
    """HiFi-GAN V1's (its Eq. 3 and 5), and ours for the reconstruction that comes first."""

    mel: float = 45 * math.log(10)  # on natural logarithms it is 45; our mel counts in decades
    stft: float = 45.0
    lines: float = 20.0  # on the buzz at the frame rate
    features: float = 2.0
    fool: float = 1.0
    critics: int = 32  # channels; 128 are HiFi-GAN V1's
    gate: float = 0.67  # share of the run after which the critics are heard; 0 = from the start, 1 = never
    ready: float = 0.04  # share of the run that the critics learn alone before that


class Objective:
    """The losses of waves [B, L], in the phases of a run: "alone", "ready" (the critics learn, unheard), "judged".

    Args:
        waves: this process's waves of a step, `length` samples each.
        chosen: how the vocoder's waveform is refined: what is heard is what learns. None = not at all.
    """

    def __init__(
        self,
        model: nn.Module,
        critics: WaveCritics,
        weights: Weights,
        accelerator: Accelerator,
        front: MelSpectrogram,
        waves: Callable[[Draw], Tensor],
        chosen: RefineConfig | None,
        length: int,
    ) -> None:
        self.model, self.critics, self.weights, self.accelerator = model, critics, weights, accelerator
        self.front, self.waves = front, waves
        self.distance = MultiResolutionStft().to(accelerator.device)
        self.chosen = chosen
        self.lines = FrameLines(length, front.spec.hop, front.spec.sample_rate).to(accelerator.device)

    def inputs(self, draw: Draw) -> dict[str, Tensor]:
        """Waves and their mels."""
        wave = self.waves(draw)
        return {"wave": wave, "mel": self.front(wave)}

    def phase(self, draw: Draw) -> str:
        """By how much of the run is done."""
        if draw.progress < self.weights.gate - self.weights.ready:
            return "alone"
        return "ready" if draw.progress < self.weights.gate else "judged"

    def losses(self, inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
        """The losses of a step."""
        weights, wave, mel = self.weights, inputs["wave"], inputs["mel"]
        with self.accelerator.autocast():
            made = self.made(mel)
        l1 = (self.front(made) - mel).abs().mean()
        stft, lines = self.distance(made, wave), self.lines(made, wave)
        total = weights.mel * l1 + weights.stft * stft + weights.lines * lines
        values = {"mel": l1, "stft": stft, "lines": lines}
        if phase == "alone":
            return {"loss": total, **values}
        with self.accelerator.autocast():
            values["critics"] = judge_loss(self.critics(wave), self.critics(made.detach()))
        if phase == "judged":
            with fixed(self.critics), self.accelerator.autocast():
                judged = self.critics(made)
                with torch.no_grad():
                    wanted = self.critics(wave)
            # HiFi-GAN sums both over its critics.
            fool, features = (len(judged) * x for x in (fool_loss(judged), feature_loss(wanted, judged)))
            total = total + weights.fool * fool + weights.features * features
            values |= {"fool": fool, "features": features}
        return {"loss": total, **values}

    def made(self, mel: Tensor) -> Tensor:
        """Waveforms [B, L] of mels, as the program gives them out."""
        front = self.front
        return vocode(self.model, front.to_vocoder(mel), front.filters, front.spec, self.chosen).float()


def build(config: ModelConfig) -> nn.Module:
    """The configuration's vocoder, HiFi-GAN with weight norm."""
    if isinstance(config.vocoder, HifiganConfig):
        return HifiganGenerator(config.vocoder, config.audio.mels, weight_norm=True)
    if isinstance(config.vocoder, IstftConfig):
        return IstftVocoder(config.vocoder, config.audio)
    raise ValueError(f"There is no training of {config.vocoder.kind} here; choose hifigan or istft.")


def plain(config: ModelConfig, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Averaged weights as the program loads them: without weight norm."""
    if not isinstance(config.vocoder, HifiganConfig):
        return values
    network = build(config)
    network.load_state_dict(values)
    assert isinstance(network, HifiganGenerator)
    return network.fold().state_dict()


def run(config: ModelConfig, library: Library, options: Options, batch: int, frames: int, weights: Weights) -> Path:
    """Train on random crops and return the path of the weights.

    Args:
        batch: crops per process. frames: of a crop.
    """
    accelerator = prepare()
    torch.manual_seed(options.seed)
    source = Crops(library, "train", frames * config.audio.hop, accelerator.device)
    front = MelSpectrogram(config.audio).to(accelerator.device)
    model = build(config).to(accelerator.device)
    critics = WaveCritics(weights.critics).to(accelerator.device)
    trainer = Trainer(
        model,
        options,
        "vocoder",
        accelerator,
        critics if weights.gate < 1 else None,
        lambda values: plain(config, values),
        # Behind the inverse STFT's blocks come complex numbers, which compilers leave alone anyway.
        compilable=[model.blocks if isinstance(model, IstftVocoder) else model, critics],
    )
    chosen = getattr(config.vocoder, "refine", None)
    length = frames * config.audio.hop
    objective = Objective(
        model, critics, weights, accelerator, front, lambda draw: source.of(draw, batch), chosen, length
    )
    heard = source.fixed(2, options.seed)

    def show(folder: Path, step: int) -> None:
        made = objective.made(front(heard))
        for k, pair in enumerate(zip(heard, made, strict=True)):
            both = torch.cat([*pair]).cpu().numpy()
            write_wave(folder / f"{step:07d}-real-then-made-{k}.wav", both, config.audio.sample_rate)

    return trainer.run(objective, show)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=sorted(PRESETS), default="small")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--batch", type=int, default=8, help="crops per process")
    parser.add_argument("--frames", type=int, default=64, help="mel frames in a crop")
    for field in fields(Weights):
        kind = int if field.type == "int" else float
        parser.add_argument(f"--{field.name}-weight", type=kind, default=field.default, dest=field.name)
    Options.add_to(parser, lr=5e-4, clip=1000.0)  # the losses are HiFi-GAN's, 45 times a mel distance
    args = parser.parse_args()
    weights = Weights(**{field.name: getattr(args, field.name) for field in fields(Weights)})
    run(PRESETS[args.config], Library.open(args.library), Options.of(args), args.batch, args.frames, weights)


if __name__ == "__main__":
    main()
