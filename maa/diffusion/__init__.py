"""Diffusion without networks: schedule, denoisers, samplers, noise. A denoiser is a callable from (z, t) to eps."""
