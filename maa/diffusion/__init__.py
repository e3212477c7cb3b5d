"""Diffusion without networks: schedule, guidance, samplers, noise. A denoiser is a callable from (z, t) to eps."""
