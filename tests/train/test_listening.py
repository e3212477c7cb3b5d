"""The listening test without a browser: the folder, the plan, the store, what is handed out, and the report."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.sounds import sine_wave
from tests.train import killing
from tests.train.listening import ratings_of, rehearsal
from train.listening_test import __main__ as command
from train.listening_test.blind import RATE, Blind
from train.listening_test.desk import RatingDesk
from train.listening_test.material import open_material
from train.listening_test.page import card
from train.listening_test.plan import FAITHFULNESS, INSTRUCTION, NOISE, QUALITY, Trial, rating_plan
from train.listening_test.report import careless, mean_interval, opinions, report_csv, report_text
from train.listening_test.store import FILE, Rating, Store, code_of


def test_a_folder_is_looked_through(tmp_path: Path) -> None:
    material = open_material(rehearsal(tmp_path, 4))
    assert material.clips == ["clip0", "clip1", "clip2", "clip3"] and sorted(material.sounds) == ["madeby", "reference"]
    assert [material.shown(clip) for clip in material.clips] == ["text", "text", "picture", "clip"]
    assert material.captions["clip1"] == "number <1>"


def test_what_is_wrong_with_a_folder_is_named(tmp_path: Path) -> None:
    root = rehearsal(tmp_path / "one", 3)
    (root / "madeby" / "clip1.wav").unlink()
    with pytest.raises(ValueError, match="madeby lacks clip1"):
        open_material(root)
    (root / "madeby" / "clip1.wav").symlink_to("/etc/hostname")
    with pytest.raises(ValueError, match="leads out"):
        open_material(root)
    (root / "madeby" / "clip1.wav").unlink()
    (root / "madeby" / "clip1.flac").write_bytes(b"")
    (root / "madeby" / "clip1.ogg").write_bytes(b"")
    with pytest.raises(ValueError, match="one clip twice"):
        open_material(root)
    with pytest.raises(ValueError, match="no folder with sounds"):
        open_material(tmp_path)
    (root / "madeby" / "clip1.ogg").unlink()
    with pytest.raises(ValueError, match=r"clip1\.flac"):
        Blind(open_material(root), tmp_path, None).check()


def test_a_rater_hears_each_clip_by_every_system_in_an_order_of_their_own(tmp_path: Path) -> None:
    material = open_material(rehearsal(tmp_path, 8))
    orders = [rating_plan(material, {}, 5, np.random.default_rng(seed)) for seed in range(2)]
    for trials in orders:
        counted = Counter((t.question, t.clip) for t in trials if not t.check)
        assert set(counted.values()) == {2} and len({clip for _, clip in counted}) == 5
        questions = [t.question for t in trials]
        assert questions == sorted(questions, reverse=True), "quality first"
        checks = [t for t in trials if t.check]
        assert {t.check for t in checks} == {NOISE, INSTRUCTION} and trials[0] not in checks
        assert len({t.token for t in trials}) == len(trials)
        assert not any(word in t.token for t in trials for word in ("madeby", "reference", "clip"))
    names = [[(t.system, t.clip) for t in trials if not t.check] for trials in orders]
    assert names[0] != names[1]


def test_clips_that_few_have_heard_come_first(tmp_path: Path) -> None:
    material, store = open_material(rehearsal(tmp_path, 9)), Store(tmp_path / FILE)
    for k in range(3):
        store.begin(f"rater {k}", material, 3, np.random.default_rng(k))
    with sqlite3.connect(tmp_path / FILE) as connection:
        query = "SELECT clip, COUNT(DISTINCT rater) FROM trials WHERE check_kind = '' GROUP BY clip"
        assert set(dict(connection.execute(query)).values()) == {1} and len(list(connection.execute(query))) == 9


def test_an_answer_counts_once_and_only_for_its_rater(tmp_path: Path) -> None:
    desk = RatingDesk(open_material(rehearsal(tmp_path, 2)), Store(tmp_path / FILE), 0, 1)
    mine, others = desk.enter("mine"), desk.enter("another")
    assert mine.trial and others.trial and mine.done == 0
    token = mine.trial.token
    with pytest.raises(ValueError, match="whole sound"):
        desk.rate("mine", token, 60, 0.2)
    for score in (None, 55, "60", True, 60.0):
        with pytest.raises(ValueError, match=r"score|scale"):
            desk.rate("mine", token, score, 1.0)
    with pytest.raises(ValueError, match="not one of yours"):
        desk.rate("mine", others.trial.token, 60, 1.0)
    with pytest.raises(ValueError, match="not known"):
        desk.rate("nobody", token, 60, 1.0)
    after = desk.rate("mine", token, 60, 1.0)
    assert after.done == 1 and after.trial and after.trial.token != token
    again = desk.rate("mine", token, 20, 1.0)  # a second click
    assert again.done == 1 and [one.score for one in desk.store.ratings()] == [60]
    assert desk.enter("mine") == after, "the same code goes on where it was"
    for bad in ("", "  ", "x" * 65, "a\0b", None):
        with pytest.raises(ValueError, match="code"):
            code_of(bad)
    assert desk.enter("'; DROP TABLE ratings; --").total == mine.total


def test_what_is_handed_out_has_neither_name_nor_format(tmp_path: Path) -> None:
    """Systems of other rates, levels, channels and tags give files that differ in their samples only."""
    from maa.audio.tags import read_tags, write_tags

    root = rehearsal(tmp_path / "test", 2)
    path = root / "madeby" / "clip0.wav"
    soundfile.write(path, sine_wave(440, 0.5, 22_050, channels=2, peak=0.05).T, 22_050, subtype="PCM_24")
    write_tags(path, {"task": "text", "prompt": "a secret"})
    (tmp_path / "blind").mkdir()
    blind = Blind(open_material(root), tmp_path / "blind", -23.0)
    made = [blind.file(Trial("t", QUALITY, system, "clip0")) for system in ("madeby", "reference")]
    assert all(made) and read_tags(str(made[0])) is None
    heads = [Path(str(one)).read_bytes()[:40] for one in made]
    assert heads[0] == heads[1], "the same header, as both are as long"
    levels = [float(np.sqrt(np.mean(np.square(soundfile.read(one)[0])))) for one in made]
    assert levels[0] == pytest.approx(levels[1], rel=0.1) and soundfile.info(made[0]).samplerate == RATE
    drowned = blind.file(Trial("t", QUALITY, "reference", "clip0", NOISE))
    clean, noisy = (soundfile.read(one)[0] for one in (made[1], drowned))
    assert drowned != made[1] and abs(float(np.corrcoef(clean, noisy)[0, 1])) < 0.5
    assert blind.file(Trial("t", QUALITY, "nobody", "clip0")) is None


def test_a_question_shows_what_it_asks_about_and_no_more(tmp_path: Path) -> None:
    material = open_material(rehearsal(tmp_path, 4))
    text = card(Trial("tok", FAITHFULNESS, "madeby", "clip1"), material)
    assert "number &lt;1&gt;" in text and "<1>" not in text and 'src="/clip/tok"' in text
    assert "number" not in card(Trial("tok", QUALITY, "madeby", "clip1"), material)
    assert '<img class="lt-seen" src="/seen/tok"' in card(Trial("tok", FAITHFULNESS, "madeby", "clip2"), material)
    assert "muted" in card(Trial("tok", FAITHFULNESS, "madeby", "clip3"), material)
    check = card(Trial("tok", FAITHFULNESS, "madeby", "clip2", INSTRUCTION, 40, 40), material)
    assert "please answer 40" in check and "img" not in check
    for clip in material.clips:
        for question in (QUALITY, FAITHFULNESS):
            shown = card(Trial("tok", question, "madeby", clip), material)
            assert "madeby" not in shown and clip not in shown


def test_killed_at_any_moment_every_answer_that_was_told_is_kept(tmp_path: Path) -> None:
    """A server that notes each answer when it is saved is killed: all that were noted are there, and none twice."""
    root, log, before = rehearsal(tmp_path / "test", 30), tmp_path / "noted", 0
    for moment in killing.moments(12, 4, 0.1):
        process, deadline = killing.begin(killing.rating, root, log), time.monotonic() + 60
        while (log.stat().st_size if log.is_file() else 0) <= before and time.monotonic() < deadline:
            assert process.is_alive()
            time.sleep(0.005)
        time.sleep(moment)
        process.kill()
        process.join()
        before = log.stat().st_size
        noted = log.read_text().split("\n")[:-1]
        kept = Store(root / FILE).ratings()
        tokens = [one.trial.token for one in kept]
        assert set(noted) <= set(tokens) and len(tokens) == len(set(tokens)) <= len(set(noted)) + 4
    standing = Store(root / FILE).standing("rater")
    assert standing and 0 < standing.done < standing.total


def test_the_interval_knows_raters_and_clips() -> None:
    """Independent scores get the interval of a mean; a rater who is asked ten times more is one rater still."""
    rng = np.random.default_rng(0)
    raters, clips = np.repeat(np.arange(20), 30), np.tile(np.arange(30), 20)
    scores = rng.normal(60, 10, 600)
    mean, low, high = mean_interval(scores, raters, clips)
    assert mean == pytest.approx(scores.mean())
    assert 0.8 < (high - low) / (2 * 1.96 * 10 / np.sqrt(600)) < 2.5
    opinions = rng.normal(0, 10, 20)
    strong = 60 + opinions[raters] + rng.normal(0, 1, 600)
    mean, low, high = mean_interval(strong, raters, clips)
    assert (high - low) / (2 * 1.96 * opinions.std() / np.sqrt(20)) == pytest.approx(1.0, abs=0.25)
    assert mean_interval(np.full(4, 80.0), np.arange(4), np.zeros(4, np.int64)) == (80.0, 80.0, 80.0)


def test_the_report_leaves_the_careless_out(tmp_path: Path) -> None:
    material = open_material(rehearsal(tmp_path, 4))
    ratings = ratings_of(material, {"reference": 80, "madeby": 60}, careful=(1, 2, 3), careless=(4,))
    assert careless(ratings) == {4: (0, 2)}
    lines = opinions(ratings, material)
    found = {(line.measure, line.shown, line.system): line for line in lines}
    assert found["MOS-Q", "", "reference"].mean == 80 and found["MOS-Q", "", "madeby"].mean == 60
    assert found["MOS-F", "text", "madeby"].raters == 3 and found["MOS-F", "picture", "madeby"].clips == 1
    assert opinions(ratings, material, everybody=True)[0].raters == 4
    assert "4 (0 of 2)" in report_text(lines, ratings, (4, 80, 72))
    assert report_csv(lines).splitlines()[0] == "measure,shown,system,mean,low,high,ratings,raters,clips"


def test_the_report_is_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = rehearsal(tmp_path, 2)
    monkeypatch.setattr(sys, "argv", ["train.listening_test", "report", str(root)])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2 and "no ratings" in capsys.readouterr().err
    desk = RatingDesk(open_material(root), Store(root / FILE), 0, 1)
    standing = desk.enter("rater")
    while standing.trial is not None:
        standing = desk.rate("rater", standing.trial.token, standing.trial.low, 1.0)
    command.main()
    assert "MOS-Q" in capsys.readouterr().out and (root / "report.csv").read_text().count("\n") == 5


def test_a_file_that_is_no_test_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to be looked at" * 30)
    with pytest.raises(ValueError, match="cannot be used"):
        Store(tmp_path / FILE)
    assert Rating(1, Trial("t", QUALITY, "s", "c"), 60, 1.0).score == 60
