"""Pictures of what a diffusion network makes of a few captions, to watch it learn."""

from __future__ import annotations

from pathlib import Path

import torch

from maa.audio.picture import draw
from maa.diffusion.denoiser import guided
from maa.diffusion.samplers import dpm_solver
from maa.diffusion.schedule import Schedule, timesteps
from maa.models.context import Context
from maa.models.unet import UNet
from train.latents.pool import Pool

CAPTIONS = 2
STEPS = 15


class Preview:
    """Writes `<step>-<caption's number>.png`: mels of the same captions from the same noise, each time.

    Args:
        captions: what is asked for; nothing, for an unconditional network.
    """

    def __init__(self, unet: UNet, pool: Pool, captions: list[str]) -> None:
        self.unet, self.pool = unet, pool
        self.captions = captions[:CAPTIONS] or [""]
        self.schedule = Schedule(pool.config.schedule)
        shape = (len(self.captions), pool.config.autoencoder.latent_channels, *pool.config.latent_cells)
        self.noise = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(pool.device)

    def __call__(self, folder: Path, step: int) -> None:
        count, config, unet = len(self.captions), self.pool.config, self.unet
        condition, null = (unet.prepare(self._context(given), count) for given in (True, False))
        denoiser = guided(unet, self.schedule, condition, null, config.guidance)
        steps = timesteps(config.schedule.steps - 1, STEPS)
        mel = self.pool.autoencoder.decode(dpm_solver(denoiser, self.noise, steps, self.schedule))
        folder.mkdir(parents=True, exist_ok=True)
        for k, picture in enumerate(mel[:, 0].float().cpu().numpy()):
            draw(picture, config.audio, folder / f"{step:07d}-made-{k}.png")

    def _context(self, given: bool) -> Context:
        """The captions as the network's conditions, or none."""
        table, unet = self.pool.captions, self.unet.config
        if table is None:
            return Context()
        said = self.captions if given or unet.learned_null else [""] * len(self.captions)
        tokens, lengths, vectors = table.encoder.encode(said)
        here = torch.full((len(said),), given, device=self.pool.device) if unet.learned_null else None
        mask = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        vector = None if unet.global_dim is None else vectors
        if not unet.reads:
            return Context(vector=vector, has_vector=here)
        hidden = mask if self.pool.config.text.mask_pads else None
        nowhere = None if vector is None or here is None else torch.zeros_like(here)  # the text alone is shown
        return Context(tokens.float(), hidden, vector, here, nowhere)
