"""How loops close: `python -m tests.seams` makes 50 of 10 kinds and compares each seam with the sound's own changes."""

from __future__ import annotations

import argparse

import numpy as np

from maa import MakeAnAudio, Sampling
from tests.pipeline.test_loops import flux, steps

KINDS = ("rain", "wind", "ocean waves", "engine running", "a dog barking",
         "birds singing", "footsteps", "church bell", "crowd applause", "typing on a keyboard")  # fmt: skip
FRAMES = 4  # of the flux that the seam lies in


def main() -> int:
    """Print how many loops have a larger step, or more flux, at their seam than 95 % of their own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", default="small")
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    maa = MakeAnAudio.from_pretrained(options.model, device="cpu")
    stepped, changed, count = [], [], 0
    for kind in KINDS:
        for seed in range(5):
            wave = maa.text_to_audio(kind, Sampling(seed=seed), seconds=options.seconds, loop=True).audio[0, 0]
            step, change = steps(wave), flux(wave)
            stepped += [f"{kind}, {seed}"] if step[-1] > np.quantile(step, 0.95) else []
            changed += [f"{kind}, {seed}"] if change[-FRAMES:].max() > np.quantile(change, 0.95) else []
            count += 1
    print(f"{count} loops of {options.seconds:g} s; a larger step than 95 % of the sound's at {len(stepped)} seams")
    print(f"{'; '.join(stepped)}\nmore flux at {len(changed)}: {'; '.join(changed)}")
    by_chance = 1 - 0.95**FRAMES
    print(f"by chance, if a seam were like any place: {0.05 * count:.1f} and up to {by_chance * count:.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
