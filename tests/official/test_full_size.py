"""A text checkpoint of the published size: converting takes at most one and a half times its own size of memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from maa import checkpoint
from maa.config import PAPER, ScheduleConfig
from maa.official import keys, names
from tests.here import ROOT
from tests.official.files import buffers, each, lightning, write

MEASURED = """
import resource, sys
from maa.cli import main
import maa.official.convert, transformers.models.bert.modeling_bert
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
code = main(sys.argv[1:])
print(before, peak())
sys.exit(code)
"""


@pytest.mark.slow
def test_memory(tmp_path: Path) -> None:
    state = buffers(ScheduleConfig(), 1.0)
    parts = {
        "unet": (keys.unet_keys, "model.diffusion_model."),
        "autoencoder": (keys.autoencoder_keys, "first_stage_model."),
        "text": (each(names.text_key), "cond_stage_model."),
    }
    for part, (rename, prefix) in parts.items():
        with torch.device("meta"):
            shapes = {name: value.shape for name, value in checkpoint.build(PAPER, part).state_dict().items()}
        theirs = rename(shapes)
        state |= {prefix + theirs[name]: torch.zeros(shape) for name, shape in shapes.items()}
    path = write("text", tmp_path, lightning(state))
    assert path.stat().st_size > 4 * 340_000_000
    del state
    command = [sys.executable, "-c", MEASURED, "convert", str(path), "-o", str(tmp_path / "m"), "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    (before, peak), size = map(int, done.stdout.split()), path.stat().st_size
    print(f"{peak / 1e9:.2f} GB at most, {before / 1e9:.2f} before the first byte, for a file of {size / 1e9:.2f} GB")
    assert peak - before <= 1.5 * size
    assert checkpoint.read_config(tmp_path / "m")[0].unet == PAPER.unet
