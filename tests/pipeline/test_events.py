"""Events in time: what they may be, how they are laid, and that a take keeps to them."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from maa import Event, MakeAnAudio, Sampling, checkpoint
from maa.__main__ import main
from maa.audio.tags import read_tags
from maa.config import TINY
from maa.pipeline import conditioning, pictured
from maa.pipeline.events import events_of, layers, length_of
from maa.pipeline.laying import columns_of, envelope
from maa.pipeline.leading import Led
from maa.pipeline.replay import Files, command
from maa.pipeline.seen import Seen
from maa.pipeline.sentences import events_in
from maa.pipeline.timeline import placed
from tests.clips import make_clip
from train.latents.recipes import RECIPES

ONCE = Sampling(steps=2, seed=5)


@pytest.fixture(scope="module")
def maa() -> MakeAnAudio:
    return MakeAnAudio.from_pretrained("tiny", device="cpu")


@pytest.mark.parametrize(
    "row",
    [
        [0, 1], [0, 1, ""], [0, 1, 5], ["x", 1, "rain"], [1, 1.05, "rain"], [2, 1, "rain"], [-1, 1, "rain"], None,
        "rain", [0, 181, "rain"], [0, float("nan"), "rain"],
        [0, 1, "rain", 99], [0, 1, "rain", "loud"], [True, 2, "rain"],
        [0, 1, "x" * 1001], [0, 1, "\ud800"], {"start": 0}, [0, 1, "rain", 0, 0], [[0], 1, "rain"],
    ],
)  # fmt: skip
def test_what_is_no_event_is_said_in_one_line(row: object) -> None:
    with pytest.raises(ValueError) as caught:
        events_of([row])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_rows_events_and_words_of_a_command_are_the_same_events() -> None:
    wanted = (Event("rain", 0.0, 2.0, -6.0), Event("dog", 1.0, 3.0))
    assert events_of(wanted) == events_of([[0, 2, "rain", -6], [1, 3, "dog"]]) == wanted
    assert events_of([["0", "2", "rain @ -6 dB"], ["1", "3", "dog"]]) == wanted
    assert events_of(None) == () and events_of([event.row() for event in wanted]) == wanted
    with pytest.raises(ValueError, match="up to 32"):
        events_of([[0, 1, "rain"]] * 33)


def test_events_at_once_lie_in_layers_of_their_own() -> None:
    rain, dog, cat, bird = Event("rain", 0, 9), Event("dog", 1, 2), Event("cat", 2, 3), Event("bird", 2.5, 4)
    assert layers([bird, rain, cat, dog]) == [[rain], [dog, cat], [bird]]


def test_columns_hold_what_an_event_touches() -> None:
    assert columns_of(Event("a", 0.0, 0.128), 16000, 2048, 78) == (0, 1)
    assert columns_of(Event("a", 0.1, 0.3), 16000, 2048, 78) == (0, 3)
    assert columns_of(Event("a", 9.9, 20.0), 16000, 2048, 78) == (77, 78)


def test_gains_come_and_go_without_clicks() -> None:
    shape = envelope([Event("a", 0.5, 1.0, -6.0), Event("b", 1.0, 1.5, 6.0)], 1000, 2000)
    assert not shape[:500].any() and not shape[1500:].any()
    assert shape[700] == pytest.approx(10 ** (-6 / 20)) and shape[1300] == pytest.approx(10 ** (6 / 20))
    assert np.abs(np.diff(shape)).max() < 0.25
    assert envelope([Event("a", 0.0, 2.0)], 1000, 2000)[-1] == 1.0, "the end of the sound needs no fade of its own"


def test_the_length_follows_the_events_or_refuses() -> None:
    events = [Event("a", 0, 12)]
    assert length_of(events, None, 9.984) == 12 and length_of([Event("a", 0, 2)], None, 9.984) is None
    assert length_of([Event("a", 0, 10)], 9.984, 9.984) == 9.984, "ten seconds of about ten"
    with pytest.raises(ValueError, match="make the sound longer"):
        length_of(events, 10.0, 9.984)
    with pytest.raises(ValueError, match="at most 30 s"):
        length_of([Event("a", 0, 31)], None, 9.984)
    assert length_of([Event("a", 100, 120)], 125.0, 9.984) == 125, "of a clip"


def test_a_take_sounds_in_its_events_and_nowhere_else(maa: MakeAnAudio) -> None:
    steps: list[tuple[int, int]] = []
    made = maa.text_to_audio(
        "",
        ONCE,
        seconds=6.0,
        events=[[1.0, 2.0, "a dog"], [1.5, 2.5, "rain", -10], [4.0, 5.0, "a bell"]],
        on_step=lambda step, of, preview: steps.append((step, of)),
    )
    wave, rate = made.audio[0, 0], made.sample_rate
    assert wave.shape == (6 * rate,)
    heard = np.abs(wave).reshape(60, -1).max(1) > 1e-4
    assert heard[10:25].all() and heard[40:50].all()
    assert not heard[:10].any() and not heard[26:40].any() and not heard[51:].any()
    assert steps == [(k, 6) for k in range(1, 7)]
    assert made.settings["events"] == [[1.0, 2.0, "a dog"], [1.5, 2.5, "rain", -10.0], [4.0, 5.0, "a bell"]]
    assert made.mel.shape == (1, 80, 375)


def test_a_gain_is_that_many_decibels(maa: MakeAnAudio) -> None:
    loud, soft = (maa.text_to_audio("", ONCE, seconds=2.0, events=[[0, 1, "rain", g]]).audio[0, 0] for g in (-26, -38))
    ratio = np.sqrt((loud**2).mean() / (soft**2).mean())
    assert ratio == pytest.approx(10 ** (12 / 20), rel=0.02)


def test_a_prompt_lies_behind_events_unless_it_tells_of_them(maa: MakeAnAudio) -> None:
    events = [[1.0, 1.5, "a dog"]]
    behind = maa.text_to_audio("rain", ONCE, seconds=2.0, events=events).audio[0, 0]
    told = maa.text_to_audio("rain, then a dog", ONCE, seconds=2.0, events=events).audio[0, 0]
    own = maa.text_to_audio("a dog", ONCE, seconds=2.0, events=events).audio[0, 0]
    assert np.abs(behind[:8000]).max() > 1e-3
    assert np.abs(told[:8000]).max() < 1e-4 and np.array_equal(told, own)


class Listener:
    """What `placed` asks: every word is known, and sentences are of the model's own length where nothing is said."""

    vocabulary = None

    def heard(self, prompt: str, *, literal: bool = False) -> Led:
        return Led(prompt, prompt)

    def timeline(self, prompt: str, seconds: float | None = None) -> tuple[Event, ...]:
        return tuple(events_in(prompt, seconds or 9.984))


def test_a_sentence_of_times_after_the_own_length_is_no_sound_behind() -> None:
    sentence = "a dog(12-14); rain(10-20)"
    told = Listener().timeline(sentence, 20.0)
    assert placed(told, sentence, "", False, Listener()).heard == told
    assert placed(told, "wind", "", False, Listener()).heard[0].text == "wind"


@pytest.mark.parametrize("recipe", ["text", "paper"])
def test_networks_without_a_mask_or_a_null_of_their_own_place_sounds_too(recipe: str) -> None:
    config = RECIPES[recipe].configure(TINY)
    if recipe == "paper":  # as the authors' networks are
        config = replace(
            config, unet=replace(config.unet, global_dim=None, global_projection=False, learned_null=False)
        )
    other = MakeAnAudio(checkpoint.random_model(config), torch.device("cpu"), recipe)
    made = other.text_to_audio("", ONCE, seconds=3.0, negative="rain", events=[[0.5, 1.0, "a dog"], [1.5, 2.0, "bell"]])
    heard = np.abs(made.audio[0, 0]).reshape(30, -1).max(1) > 1e-4
    assert heard[5:10].any() and heard[15:20].any() and not heard[:5].any() and not heard[21:].any()


def test_takes_keep_their_bytes_whatever_their_number(maa: MakeAnAudio) -> None:
    events = [[0.0, 1.0, "a dog"], [0.5, 1.5, "rain"]]
    three = maa.text_to_audio("", Sampling(steps=2, seed=5, count=3), seconds=2.0, events=events)
    for take, seed in enumerate(three.seeds):
        one = maa.text_to_audio("", Sampling(steps=2, seed=seed), seconds=2.0, events=events)
        assert np.array_equal(one.audio[0], three.audio[take])


def seen(*spans: tuple[float, float]) -> list[Seen]:
    return [Seen(*span, (np.full((8, 8, 3), k, np.uint8),)) for k, span in enumerate(spans)]


def test_a_clip_is_heard_window_by_window(monkeypatch: pytest.MonkeyPatch, maa: MakeAnAudio) -> None:
    words = [[("a dog", 0.9)], [("a dog", 0.8)], [], [("rain", 0.5), ("wind", 0.4)]]
    monkeypatch.setattr(conditioning, "describe_pictures", lambda model, pictures: words[int(pictures[0][0, 0, 0])])
    windows = seen((0, 10), (9, 19), (18, 28), (27, 37))
    assert pictured.heard(maa.model, windows) == (Event("a dog", 0, 18), Event("rain and wind", 27, 37))
    assert pictured.heard(maa.model, []) == ()


def test_a_clip_sounds_as_its_events_say(maa: MakeAnAudio, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    for event in maa.describe_video(clip):
        assert 0 <= event.start < event.end <= 2.0
    made = maa.video_to_audio(clip, ONCE, events=[[0.5, 1.0, "a door"]])
    heard = np.abs(made.audio[0, 0]).reshape(20, -1).max(1) > 1e-4
    assert heard[5:10].all() and not heard[:5].any() and not heard[11:].any()
    assert made.settings["events"] == [[0.5, 1.0, "a door"]] and made.settings["windows"] == [[0.0, 2.0]]
    assert made.settings["task"] == "video" and made.settings["input"]
    plain = maa.video_to_audio(clip, ONCE).settings
    assert plain["input"] == made.settings["input"] and "events" not in plain
    with pytest.raises(ValueError, match="make the sound longer"):
        maa.video_to_audio(clip, ONCE, events=[[0.5, 3.0, "a door"]])


def test_the_command_line_makes_the_same_bytes_again(tmp_path: Path) -> None:
    first, again = tmp_path / "a.wav", tmp_path / "b.wav"
    rows = ["--event", "0", "1", "a dog @ -3 dB", "--event", "0.5", "2", " -x"]
    assert main(["text", *rows, "--model", "tiny", "--steps", "2", "--seed", "5", "-o", str(first), "--quiet"]) == 0
    settings = read_tags(first)
    assert settings["events"] == [[0.0, 1.0, "a dog", -3.0], [0.5, 2.0, "-x"]]
    line = shlex.split(command(settings, Files(str(again))))[3:]
    assert main([*line, "--quiet"]) == 0
    assert first.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    "rows",
    [
        [],
        ["--event", "2", "1", "rain"],
        ["--event", "a", "b", "rain"],
        ["--event", "0", "20", "rain", "--seconds", "5"],
    ],
)
def test_a_command_that_cannot_be_ends_in_one_line(
    rows: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.wav"
    assert main(["text", *rows, "--model", "tiny", "--steps", "2", "-o", str(out)]) == 2
    assert not out.exists() and len(capsys.readouterr().err.strip().splitlines()) == 1
