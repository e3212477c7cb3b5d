"""The figures of long sounds in docs/using.md: `python -m tests.long_sounds` prints them for this machine.

Seconds until the first stretch of a sound can be played and until the whole is there, how far a sound that lasts is
from itself ten seconds on, and the memory that a sound of 1, 5 and 10 minutes takes. The doors make at most 3 minutes
(a clip), so the network is asked below them.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maa import Listener, MakeAnAudio, Sampling
from maa.pipeline import finishing

LENGTHS = (30.0, 60.0, 180.0)  # seconds
MINUTES = (1, 5, 10)
GIB = 2**20  # kilobytes
LASTING = ("rain", "wind", "ocean waves", "traffic", "a crowd cheering", "a vacuum cleaner", "crickets", "a river",
           "an engine idling", "fire crackling", "white noise", "a fan")  # fmt: skip


def made(maa: MakeAnAudio, seconds: float, listener: Listener, steps: int | None = None) -> None:
    """One quick take of rain, so long; `steps` None = those of the quality."""
    engine, prompts = maa.engine, maa.understood("rain", literal=True)
    sampling = engine.settled(Sampling(seed=1, quality="instant"))
    sampling = sampling if steps is None else replace(sampling, steps=steps)
    settings = engine.settings("text", sampling, prompts)
    engine.from_words(prompts, sampling, seconds, settings, listener, finishing.wish("as-made"))


def times(maa: MakeAnAudio, runs: int) -> None:
    """When the first stretch is there, how long it is, and when the whole is."""
    for seconds in LENGTHS:
        firsts, wholes, length = [], [], 0
        for _ in range(runs):
            came: list[tuple[float, int]] = []
            began = time.perf_counter()

            def hear(first: int, wave: object, whole: int, came: list[tuple[float, int]] = came) -> None:
                came.append((time.perf_counter(), len(wave)))  # type: ignore[arg-type]

            made(maa, seconds, Listener(hear))
            wholes.append(time.perf_counter() - began)
            firsts.append(came[0][0] - began)
            length = came[0][1]
        first, whole = statistics.median(firsts), statistics.median(wholes)
        held = length / maa.config.audio.sample_rate
        print(f"{seconds:.0f} s: the first {held:.1f} s after {first:.2f} s, all of it after {whole:.2f} s", flush=True)


def likeness(maa: MakeAnAudio) -> None:
    """rms over mel bands of what stretches of a 30 s sound that lasts differ in: dB."""
    within, across = [], []
    for seed, prompt in enumerate(LASTING):
        mel = maa.text_to_audio(prompt, Sampling(quality="instant", seed=seed), seconds=30.0).mel[0]
        frames = int(1 / maa.config.audio.frame_seconds)
        power = np.power(10.0, np.maximum(mel[:, : 30 * frames], -4.0)).reshape(len(mel), 30, frames).mean(2)
        bands = 20 * np.log10(power)

        def apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
            return float(np.sqrt(np.mean((one - other) ** 2)))

        seconds = [bands[:, second] for second in range(1, 8)]
        within.append(np.mean([apart(one, other) for k, one in enumerate(seconds) for other in seconds[k + 2 :]]))
        windows = [bands[:, first : first + 7].mean(1) for first in (1, 10, 19)]
        across.append(np.mean([apart(windows[a], windows[b]) for a, b in ((0, 1), (1, 2), (0, 2))]))
        print(f"{prompt}: seconds of one window {within[-1]:.1f} dB apart, windows {across[-1]:.1f} dB", flush=True)
    print(f"mean of {len(LASTING)}: {np.mean(within):.2f} and {np.mean(across):.2f} dB", flush=True)


def memory(minutes: int) -> None:
    """The peak of this process for a sound of so many minutes, and what it was before."""
    maa = MakeAnAudio.from_pretrained("small", device="cpu")
    made(maa, 20.0, Listener(lambda *_: None))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made(maa, 60.0 * minutes, Listener(lambda *_: None), steps=1)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{minutes} min: {after / GIB:.2f} GiB at most, {before / GIB:.2f} GiB for 20 s", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        memory(int(sys.argv[2]))
    else:
        shipped = MakeAnAudio.from_pretrained("small", device="cpu")
        times(shipped, int(sys.argv[1]) if sys.argv[1:] else 3)
        likeness(shipped)
        for count in MINUTES:
            subprocess.run([sys.executable, "-m", "tests.long_sounds", "memory", str(count)], check=True)
