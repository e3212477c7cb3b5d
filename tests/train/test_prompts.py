"""Templates and the clips composed to fit them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train.library import little_library
from train.data import Library, Recording
from train.data.bursts import find_bursts
from train.data.prompts.composer import SILENCE_AT_MOST, Composer, Event, Mixing
from train.data.prompts.plans import TIMES
from train.data.prompts.templates import TEMPLATES, Template, fill_template

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
        sentence = fill_template(template, "a dog barks", "rain", rng)
        assert "a dog barks" in sentence and "rain" in sentence and "{" not in sentence


def test_clips_hold_what_they_say() -> None:
    library = little_library()
    composer = Composer(library, library.indices("train"), LENGTH, RATE, mixing=Mixing(together=0.0))
    rng = np.random.default_rng(1)
    counts = []
    for _ in range(60):
        clip = composer.plan(rng)
        wave = composer.render([clip])[0].numpy()
        assert wave.shape == (LENGTH,) and np.abs(wave).max() <= 0.99
        assert clip.events[0].start == 0 and clip.events[-1].end == LENGTH
        assert all(a.end == b.start for a, b in zip(clip.events, clip.events[1:], strict=False))
        for event in clip.events:
            concept = library.rows[event.recording].concept
            assert concept in event.caption and concept in clip.caption
            part = wave[event.start : event.end]
            spectrum = np.abs(np.fft.rfft(part))
            pitch = spectrum.argmax() * RATE / len(part)
            assert pitch == pytest.approx(200 * (int(concept[-1]) + 1), abs=5)  # the sound is where the caption says
        counts.append(len(clip.events))
    assert set(counts) == {1, 2, 3}


def test_the_order_of_the_sounds_is_the_templates() -> None:
    library = little_library()
    composer = Composer(library, library.indices("train"), LENGTH, RATE, mixing=Mixing(together=0.0))
    rng = np.random.default_rng(2)
    seen = 0
    while seen < 40:
        plan = composer.plan(rng)
        if len(plan.events) != 2 or not any(word in plan.caption for word in (" then ", "first is")):
            continue
        first, second = (library.rows[e.recording].concept for e in plan.events)
        assert plan.caption.index(first) <= plan.caption.rindex(second)
        seen += 1


def test_short_recordings_are_repeated_without_much_silence() -> None:
    library = little_library()
    composer = Composer(library, np.array([0]), LENGTH, RATE)
    plan = next(p for p in (composer.plan(np.random.default_rng(k)) for k in range(50)) if len(p.events) == 1)
    wave = composer.render([plan])[0].numpy()
    quiet = np.convolve(np.abs(wave), np.ones(160) / 160, "same") < 1e-4
    assert len(plan.pieces) > 10 and quiet.mean() <= SILENCE_AT_MOST + 0.05


def test_a_batch_is_its_clips_one_by_one() -> None:
    """Rendering many plans at once mixes nothing up, and every plan's sounds are where its events say."""
    library = little_library()
    composer = Composer(library, library.indices("train"), LENGTH, RATE, mixing=Mixing(together=0.5))
    plans = [composer.plan(np.random.default_rng(k)) for k in range(24)]
    batch = composer.render(plans)
    assert batch.shape == (24, LENGTH) and batch.abs().max() <= 0.9801
    for plan, wave in zip(plans, batch, strict=True):
        assert torch.equal(composer.render([plan])[0], wave)
        for event in plan.events:
            part = wave[event.start : event.end].numpy()
            spectrum = np.abs(np.fft.rfft(part))
            pitch = 200 * (int(library.rows[event.recording].concept[-1]) + 1)
            near = spectrum[round((pitch - 5) * len(part) / RATE) : round((pitch + 5) * len(part) / RATE)].max()
            assert near > 0.1 * spectrum.max(), (event, plan.caption)


def test_sounds_at_once_share_their_span_and_say_so() -> None:
    library = little_library()
    composer = Composer(library, library.indices("train"), LENGTH, RATE, mixing=Mixing(together=1.0))
    seen = 0
    for seed in range(80):
        plan = composer.plan(np.random.default_rng(seed))
        if len(plan.events) == 1:
            assert plan.events[0].alone
            continue
        over, covered = plan.events[-1], [e for e in plan.events[:-1] if not e.alone]
        assert not over.alone and covered
        assert (covered[0].start, covered[-1].end) == (over.start, over.end)
        assert all(e.alone for e in plan.events[:-1] if e.end <= over.start or e.start >= over.end)
        assert over.caption in plan.caption
        seen += 1
    assert seen > 20


def test_every_order_of_three_stays_true_when_two_are_mixed() -> None:
    """A mixed pair keeps its own span when a third sound comes before or after it."""
    library = little_library()
    composer = Composer(library, library.indices("train"), LENGTH, RATE, mixing=Mixing(together=0.5))
    partly = [p for p in (composer.plan(np.random.default_rng(k)) for k in range(600)) if len(p.events) == 3]
    partly = [p for p in partly if not p.events[-1].alone and p.events[-1].end - p.events[-1].start < LENGTH]
    assert len({plan.events[-1].start == 0 for plan in partly}) == 2
    for plan in partly:
        mixed = next(e for e in plan.events[:2] if not e.alone)
        assert (mixed.start, mixed.end) == (plan.events[-1].start, plan.events[-1].end)


def test_a_sound_in_the_background_is_quieter() -> None:
    library = little_library()
    composer = Composer(library, library.indices("train"), LENGTH, RATE, mixing=Mixing(together=1.0))
    ratios: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(300):
        plan = composer.plan(np.random.default_rng(seed))
        if len(plan.events) == 2:
            levels = [
                np.median(plan.gains[plan.pieces[:, 3] == k]) * library.levels[e.recording]
                for k, e in enumerate(plan.events)
            ]
            is_behind = " in the background" in plan.caption or " over " in plan.caption
            ratios[is_behind].append(20 * np.log10(levels[1] / levels[0]))
    assert -18 < np.mean(ratios[True]) < -8 and abs(np.mean(ratios[False])) < 2


def test_a_quiet_recording_is_lifted() -> None:
    library = little_library()
    library.samples[library.offsets[1] : library.offsets[2]] //= 3
    lift = Composer(library, library.indices(), LENGTH, RATE).lift
    assert lift[1] * library.levels[1] == pytest.approx(lift[0] * library.levels[0], rel=0.02)


def test_composing_many_clips_takes_little_time() -> None:
    library = little_library()
    composer = Composer(library, library.indices("train"), LENGTH, RATE)
    rng = np.random.default_rng(0)
    composer.plan(rng)  # the levels of all recordings are measured
    started = time.process_time()
    for _ in range(32):
        composer.plan(rng)
    assert time.process_time() - started < 0.5, "a plan is drawn in a few hundred microseconds"


def test_composing_is_seeded() -> None:
    library = little_library()
    composer = Composer(library, library.indices("train"), 32_000, RATE)
    plans = [composer.plan(np.random.default_rng(5)) for _ in range(2)]
    assert plans[0].caption == plans[1].caption and torch.equal(*(composer.render([plan]) for plan in plans))


@pytest.mark.cuda
def test_a_gpu_renders_the_same_clips() -> None:
    library = little_library()
    plans = [
        Composer(library, library.indices(), LENGTH, RATE, mixing=Mixing(together=0.5)).plan(np.random.default_rng(k))
        for k in range(8)
    ]
    here = Composer(library, library.indices(), LENGTH, RATE, "cpu").render(plans)
    there = Composer(library, library.indices(), LENGTH, RATE, "cuda").render(plans)
    assert there.is_cuda and (there.cpu() - here).abs().max() < 1e-4


def test_events_play_a_little_slower_or_faster() -> None:
    library = little_library()
    plain = Composer(library, np.array([2]), LENGTH, RATE)
    faster = Composer(library, np.array([2]), LENGTH, RATE, speeds=(1.06, 1.06))
    event = Event(0, LENGTH, "a tone", 2)
    for composer, hz in ((plain, 200), (faster, 212)):
        wave = composer.render([composer.lay((event,), "a tone", np.random.default_rng(0))])[0]
        start = 8000
        spectrum = torch.fft.rfft(wave[start : start + RATE] * torch.hann_window(RATE)).abs()
        assert int(spectrum.argmax()) == hz
        assert spectrum[2000:].max() < 2e-3 * spectrum.max(), "interpolation is clean"


def test_a_steady_sound_goes_on_and_a_short_one_is_repeated() -> None:
    library = little_library()
    noise = np.random.default_rng(0).normal(0, 3000, library.offsets[3] - library.offsets[2]).astype(np.int16)
    library.samples[library.offsets[2] : library.offsets[3]] = noise
    library.samples[library.offsets[4] - 4000 : library.offsets[4]] = 0  # ends in silence
    assert library.steady[2] and not library.steady[3]
    composer = Composer(library, library.indices(), LENGTH, RATE)
    for recording, silent in ((2, False), (3, True)):
        event = Event(0, LENGTH, "a sound", recording)
        wave = composer.render([composer.lay((event,), "a sound", np.random.default_rng(0))])[0].numpy()
        levels = np.sqrt(np.mean(wave[: LENGTH // 480 * 480].reshape(-1, 480) ** 2, axis=1))[2:-2]
        assert (levels.min() < 0.1 * levels.max()) == silent
        assert silent or levels.max() < 1.5 * levels.min(), "repeats fade into one another at equal power"


def hits(seconds: list[float]) -> Library:
    """Recordings of one concept, each a decaying noise of its own pitch, `seconds` long."""
    rng, rows, waves = np.random.default_rng(0), [], []
    for k, length in enumerate(seconds):
        rows.append(Recording(f"{k}", "knocking", "doors", ("a knock",), "train", Path(f"knock{k}.wav")))
        t = np.arange(int(length * RATE)) / RATE
        waves.append((rng.normal(0, 9000, len(t)) * np.exp(-t / (0.1 * length))).clip(-32000, 32000).astype(np.int16))
    return Library(rows, np.concatenate(waves), np.cumsum([0, *(len(wave) for wave in waves)]))


def test_events_of_a_recording_are_told_apart() -> None:
    knock = np.exp(-np.arange(RATE // 4) / 800) * np.random.default_rng(0).normal(0, 0.2, RATE // 4)
    twice = find_bursts(np.concatenate([knock, np.zeros(RATE // 4), knock]).astype(np.float32), RATE)
    assert twice.sure and len(twice.spans) == 2
    assert np.abs(twice.spans[:, 0] - [0, RATE // 2]).max() < 0.03 * RATE
    assert (twice.spans[:, 1] - twice.spans[:, 0] < RATE // 4).all()
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    assert len(find_bursts(noise, RATE).spans) == 1


def test_single_sounds_are_not_copies_and_are_counted() -> None:
    library = hits([0.3, 0.32, 0.35, 0.4, 0.3])
    composer = Composer(library, library.indices(), LENGTH, RATE, natural=True)
    rng, counts, tails = np.random.default_rng(0), [], []
    for _ in range(200):
        event = Event(0, LENGTH, "a knock", 0, others=(1, 2, 3, 4))
        plan = composer.lay((event,), "a knock", rng)
        assert plan.speeds is not None and len(set(plan.speeds.tolist())) == len(plan.speeds), "no two are alike"
        begins = plan.pieces[:, 0]
        assert len(set(begins[:5].tolist())) == min(5, len(begins)), "each recording once before one comes again"
        assert (begins[1:] != begins[:-1]).all()
        spans = plan.sounding[0]
        assert plan.countable[0] and len(spans) == len(plan.pieces)
        gaps = np.diff(spans[:, 0])
        assert len(gaps) < 3 or gaps.std() > 0.02 * gaps.mean(), "gaps are uneven"
        counts.append(len(spans))
        tails.append(LENGTH - spans[-1, 1])
    assert {1, 2, 3} <= set(counts) and max(counts) > 8
    assert np.mean(np.array(tails) > LENGTH / 2) > 0.3, "silence is left behind the last"
    assert 0.15 < counts.count(1) / 200 < 0.4


def test_numbers_are_said_as_they_are() -> None:
    library = hits([0.3, 0.32, 0.35, 0.4, 0.3])
    composer = Composer(library, library.indices(), LENGTH, RATE, natural=True, mixing=Mixing(together=0.0))
    seen = 0
    for seed in range(60):
        plan = composer.plan(np.random.default_rng(seed))
        if len(plan.events) == 1:
            assert len(plan.counted) == min(4, len(plan.sounding[0]))
            assert all(any(word in said for word in words) for said, words in zip(plan.counted, TIMES, strict=False))
        elif len(plan.events) == 2:
            for event, spans in zip(plan.events, plan.sounding, strict=True):
                words = TIMES[min(4, len(spans)) - 1]
                assert any(f"{event.caption} {word}" in plan.counted[0] for word in words)
                assert not any(f"{event.caption} {word}" in plan.caption for word in words)
            seen += 1
        else:
            assert not plan.counted
    assert seen > 10


def test_what_goes_on_has_no_hole() -> None:
    """Not even where its recordings are short and fade in and out."""
    rng, rows, waves = np.random.default_rng(0), [], []
    for k, seconds in enumerate((1.4, 2.0, 3.1)):
        rows.append(Recording(f"{k}", "rain", "weather", ("rain",), "train", Path(f"{k}.wav"), sustained=True))
        fade = np.minimum(1.0, np.minimum(np.arange(int(seconds * RATE)), np.arange(int(seconds * RATE))[::-1]) / 5000)
        waves.append((rng.normal(0, 3000, len(fade)) * fade).astype(np.int16))
    library = Library(rows, np.concatenate(waves), np.cumsum([0, *(len(wave) for wave in waves)]))
    composer = Composer(library, library.indices(), LENGTH, RATE, natural=True)
    for seed in range(12):
        event = Event(0, LENGTH, "rain", seed % 3, others=tuple({0, 1, 2} - {seed % 3}))
        wave = composer.render([composer.lay((event,), "rain", np.random.default_rng(seed))])[0]
        levels = 10 * wave.view(-1, 512).square().mean(1).log10()
        assert (levels > levels.median() - 8).all(), "from the first sample to the last"
