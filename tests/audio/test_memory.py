"""Ten minutes of 48 kHz stereo: what reading, looking, measuring, changing and writing take beside the samples."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

SAMPLES = 220  # MiB of the samples alone

# Each step in the same process, with what the process has taken at most since the step began.
CODE = """
import sys, torch
from pathlib import Path
from maa.audio.io import read, write
from maa.audio.loudness import lufs
from maa.audio.sound import mono, mono_at, resample
from maa.audio.splice import splice
from maa.config import SMALL
from maa.ui import views

def memory(name):
    line = next(line for line in open("/proc/self/status") if line.startswith(name))
    return int(line.split()[1]) // 1024

def step(name, work):
    open("/proc/self/clear_refs", "w").write("5")
    before = memory("VmRSS")
    result = work()
    print(name, memory("VmHWM") - before, flush=True)
    return result

views.url_of = str
path = Path(sys.argv[1])
views.view_of(read(path.with_name("short.wav")), path.with_name("short.wav"), SMALL.audio)  # what is loaded once
sound = step("read", lambda: read(path))
rate = sound.sample_rate
step("view", lambda: views.view_of(sound, path, SMALL.audio) and None)
step("mono", lambda: mono(sound.samples) is None)
step("lufs", lambda: lufs(sound.samples, rate))
heard = step("heard", lambda: mono_at(sound.samples, rate, 16_000))
step("rate", lambda: resample(sound.samples, rate, 44_100) is None)
made = step("splice", lambda: splice(sound, heard, [(300.0, 302.0)]))
step("write", lambda: write(path.with_name("out.wav"), made.samples, rate, "FLOAT", {"prompt": "x"}))
"""
MOST = {"read": 250, "view": 170, "mono": 125, "lufs": 170, "heard": 60, "rate": 230, "splice": 250, "write": 40}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system does not tell")
def test_long_sounds_are_not_copied_again_and_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 48_000, 2, "FLOAT") as file:
        second = (0.1 * rng.standard_normal((48_000, 2))).astype(np.float32)
        for _ in range(600):
            file.write(second)
    soundfile.write(tmp_path / "short.wav", second, 48_000)
    command = [sys.executable, "-c", CODE, str(tmp_path / "long.wav")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220)
    assert done.returncode == 0, done.stderr[-2000:]
    taken = {name: int(value) for name, value in (line.split() for line in done.stdout.splitlines())}
    assert set(taken) == set(MOST)
    assert {name: value for name, value in taken.items() if value > MOST[name]} == {}, taken
