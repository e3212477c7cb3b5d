"""Templates and the clips composed to fit them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.train.library import little_library
from train.prompts.reprogram import SILENCE_AT_MOST, compose, stretch
from train.prompts.templates import TEMPLATES, Template, write

RATE, LENGTH = 16_000, 159_744


def test_there_are_the_twelve_of_appendix_f() -> None:
    assert len(TEMPLATES) == len({t.text for t in TEMPLATES}) == 12
    assert sum(t.x_first for t in TEMPLATES) == 6


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.text)
def test_order_of_plain_words(template: Template) -> None:
    """ "A before B", "after A, B", "A, then B" and so on: English says which comes first."""
    said = template.text
    x, event = said.index("{x}"), said.index("{event}")
    reversed_order = said.startswith(("before", "in front of")) or " following " in said or " after " in said
    first_is_x = x > event if reversed_order else x < event
    assert template.x_first == first_is_x


def test_write_fills_every_word() -> None:
    rng = np.random.default_rng(0)
    for template in TEMPLATES:
        sentence = write(template, "a dog barks", "rain", rng)
        assert "a dog barks" in sentence and "rain" in sentence and "{" not in sentence


def test_clips_hold_what_they_say() -> None:
    library = little_library()
    rng = np.random.default_rng(1)
    counts = []
    for _ in range(60):
        clip = compose(library, library.indices("train"), LENGTH, RATE, rng)
        assert clip.wave.shape == (LENGTH,) and np.abs(clip.wave).max() <= 0.99
        assert clip.events[0].start == 0 and clip.events[-1].end == LENGTH
        assert all(a.end == b.start for a, b in zip(clip.events, clip.events[1:], strict=False))
        for event in clip.events:
            concept = library.rows[event.recording].concept
            assert concept in event.caption and concept in clip.caption
            part = clip.wave[event.start : event.end]
            spectrum = np.abs(np.fft.rfft(part))
            pitch = spectrum.argmax() * RATE / len(part)
            assert pitch == pytest.approx(200 * (int(concept[-1]) + 1), abs=5)  # the sound is where the caption says
        counts.append(len(clip.events))
    assert set(counts) == {1, 2, 3}


def test_the_order_of_the_sounds_is_the_templates() -> None:
    library = little_library()
    rng = np.random.default_rng(2)
    seen = 0
    while seen < 20:
        clip = compose(library, library.indices("train"), LENGTH, RATE, rng)
        if len(clip.events) != 2 or " then " not in clip.caption:
            continue
        first, second = (library.rows[e.recording].concept for e in clip.events)
        assert clip.caption.index(first) <= clip.caption.rindex(second)
        seen += 1


def test_short_recordings_are_repeated_without_much_silence() -> None:
    library = little_library()
    rng = np.random.default_rng(3)
    wave = stretch(library, 0, LENGTH, rng)
    quiet = np.convolve(np.abs(wave), np.ones(160) / 160, "same") < 1e-4
    assert quiet.mean() <= SILENCE_AT_MOST + 0.05


def test_composing_is_seeded() -> None:
    library = little_library()
    clips = [compose(library, library.indices("train"), 32_000, RATE, np.random.default_rng(5)) for _ in range(2)]
    assert clips[0].caption == clips[1].caption and np.array_equal(clips[0].wave, clips[1].wave)
