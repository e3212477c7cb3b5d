"""Sentences to events: what comes when."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maa.pipeline.events import SHORTEST
from maa.pipeline.sentences import BEHIND, events_in
from train.data.prompts.templates import MIXES, TEMPLATES, fill_template


def by_and(clause: str) -> list[str]:
    return re.split(r"\s+and\s+", clause)


@pytest.mark.parametrize(
    ("sentence", "rows"),
    [
        ("a dog barks", []),
        ("first a dog barks, then rain falls", [(0, 5, "a dog barks"), (5, 10, "rain falls")]),
        ("a cat meows followed by thunder", [(0, 5, "a cat meows"), (5, 10, "thunder")]),
        ("after the thunder, rain", [(0, 5, "the thunder"), (5, 10, "rain")]),
        ("before the rain, thunder", [(0, 5, "thunder"), (5, 10, "the rain")]),
        ("a dog barks twice after a gunshot", [(0, 5, "a gunshot"), (5, 10, "a dog barks twice")]),
        ("a siren before an explosion", [(0, 5, "a siren"), (5, 10, "an explosion")]),
        ("rain while a dog barks", [(0, 10, "rain"), (0, 10, "a dog barks")]),
        ("while it rains, a dog barks", [(0, 10, "a dog barks"), (0, 10, "it rains")]),
        ("rain and thunder", [(0, 10, "rain"), (0, 10, "thunder")]),
        ("first a bell, then wind and rain", [(0, 5, "a bell"), (5, 10, "wind"), (5, 10, "rain")]),
        ("wind with birds in the background", [(0, 10, "wind"), (0, 10, "birds", BEHIND)]),
        ("footsteps, then silence, then a door slams", [(0, 10 / 3, "footsteps"), (20 / 3, 10, "a door slams")]),
        ("an engine starts; a car drives off", [(0, 5, "an engine starts"), (5, 10, "a car drives off")]),
        ("an explosion, people screaming, then a siren",
         [(0, 10 / 3, "an explosion"), (10 / 3, 20 / 3, "people screaming"), (20 / 3, 10, "a siren")]),
        # Times
        ("thunder at 2 s, then rain until the end", [(2, 6, "thunder"), (6, 10, "rain")]),
        ("an explosion at 3 seconds", [(3, 10, "an explosion")]),
        ("at 2 s, thunder", [(2, 10, "thunder")]),
        ("a bell rings for 2 s, then a crowd cheers", [(0, 2, "a bell rings"), (2, 10, "a crowd cheers")]),
        ("a siren from 1 to 2.5 s", [(1, 2.5, "a siren")]),
        ("a dog barks(1.0-2.0, 3.0-4.0); rain(0-10)", [(1, 2, "a dog barks"), (3, 4, "a dog barks"), (0, 10, "rain")]),
        ("rain (0 s - 4 s), thunder (4 s – 20 s)", [(0, 4, "rain"), (4, 10, "thunder")]),
        # None of these is several sounds
        ("birds before dawn", []),
        ("one after another", []),
        ("one knock after the other", []),
        ("then", []),
        ("rain, then", []),
        ("a dog barks(5-3)", []),
        ("Beethoven's ninth (1824)", []),
    ],
)  # fmt: skip
def test_what_comes_when(sentence: str, rows: list[tuple[float, ...]]) -> None:
    found = [event.row() for event in events_in(sentence, 10.0, by_and)]
    assert [row[2:] for row in found] == [list(row[2:]) for row in rows]
    assert [row[:2] for row in found] == [pytest.approx(row[:2], abs=1e-3) for row in rows]


@pytest.mark.parametrize("seed", range(5))
def test_the_papers_templates_are_read_in_the_order_of_their_sounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for template in TEMPLATES:
        said = fill_template(template, "a dog barks", "heavy rain", rng)
        order = ["a dog barks", "heavy rain"] if template.x_first else ["heavy rain", "a dog barks"]
        assert [event.text for event in events_in(said, 10.0)] == order, said
    for mix in MIXES:
        said = fill_template(mix, "a dog barks", "heavy rain", rng)
        found = events_in(said, 10.0)
        assert [(e.text, e.start, e.end) for e in found] == [("a dog barks", 0, 10), ("heavy rain", 0, 10)], said
        assert (found[1].gain < 0) is mix.behind


def test_a_joint_between_what_is_no_sound_is_none() -> None:
    def known(clause: str) -> bool:
        return "breakfast" not in clause

    assert events_in("a kettle whistles before breakfast", 10.0, known=known) == []
    assert len(events_in("a kettle whistles before the toast pops", 10.0, known=known)) == 2


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab ,.;()-0123456789🐶é\n", max_size=80) | st.text(max_size=80), st.sampled_from([0.5, 9.984]))
def test_any_text_gives_events_within_the_sound(text: str, seconds: float) -> None:
    words = ["then", "after", "first", "at 2 s", "until the end", "while", "(1-2)", "for 9 s"]
    for said in (text, f"{text} {words[len(text) % len(words)]} {text}"):
        for event in events_in(said, seconds, by_and):
            assert 0 <= event.start < event.end <= seconds + 1e-3 and event.end - event.start >= SHORTEST - 1e-3
            assert event.text.strip()
