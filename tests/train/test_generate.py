"""Lists of captions made into sounds: seeds, names, shards, and runs that are cut off."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest

from maa import MakeAnAudio, Sampling
from maa.audio.tags import read_tags
from tests.train import killing
from train import generate
from train.evaluation.lists import read_list
from train.generate import CaptionOrder, ListShard

CAPTIONS = ["a dog barks", "rain falls", "a bell rings twice", "wind", "a door slams", "birds sing", "an engine"]
FLAGS = ["--model", "tiny", "--device", "cpu", "--steps", "1", "--seconds", "0.5", "--batch", "2", "--seed", "5"]


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("list") / "prompts.txt"
    path.write_text("\n".join(CAPTIONS) + "\n")
    return path


@pytest.fixture(scope="module")
def whole(captions: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digests of the sounds of a run that nothing disturbs."""
    to = tmp_path_factory.mktemp("whole")
    assert generate.main(["--captions", str(captions), "--to", str(to), *FLAGS]) == 0
    return digests(to)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.wav"))}


def test_every_line_has_its_sound_its_seed_and_its_settings(whole: dict[str, str], captions: Path) -> None:
    assert list(whole) == [f"{k:05d}.wav" for k in range(1, len(CAPTIONS) + 1)]
    assert len(set(whole.values())) == len(CAPTIONS)


def test_a_file_says_what_made_it(captions: Path, tmp_path: Path) -> None:
    assert generate.main(["--captions", str(captions), "--to", str(tmp_path), *FLAGS, "--shard", "1/4"]) == 0
    tags = read_tags(tmp_path / "00003.wav")
    assert tags["prompt"] == "a bell rings twice" and tags["seed"] == 7 and tags["seconds"] == 0.5
    assert tags["steps"] == 1 and tags["model"] == "tiny"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".work")]


def test_shards_together_are_the_whole(whole: dict[str, str], captions: Path, tmp_path: Path) -> None:
    for index in (2, 0, 1):
        assert generate.main(["--captions", str(captions), "--to", str(tmp_path), *FLAGS, "--shard", f"{index}/3"]) == 0
    assert digests(tmp_path) == whole


def test_only_what_is_missing_is_made(
    whole: dict[str, str], captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--captions", str(captions), "--to", str(tmp_path), *FLAGS]
    assert generate.main(arguments) == 0
    (tmp_path / "00004.wav").unlink()
    kept = (tmp_path / "00001.wav").stat().st_mtime_ns
    capsys.readouterr()
    assert generate.main(arguments) == 0
    assert capsys.readouterr().out.startswith("2 sounds were made; 7 of the list's 7 are in")
    assert (tmp_path / "00001.wav").stat().st_mtime_ns == kept and digests(tmp_path) == whole


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_lost_or_doubled(whole: dict[str, str], captions: Path, tmp_path: Path) -> None:
    """Every file that is there is a whole one, from the first kill on; the last run adds what is missing."""
    arguments = ["--captions", str(captions), "--to", str(tmp_path), *FLAGS]
    before: set[str] = set()
    for moment in killing.moments(4, 4, 0.15):
        process = killing.begin(killing.generating, arguments)
        deadline = time.monotonic() + 60
        while process.is_alive() and not list(tmp_path.glob(".work-*/*")) and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(moment)
        process.kill()
        process.join()
        there = digests(tmp_path)
        assert there.items() <= whole.items() and before <= set(there)
        before = set(there)
    killing.run(killing.generating, arguments)
    assert digests(tmp_path) == whole
    assert not list(tmp_path.glob(".work-*"))


def test_a_folder_is_of_one_list_and_one_order(captions: Path, tmp_path: Path) -> None:
    maa, lines = MakeAnAudio.from_pretrained("tiny", device="cpu"), read_list(captions)[:2]
    order = CaptionOrder(Sampling(steps=1, seed=0), seconds=0.5)
    assert generate.generate(maa, lines, order, tmp_path) == 2
    assert generate.generate(maa, lines, order, tmp_path, ListShard()) == 0
    with pytest.raises(ValueError, match="sounds of another list"):
        generate.generate(maa, lines[:1], order, tmp_path)
    with pytest.raises(ValueError, match="sounds of another steps"):
        generate.generate(maa, lines, CaptionOrder(Sampling(steps=2, seed=0), seconds=0.5), tmp_path)
    (tmp_path / generate.SETTINGS).write_text(json.dumps([1]) + "x")
    with pytest.raises(ValueError, match="is damaged"):
        generate.generate(maa, lines, order, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shard", "4/4"], "should be i/n"),
        (["--batch", "0"], "at least one line"),
        (["--seconds", "99"], "seconds"),
        (["--seed", "-1"], "seed"),
        (["--model", "nowhere/at/all"], "nowhere"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], said: str, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        generate.main(["--captions", str(captions), "--to", str(tmp_path / "to"), *FLAGS, *arguments])
    assert end.value.code == 2 and said in capsys.readouterr().err
    assert not list((tmp_path / "to").glob("*.wav"))


def test_a_caption_that_is_too_long_stops_before_anything_is_made(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("a dog\n" + "x" * 1001 + "\n")
    maa = MakeAnAudio.from_pretrained("tiny", device="cpu")
    with pytest.raises(ValueError, match=r"^00002: "):
        generate.generate(maa, read_list(path), CaptionOrder(Sampling(steps=1)), tmp_path / "to")
    assert not (tmp_path / "to").exists()
