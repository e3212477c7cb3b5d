"""An edit of an edit of an edit: exact outside of all of them, and back to every one of them."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maa import Audio, Box, Edit, EditChain, Filling, MakeAnAudio, Sampling
from maa.audio.io import read, write
from maa.audio.tags import read_tags
from maa.pipeline.edits import MOST_STEPS, OPERATIONS, step_sentence, steps_in

RATE = 48_000


def digest(sound: Audio) -> str:
    return hashlib.sha256(sound.samples.tobytes()).hexdigest()


def long_sound(seconds: float) -> Audio:
    """Noise and a tone, two channels."""
    count = round(seconds * RATE)
    wave = 0.05 * np.random.default_rng(3).standard_normal((2, count), dtype=np.float32)
    wave += 0.1 * np.sin(2 * np.pi * 440 * np.arange(count, dtype=np.float32) / RATE)
    return Audio(wave, RATE, "PCM_16")


def test_five_edits_of_three_minutes(tiny: MakeAnAudio) -> None:
    """Three without a model, two by one: outside the union of their spans the difference is 0; and back again."""
    source = long_sound(180.0)
    chain, states = EditChain(source), [digest(source)]
    spent: list[float] = []  # seconds of the processor

    def fill(*boxes: Box, **how: Any) -> None:
        made = tiny.inpaint(chain.sound, list(boxes), sampling=Sampling(steps=1, seed=5), filling=Filling(**how))
        chain.use(made, list(boxes))

    for act in (
        lambda: chain.edit(Edit(boxes=[(20.0, 21.0, 300, 900)], gain=6.0)),
        lambda: fill(Box(20.5, 21.5, 300, 4000)),
        lambda: chain.edit(Edit(frames=[(90.0, 90.1)], heal=True)),
        lambda: fill(Box(150.0, 151.0)),
        lambda: chain.edit(Edit(boxes=[(150.2, 150.8, 1000, 2000)], copy_to=10.0)),
    ):
        began = time.process_time()
        act()
        spent.append(time.process_time() - began)
        states.append(digest(chain.sound))
    assert len(set(states)) == 6
    assert min(spent[0], spent[2], spent[4]) < 1.0, "an edit without a model works on its span alone"
    outside = np.ones(180 * RATE, bool)
    frame = 0.016
    for start, end in ((20.0, 21.5), (90.0, 90.1), (150.0, 151.0), (10.0, 10.6)):
        outside[int(np.floor(start / frame) * frame * RATE) : int(np.ceil(end / frame) * frame * RATE) + 1] = False
    difference = np.abs(chain.sound.samples - source.samples)
    assert difference[:, outside].max() == 0.0
    assert [bool(difference[:, round(at * RATE)].any()) for at in (20.3, 21.2, 90.05, 150.5, 10.3)] == [True] * 5
    for step in (4, 0, 3, 1, 5, 2):
        chain.go(step)
        assert digest(chain.sound) == states[step]
        assert len(chain.steps) == step
    told = [step_sentence(step) for step in chain.steps]
    assert told == ["Boost +6 dB, 20.00–21.00 s", "Remove, 20.50–21.50 s"]
    assert (chain.steps[1]["seed"], chain.steps[1]["settings"]["steps"]) == (5, 1)


def test_undo_redo_and_another_way(tmp_path: Path) -> None:
    chain = EditChain(long_sound(1.0))
    assert not chain.undo() and not chain.redo()
    for gain in (-3.0, -6.0):
        chain.edit(Edit(frames=[(0.2, 0.4)], gain=gain))
    assert chain.undo() and chain.at == 1 and chain.redo() and not chain.redo()
    chain.go(1)
    chain.edit(Edit(frames=[(0.5, 0.6)], silence=True))  # the second gain is forgotten
    assert [step["operation"] for step in chain.steps] == ["boost", "silence"]
    with pytest.raises(ValueError, match="no step 3"):
        chain.go(3)
    path = chain.save(tmp_path / "out.wav")
    again = EditChain(path)
    assert again.steps == chain.steps and len(again) == 0
    again.edit(Edit(boxes=[(0.1, 0.2, 100, 900)], move_to=0.7))
    settings = read_tags(again.save(tmp_path / "more.wav"))
    assert [step["operation"] for step in steps_in(settings)] == ["boost", "silence", "move"]
    assert steps_in(settings)[2]["settings"] == {"move_to": 0.7}


def test_a_longer_sound_is_a_step_like_any_other(tiny: MakeAnAudio) -> None:
    source = long_sound(1.0)
    chain = EditChain(source)
    made = tiny.inpaint(source, [], sampling=Sampling(steps=1, seed=1), filling=Filling(after=0.5))
    chain.use(made, [])
    assert chain.sound.seconds > 1.4
    chain.undo()
    assert digest(chain.sound) == digest(source)
    chain.redo()
    assert chain.sound.seconds > 1.4
    mono = MakeAnAudio.inpaint(tiny, Audio(source.samples[:1], RATE), [Box(0.2, 0.4)], sampling=Sampling(steps=1))
    with pytest.raises(ValueError, match="other channels"):
        chain.use(mono, [Box(0.2, 0.4)])


def test_a_chain_has_an_end() -> None:
    chain = EditChain(long_sound(0.2))
    for _ in range(MOST_STEPS):
        chain.edit(Edit(frames=[(0.05, 0.1)], gain=-0.1))
    with pytest.raises(ValueError, match="at most 32 edits"):
        chain.edit(Edit(frames=[(0.05, 0.1)], gain=-0.1))


def test_a_mask_and_harmonics() -> None:
    """A painted mask adds to the boxes; a box with its multiples is many boxes."""
    chain = EditChain(long_sound(1.0))
    mask = np.zeros((80, 63), bool)
    mask[10:20, 40:50] = True
    made = chain.edit(Edit(boxes=[(0.1, 0.5, 420, 460)], harmonics=True, gain=-20.0), mask)
    assert made.spans[-1] == (40 * 0.016, 50 * 0.016)
    assert len(made.step["boxes"]) == 55  # 54 below 24 kHz and the painted one
    assert made.report.outside == 0.0


JUNK: list[Any] = [
    None, 5, "x", {}, {"operation": "explode", "boxes": [], "settings": {}}, {"operation": "heal"},
    {"operation": "heal", "boxes": [[1, 2]], "settings": {}},
    {"operation": "heal", "boxes": [[1, 2, 3, "4"]], "settings": {}},
    {"operation": "heal", "boxes": [[float("nan")] * 4], "settings": {}},
    {"operation": ["heal"], "boxes": [], "settings": {}},
    {"operation": "boost", "boxes": [], "settings": {"gain": "loud"}},
    {"operation": "copy", "boxes": [], "settings": {}},
]  # fmt: skip


def test_what_is_no_chain_in_a_file_is_passed_over() -> None:
    good = {"operation": "boost", "boxes": [[1, 2, 3, 4]], "settings": {"gain": -3, "x": [1]}, "seed": "s"}
    steps = steps_in({"chain": [*JUNK, good]})
    assert steps == [{"operation": "boost", "boxes": [[1.0, 2.0, 3.0, 4.0]], "settings": {"gain": -3}}]
    assert step_sentence(steps[0]) == "Attenuate −3 dB, 1.00–2.00 s"
    for junk in (None, {}, {"chain": "x"}, {"chain": {"a": 1}}):
        assert steps_in(junk) == []
    assert len(steps_in({"chain": [good] * 100})) == MOST_STEPS


def test_an_inpainted_file_is_a_step_itself(tmp_path: Path, tiny: MakeAnAudio) -> None:
    made = tiny.inpaint(long_sound(1.0), [Box(0.2, 0.4)], "rain", sampling=Sampling(steps=1, seed=9))
    (step,) = EditChain(made.save(tmp_path / "take.wav")).steps
    assert step_sentence(step) == "Replace: rain, 0.19–0.40 s"
    assert step["seed"] == 9


@pytest.mark.parametrize("what", [{}, {"gain": 3.0, "heal": True}, {"copy_to": 1.0, "move_to": 1.0}])
def test_an_edit_is_one_thing(what: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one thing to do"):
        Edit(frames=[(0.0, 1.0)], **what)


def test_operations_have_names() -> None:
    assert {Edit(gain=0.0).operation, Edit(silence=True).operation, Edit(heal=True).operation} < set(OPERATIONS)


def test_silence_is_no_sound_to_edit(tmp_path: Path) -> None:
    write(tmp_path / "silent.wav", np.zeros((1, RATE), np.float32), RATE)
    with pytest.raises(ValueError, match="silent"):
        EditChain(tmp_path / "silent.wav").edit(Edit(frames=[(0.1, 0.2)], gain=3.0))
    assert read(tmp_path / "silent.wav").channels == 1
