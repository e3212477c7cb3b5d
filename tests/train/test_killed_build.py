"""A build of shards that is killed (SIGKILL) at any moment goes on, and makes again what is damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import soundfile

from tests.train import killing
from train.data import Library
from train.data.level import RATE
from train.data.shards import HEAD, folder_name


def test_a_build_goes_on_with_the_next_shard(tmp_path: Path) -> None:
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    rng = np.random.default_rng(0)
    (tmp_path / "esc/audio").mkdir(parents=True)
    (tmp_path / "esc/meta").mkdir()
    for k in range(30):
        soundfile.write(tmp_path / f"esc/audio/1-{k}-A-0.wav", 0.1 * rng.standard_normal(44_100), 44_100)
        lines.append(f"1-{k}-A-0.wav,{1 + k % 5},0,dog,True,{k},A")
    shutil.copyfile(tmp_path / "esc/audio/1-3-A-0.wav", tmp_path / "esc/audio/1-25-A-0.wav")
    (tmp_path / "esc/audio/1-9-A-0.wav").write_bytes(b"")
    (tmp_path / "esc/meta/esc50.csv").write_text("\n".join(lines) + "\n")
    sets, log = [f"esc50={tmp_path / 'esc'}"], tmp_path / "log"
    killing.run(killing.building, sets, tmp_path / "straight", log)
    wanted = Library.open(tmp_path / "straight")
    log.unlink()
    to, cut = tmp_path / "to", 0
    for lines in (3, 8, 2, 9, 5, 1):
        cut += killing.killed_at(lines, log, killing.building, sets, to, log)
        if (to / folder_name(RATE) / HEAD).is_file():
            assert len(Library.open(to).rows) == len(wanted.rows)
            break
    killing.run(killing.building, sets, to, log)
    made = Library.open(to)
    assert list(made.rows) == list(wanted.rows) and len(made.rows) == 28
    assert np.array_equal(made.samples, wanted.samples) and np.array_equal(made.offsets, wanted.offsets)
    assert made.digest() == wanted.digest() and "empty" in (to / folder_name(RATE) / "left-out.txt").read_text()
    assert [path.name for path in to.iterdir()] == [folder_name(RATE)]
    # Thirty recordings, six of them first for their digests; a killed run does those of one shard again.
    assert cut > 1 and len(log.read_text().splitlines()) <= 36 + 6 * cut


def test_a_shard_that_is_damaged_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "esc/audio").mkdir(parents=True)
    (tmp_path / "esc/meta").mkdir()
    lines, rng = ["filename,fold,target,category"], np.random.default_rng(0)
    for k in range(6):
        soundfile.write(tmp_path / f"esc/audio/{k}.wav", 0.1 * rng.standard_normal(44_100), 44_100)
        lines.append(f"{k}.wav,1,0,dog")
    (tmp_path / "esc/meta/esc50.csv").write_text("\n".join(lines) + "\n")
    sets, log, to = [f"esc50={tmp_path / 'esc'}"], tmp_path / "log", tmp_path / "to"
    killing.run(killing.building, sets, to, log)
    wanted = Library.open(to).samples
    shard = to / folder_name(RATE) / "shard-00000.npy"
    shard.write_bytes(shard.read_bytes()[:500])
    log.unlink()
    killing.run(killing.building, sets, to, log)
    assert np.array_equal(Library.open(to).samples, wanted)
    assert len(log.read_text().splitlines()) == 4, "the second shard was taken from the library that was there"
