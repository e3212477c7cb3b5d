"""When a discriminator takes part in a run, and how it learns."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DiscriminatorOptions:
    """What a person chooses about a discriminator."""

    channels: int = field(default=32, metadata={"help": "of its first layers; HiFi-GAN V1 has 128"})
    start: float = field(default=0.67, metadata={"help": "share of the run before the adversarial loss; 1 = never"})
    warmup: float = field(default=0.04, metadata={"help": "share of the run that it learns alone before that"})
    lr_ratio: float = field(
        default=1.0, metadata={"help": "its learning rate over the generator's"}
    )  # arXiv 1706.08500
    floor: float = field(default=0.0, metadata={"help": "it waits while its least squares are below (chance: 0.5)"})

    @property
    def takes_part(self) -> bool:
        """False where the whole run is reconstruction."""
        return self.start < 1

    def phase(self, progress: float) -> str:
        """By how much of the run is done: "reconstruction", "warm-up" (of the discriminator), then "adversarial"."""
        if progress < self.start - self.warmup:
            return "reconstruction"
        return "warm-up" if progress < self.start else "adversarial"
