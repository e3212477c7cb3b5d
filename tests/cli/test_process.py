"""`python -m maa` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import soundfile

import maa
from tests.here import ROOT
from tests.sounds import assert_audio_valid

QUICK = ["--steps", "2", "--seed", "7"]


def run(*argv: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "maa", *argv]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_help() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "personalize" in done.stdout


def test_process_makes_sound(tmp_path: Path) -> None:
    done = run("text", "rain", "-o", "out.wav", "--model", "tiny", "--seconds", "1", "--json", *QUICK, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["seed"] == 7
    assert_audio_valid(soundfile.read(tmp_path / "out.wav")[0], seconds=1)


def test_process_reports_a_mistake(tmp_path: Path) -> None:
    done = run("text", "", "-o", "out.wav", "--model", "tiny", folder=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("maa: The prompt is empty")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_ctrl_c_on_a_terminal(tmp_path: Path) -> None:
    """Steps are counted on a terminal, and Ctrl-C ends the run with one line and no file."""
    terminal, other_end = os.openpty()
    command = [sys.executable, "-m", "maa", "text", "rain", "-o", "out.wav", "--model", "tiny", "--steps", "1000"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # tests that run in the background do not hear it
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=other_end, preexec_fn=heard) as process:
        os.close(other_end)
        seen = b""
        while b"step 3/1000" not in seen:
            seen += os.read(terminal, 1000)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        seen = os.read(terminal, 100_000)
    os.close(terminal)
    assert seen.endswith(b"maa: stopped\r\n") and b"Traceback" not in seen
    assert list(tmp_path.iterdir()) == []


def test_help_states_the_real_defaults() -> None:
    help_text = " ".join(run("text", "--help").stdout.split())
    defaults = maa.Sampling()
    assert "denoising steps; 1 to 1000; default the quality's" in help_text
    assert f"seeds; default {defaults.sampler}" in help_text
    assert f"fresh noise in ddim; 0 to 1; default {defaults.eta}" in help_text
    assert f"best first; 1 to 8; default {defaults.count}" in help_text
