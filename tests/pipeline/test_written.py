"""Numbers in prompts: heard as words where the library for it is there, as they are captions; old files stay."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from maa.models import written
from maa.models.vocabulary import KnownSound, Vocabulary
from maa.pipeline import conditioning
from maa.pipeline.leading import captions_instead, lead
from maa.pipeline.notes import NOTHING
from tests.words import CAPTIONS, SOUNDS, embed


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(SOUNDS, embed(CAPTIONS))


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("algebra in 3 parts", "algebra in three parts"),
        ("algebra at 440 Hz", "algebra at four hundred and forty hertz"),
        ("a hound woofs 3 times", "a dog barks three times"),
        ("a hound woofs, then algebra for $5", "a dog barks, then algebra for five dollars"),
        ('a "dog" barks – loudly!', 'a "dog" barks – loudly!'),
        ("a man says no.", "a man says no."),
        ("四 dogs 4", "四 dogs 4"),
        ("", ""),
    ],
)
def test_numbers_are_heard_as_captions_have_them(vocabulary: Vocabulary, said: str, heard: str) -> None:
    pytest.importorskip("wetext")
    led = lead(said, vocabulary, embed)
    assert led.said == said and led.text == heard
    assert captions_instead(led, led.captions, vocabulary).text == heard, "what was heard is heard again"


def test_words_that_were_trained_on_stay(vocabulary: Vocabulary) -> None:
    sound = KnownSound("3d printer", "objects", False, ("3d printer",))
    axes = torch.eye(len(CAPTIONS) + 1)
    known = Vocabulary((*SOUNDS, sound), axes)
    led = lead("3d printer", known, lambda texts: axes[-1:].repeat(len(texts), 1))
    assert led.text == "3d printer"


def test_a_file_from_before_is_heard_as_it_was(vocabulary: Vocabulary) -> None:
    """Its settings say what was listened to: the person's own figures."""
    led = lead("algebra in 3 parts", vocabulary, embed)
    assert captions_instead(led, ["algebra in 3 parts"], vocabulary).text == "algebra in 3 parts"
    led = lead("a hound woofs 3 times", vocabulary, embed)
    assert captions_instead(led, ["a dog barks 3 times"], vocabulary).text == "a dog barks 3 times"


def test_where_the_library_is_absent_that_is_said(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    """A take made elsewhere is heard as it was there."""
    monkeypatch.setattr(written, "can_write", lambda: False)
    led = lead("algebra in 3 parts, then a hound woofs", vocabulary, embed)
    assert led.text == "algebra in 3 parts, then a dog barks"
    notes = conditioning.notes_of(SimpleNamespace(text=None), [led])
    assert notes.numbers == ("algebra in 3 parts",) and notes.to_settings()["numbers"] == ["algebra in 3 parts"]
    assert any("install wetext" in sentence for sentence in notes.sentences())
    made = captions_instead(led, ["algebra in three parts", "a dog barks"], vocabulary)
    assert made.text == "algebra in three parts, then a dog barks"
    plain = conditioning.notes_of(SimpleNamespace(text=None), [lead("rain", vocabulary, embed)])
    assert plain == NOTHING and "numbers" not in plain.to_settings()
