"""Captions for sounds without any: candidates, scores, thresholds, shards, and what is left when it is killed."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tests.sounds import sine_wave
from tests.train import killing
from tests.train.fake_experts import CPU, Pitches, distil, tones
from train.data.distilled import read_all, read_ledger, shard_file
from train.data.sets import build_sets, load_set
from train.distill import __main__ as command
from train.distill.distilling import Candidate, choose, select, summary_line
from train.distill.experts import cleaned
from train.distill.ledger import CaptionLedger
from train.distill.retrieval import Retrieval, bank_of, open_retrieval
from train.distill.sounds import SoundFile, own_share, sound_sources


def test_captions_are_cleaned() -> None:
    assert cleaned([" a  dog\nbarks ", "A dog barks.", "", " . ", "rain"]) == ["a dog barks", "rain"]
    assert len(cleaned(["x" * 1000])[0]) == 300


def test_the_best_is_kept_if_it_is_good_enough() -> None:
    found = [Candidate("one", "a", 0.2), Candidate("two", "b", 0.5), Candidate("three", "a", 0.5)]
    assert choose(found, 0.5) == "two" and choose(found, 0.51) is None and choose([], -1.0) is None


@pytest.mark.parametrize("text", ["3/3", "1", "a/b", "-1/2", "1/0"])
def test_shards_are_of_a_whole(text: str) -> None:
    with pytest.raises(ValueError, match="i/n"):
        own_share(text)
    assert own_share("2/3") == (2, 3)


def test_captions_become_a_data_set(tmp_path: Path) -> None:
    """Two shards; every candidate with its score and expert, the broken file named, and a library of the result."""
    sounds, out = tones(tmp_path / "sounds", 12), tmp_path / "out"
    for k in range(2):
        distil(sounds, out, (k, 2))
    _, lines = read_all(out)
    assert sorted(line["id"] for line in lines) == [source.id for source in sound_sources(str(sounds))[1]]
    by_id = {line["id"]: line for line in lines}
    low = by_id["part 0/tone000.wav"]
    assert low["caption"] == "a low tone" and low["seconds"] == pytest.approx(0.3, abs=0.01)
    assert [(c["caption"], c["expert"]) for c in low["candidates"]] == [
        ("a low tone", "guesser"), ("a high tone", "guesser"), ("something", "mumbler"),
    ]  # fmt: skip
    assert [c["score"] for c in low["candidates"]] == pytest.approx([0.8944, 0.0, 0.0], abs=1e-4)
    assert by_id["part 0/tone001.wav"]["caption"] == "a high tone"
    broken = by_id["part 0/broken.wav"]
    assert broken["caption"] is None and "broken header" in broken["problem"]
    records = load_set("distilled", out)
    assert len(records) == 12 and all(record.path.is_file() and not record.labels for record in records)
    library = build_sets([f"distilled={out}"], tmp_path / "library")
    assert {caption for row in library.rows for caption in row.captions} == {"a low tone", "a high tone"}
    assert "12 captioned" in summary_line(lines) and "1 could not be heard" in summary_line(lines)


def test_another_threshold_needs_no_hearing(tmp_path: Path) -> None:
    sounds, out = tones(tmp_path / "sounds", 4), tmp_path / "out"
    distil(sounds, out, threshold=0.95)
    assert load_set("distilled", out) == []
    select(out, 0.5)
    assert len(load_set("distilled", out)) == 4 and read_all(out)[0][0]["threshold"] == 0.5


def test_a_part_is_never_taken_for_the_whole(tmp_path: Path) -> None:
    sounds, out = tones(tmp_path / "sounds", 8), tmp_path / "out"
    first, second = (distil(sounds, out, (k, 2)) for k in range(2))
    second.rename(tmp_path / "away")
    with pytest.raises(ValueError, match="00001-of-00002"):
        load_set("distilled", out)
    kept = (tmp_path / "away").read_bytes().split(b"\n")
    second.write_bytes(b"\n".join([*kept[:-2], kept[-2][:20]]))
    with pytest.raises(ValueError, match="3 of 4 sounds"):
        load_set("distilled", out)
    distil(sounds, out, (1, 2))
    assert len(load_set("distilled", out)) == 8
    with pytest.raises(ValueError, match="begun with another threshold"):
        distil(sounds, out, (1, 2), threshold=0.1)
    first.write_bytes(first.read_bytes().replace(b'{"id"', b'["id"', 1))
    with pytest.raises(ValueError, match="damaged in line 2"):
        load_set("distilled", out)


def test_a_ledger_takes_a_sound_once(tmp_path: Path) -> None:
    ledger = CaptionLedger(tmp_path / "l.jsonl", {"asked": 1})
    ledger.add([{"id": "a"}, {"id": "b"}])
    ledger.add([{"id": "b"}, {"id": "c"}])
    assert [line["id"] for line in read_ledger(ledger.path)[1]] == ["a", "b", "c"]
    ledger.path.write_bytes(ledger.path.read_bytes() + b'{"id": "a"}\n')
    with pytest.raises(ValueError, match="twice"):
        read_ledger(ledger.path)


def test_killed_at_any_moment_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """Every line that was whole stays as it is, and the end is what one run would have written."""
    sounds, out = tones(tmp_path / "sounds", 40), tmp_path / "out"
    straight = distil(sounds, tmp_path / "straight")
    path, before = shard_file(out, (0, 1)), b""
    for moment in killing.moments(11, 5, 0.1):
        process, deadline = killing.begin(killing.distilling, sounds, out), time.monotonic() + 60
        while (path.stat().st_size if path.is_file() else 0) <= len(before) and time.monotonic() < deadline:
            assert process.is_alive()
            time.sleep(0.005)
        time.sleep(moment)
        process.kill()
        process.join()
        now = path.read_bytes()
        assert now.startswith(before), "what was written stays"
        before = now[: now.rfind(b"\n") + 1]
    assert 1 < before.count(b"\n") < 42, "it was killed at work"
    killing.run(killing.distilling, sounds, out)
    address = re.compile(rb"0x[0-9a-f]+")  # in what libsndfile's binding says of the broken file
    assert address.sub(b"", path.read_bytes()) == address.sub(b"", straight.read_bytes())


def test_two_processes_do_not_write_one_shard(tmp_path: Path) -> None:
    from train.trainer.keeping import alone_in

    sounds, out = tones(tmp_path / "sounds", 2), tmp_path / "out"
    with alone_in(out, shard_file(out, (0, 1)).stem), pytest.raises(ValueError, match="Another process"):
        distil(sounds, out)


def test_banks(tmp_path: Path) -> None:
    (tmp_path / "bank.txt").write_text("a dog barks\n\nA dog barks.\nrain falls\n")
    (tmp_path / "bank.csv").write_text("file,caption\nx.wav,a bell rings\n")
    assert bank_of(str(tmp_path / "bank.txt")) == ["a dog barks", "rain falls"]
    assert bank_of(str(tmp_path / "bank.csv")) == ["a bell rings"]
    own = bank_of("train/data/manifest.csv")
    assert len(own) > 500 and "a bat squeaks" in own
    with pytest.raises(ValueError, match="no bank"):
        bank_of(str(tmp_path / "none.txt"))


def test_retrieval_finds_the_nearest_and_keeps_its_vectors(tmp_path: Path) -> None:
    (tmp_path / "bank.txt").write_text("a high whistle\na low hum\nboth high and low\n")
    space = Pitches()
    found = open_retrieval(str(tmp_path / "bank.txt"), space, "pitches", tmp_path / "banks", 2, CPU)
    low = SoundFile("low", sine_wave(200)[0].astype(np.float32), 16_000)
    assert found.propose([low]) == [["a low hum", "both high and low"]]
    kept = next((tmp_path / "banks").iterdir())
    before = kept.stat().st_mtime_ns
    again = open_retrieval(str(tmp_path / "bank.txt"), space, "pitches", tmp_path / "banks", 2, CPU)
    assert kept.stat().st_mtime_ns == before and torch.equal(again.vectors, found.vectors)
    assert Retrieval(space, ["only one"], space.embed_text(["only one"])).propose([low]) == [["only one"]]


def test_the_command_says_what_is_wrong_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tones(tmp_path / "sounds", 1)
    base = ["train.distill", "run", str(tmp_path / "sounds"), "--out", str(tmp_path / "out"), "--device", "cpu"]
    for more, told in ((["--expert", "oracle=x"], "no expert"), (["--expert", "captioner=nowhere"], "no captioner")):
        monkeypatch.setattr(sys, "argv", [*base, *more])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr().err.strip().splitlines()
        assert ended.value.code == 2 and len(said) == 1 and told in said[0]


def test_the_command_distils_with_the_shipped_clap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real recordings, real weights: a bird and hammering are told apart by retrieval and CLAP."""
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    for name in ("birds", "hammering"):
        samples, rate = soundfile.read(f"assets/inputs/{name}.flac", always_2d=True)
        soundfile.write(sounds / f"{name}.wav", samples[: 3 * rate], rate)
    bank = tmp_path / "bank.txt"
    bank.write_text("birds singing\nhammering on wood\na car engine starts\nsomeone plays the piano\n")
    given = ["run", str(sounds), "--out", str(tmp_path / "out"), "--expert", f"retrieval={bank}", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["train.distill", *given, "--threshold", "0.1"])
    command.main()
    assert "2 captioned" in capsys.readouterr().out
    head, lines = read_ledger(shard_file(tmp_path / "out", (0, 1)))
    assert {line["id"]: line["caption"] for line in lines} == {
        "birds.wav": "birds singing", "hammering.wav": "hammering on wood",
    }  # fmt: skip
    assert len(head["clap"]) == 16 and head["experts"][0].startswith("retrieval ")
