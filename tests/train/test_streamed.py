"""A library in shards: the same sounds as in memory, every recording once an epoch, and the same after a resume."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from maa import checkpoint
from maa.config import TINY
from tests.train.library import little_library
from train import autoencoder, clap, diffusion, vocoder
from train.data import Library
from train.data.ahead import Ahead
from train.data.bench import bench
from train.data.crops import WaveCrops
from train.data.features import Texts, said_of
from train.data.order import Order
from train.data.prompts.composer import Composer
from train.data.shards import HEAD, folder_name
from train.data.storing import write_stored
from train.trainer.draw import Draw
from train.trainer.options import RunOptions


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A little library in three shards."""
    root = tmp_path_factory.mktemp("streamed")
    write_stored(little_library(), root, shard=60_000)
    return root


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts of a tiny model."""
    folder = tmp_path_factory.mktemp("parts")
    checkpoint.save(checkpoint.random_model(), folder, torch.float32)
    (folder / checkpoint.CONFIG).unlink()
    return folder


def test_a_streamed_library_answers_like_one_in_memory(root: Path) -> None:
    held, streamed = little_library(), Library.open(root)
    assert streamed.streamed and not held.streamed and len(list(root.glob("*/shard-*.npy"))) > 2
    assert list(streamed.rows) == list(held.rows) and streamed.rows[-1] == held.rows[-1]
    assert streamed.concepts == held.concepts and np.array_equal(streamed.offsets, held.offsets)
    for split in (None, "train", "valid", "test"):
        assert np.array_equal(streamed.indices(split), held.indices(split))
        mine, theirs = streamed.by_concept(split), held.by_concept(split)
        assert [*mine] == [*theirs] and all(np.array_equal(mine[name], theirs[name]) for name in mine)
    for i in range(len(held.rows)):
        assert np.array_equal(streamed.wave(i), held.wave(i)) and streamed.seconds(i) == held.seconds(i)
    assert np.array_equal(streamed.levels, held.levels) and np.array_equal(streamed.steady, held.steady)
    assert np.array_equal(streamed.samples, held.samples), "across the borders of shards, too"


def test_crops_and_clips_sound_the_same_from_disk(root: Path) -> None:
    held, streamed = little_library(), Library.open(root)
    assert torch.equal(WaveCrops(streamed, "train", 30_000).fixed(16, 3), WaveCrops(held, "train", 30_000).fixed(16, 3))
    rows = held.indices("train")
    one, two = (Composer(library, rows, 48_000, 16_000, natural=True) for library in (held, streamed))
    plans = [one.plan(np.random.default_rng(k)) for k in range(8)]
    again = [two.plan(np.random.default_rng(k)) for k in range(8)]
    assert [plan.caption for plan in plans] == [plan.caption for plan in again]
    assert torch.allclose(one.render(plans), two.render(again), atol=1e-6)


def test_every_item_has_one_turn_an_epoch() -> None:
    order = Order(1000, 3, 5)
    turns = np.arange(2500)
    items = order.at(turns)
    assert sorted(items[:1000]) == sorted(items[1000:2000]) == list(range(1000)) and len(set(items[2000:])) == 500
    assert not np.array_equal(items[:1000], items[1000:2000])
    assert np.array_equal(Order(1000, 3, 5).at(turns[1990:2010]), items[1990:2010]), "it can be entered anywhere"
    assert not np.array_equal(Order(1000, 4, 5).at(turns[:1000]), items[:1000])


def test_processes_share_out_an_epoch(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library.open(root)
    source = [WaveCrops(library, "train", 4_000) for _ in range(3)]
    whole = [source[0].of(Draw(5, step, 0.0), 4) for step in range(4)]
    halves = [[source[1 + rank].of(Draw(5, step, 0.0, rank, 2), 2) for step in range(4)] for rank in range(2)]
    for step in range(4):
        assert torch.equal(whole[step][0::2], halves[0][step]) and torch.equal(whole[step][1::2], halves[1][step])
    count = len(library.indices("train"))
    assert count == 8, "two steps of four are an epoch"
    drawn: list[int] = []
    hold = source[0].sound.hold
    fresh = WaveCrops(library, "train", 4_000)
    monkeypatch.setattr("train.data.crops.MIXED", 0.0)
    monkeypatch.setattr(fresh.sound, "hold", lambda first, count: (drawn.extend(first.tolist()), hold(first, count))[1])
    series = fresh._series(5, 0, 1, 4)
    for step in range(2):
        series.make(step)
    recordings = {int(np.searchsorted(library.offsets, at, side="right")) - 1 for at in drawn}
    assert recordings == set(library.indices("train").tolist())


def test_a_resumed_run_sees_the_same_batches(root: Path) -> None:
    source = WaveCrops(Library.open(root), "train", 4_000)
    uncut = [source.of(Draw(5, step, 0.0), 3) for step in range(9)]
    later = WaveCrops(Library.open(root), "train", 4_000)
    assert all(torch.equal(later.of(Draw(5, step, 0.0), 3), uncut[step]) for step in (6, 7, 8))


def test_what_is_made_ahead_is_what_was_asked_for() -> None:
    made: list[int] = []
    series = Ahead(lambda n: (made.append(n), n * n)[1], depth=3, stride=2, threads=2)
    assert [series.get(n) for n in (0, 2, 4, 40, 42)] == [0, 4, 16, 1600, 1764]
    assert all(n % 2 == 0 for n in made) and len(set(made)) == len(made)
    broken = Ahead(lambda n: 1 // n, depth=1)
    with pytest.raises(ZeroDivisionError):
        broken.get(0)


STAGES = {
    "autoencoder": lambda library, options, parts: autoencoder.train_autoencoder(TINY, library, options, 2, 32),
    "vocoder": lambda library, options, parts: vocoder.train_vocoder(
        replace(TINY, vocoder=replace(TINY.vocoder, refine=None)), library, options, 1, 32
    ),
    "clap": lambda library, options, parts: clap.train_clap(TINY, library, parts, options, 6),
    "unet": lambda library, options, parts: diffusion.train_unet(
        TINY, library, [parts], options, replace(diffusion.RECIPES["unified"], batch=2, pool=8, renew=0.5)
    ),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_trains_from_disk_and_resumes_to_the_bit(stage: str, root: Path, parts: Path, tmp_path: Path) -> None:
    library = Library.open(root)
    every = {"steps": 4, "warmup": 1, "log_every": 1, "save_every": 2}
    whole, cut = (RunOptions(tmp_path / name, **every) for name in ("whole", "cut"))
    one = torch.load(STAGES[stage](library, whole, parts).with_suffix(".state.pt"), weights_only=True)
    STAGES[stage](library, replace(cut, steps=2), parts)
    path = STAGES[stage](Library.open(root), replace(cut, resume=True), parts).with_suffix(".state.pt")
    rows = [json.loads(line) for line in (tmp_path / f"whole/{stage}.log.jsonl").read_text().splitlines()]
    assert sum("loss" in row and np.isfinite(row["loss"]) for row in rows) == 4
    two = torch.load(path, weights_only=True)
    if stage in ("clap", "unet"):  # the others' losses follow the share of the run, and half a run is another run
        assert all(torch.equal(one["ema"][name], two["ema"][name]) for name in one["ema"])
    assert one["step"] == two["step"] == 4


def test_texts_are_found_by_their_hash(root: Path) -> None:
    texts = Texts(Library.open(root))
    wanted = {text for row in little_library().rows for text in said_of(row)}
    assert len(texts) == len(wanted) and set(texts) == wanted
    assert all(texts.text(texts[text]) == text for text in wanted)
    with pytest.raises(KeyError):
        texts["nobody said this"]


@pytest.mark.parametrize("how", ["no shard", "a shorter shard", "half an index", "another layout", "no head"])
def test_a_damaged_library_is_one_sentence(how: str, root: Path, tmp_path: Path) -> None:
    write_stored(little_library(2, 2), tmp_path)
    folder = tmp_path / folder_name(16_000)
    shard, index, head = folder / "shard-00000.npy", folder / "index.npy", folder / HEAD
    if how == "no shard":
        shard.unlink()
    elif how == "a shorter shard":
        np.save(shard, np.load(shard)[:-1])
    elif how == "half an index":
        index.write_bytes(index.read_bytes()[:-20])
    elif how == "another layout":
        head.write_text(json.dumps({**json.loads(head.read_text()), "format": 99}))
    else:
        head.write_text("{")
    with pytest.raises(ValueError, match=r"library-16k.*build the library again\.$"):
        Library.open(tmp_path).wave(0)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux says how much memory a process has")
def test_memory_does_not_grow_with_the_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.data.bench.EACH", 60)  # ten minutes that pass for an hour
    lines = list(bench((1, 40), held=0, batches=24, clips=6, to=tmp_path))
    few, many = (line.split() for line in lines[1:])
    assert few[:3] == ["1", "disk", "60"] and many[:3] == ["40", "disk", "2,400"]
    assert float(many[3]) < float(few[3]) + 60, "in memory it would be 714 MiB more"
    assert all(float(rate) > 0 for rate in many[6:10])
    assert not list(tmp_path.iterdir()), "what was made up goes with it"
