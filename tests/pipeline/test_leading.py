"""Prompts in anybody's words: what is led, what stays, and what is said of it. Vectors are made up here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maa import MakeAnAudio, Sampling, checkpoint
from maa.models.vocabulary import VECTORS, WORDS, KnownSound, Vocabulary
from maa.pipeline.leading import captions_instead, lead
from maa.pipeline.tasks import Text
from tests.words import CAPTIONS, SOUNDS, embed


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(SOUNDS, embed(CAPTIONS))


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("a dog barks", "a dog barks"),
        ("a hound woofs", "a dog barks"),
        ("a hound woofs twice", "a dog barks twice"),
        ("a hound woofs, three times", "a dog barks, three times"),
        ("a hound woofs, then it pours", "a dog barks, then heavy rain"),
        ("first a hound woofs, then a bell rings", "first a dog barks, then a bell rings"),
        ("it pours while a dog barks", "heavy rain while a dog barks"),
        ("a hound woofs and it pours", "a dog barks and heavy rain"),
        ("algebra", "algebra"),
        ("a hound woofs before algebra", "a dog barks before algebra"),
    ],
)
def test_clauses_are_led_and_joints_stay(vocabulary: Vocabulary, said: str, heard: str) -> None:
    led = lead(said, vocabulary, embed)
    assert (led.said, led.text) == (said, heard)
    assert led.unknown == (["algebra"] if "algebra" in said else [])


def test_known_captions_are_never_changed(vocabulary: Vocabulary) -> None:
    for caption in CAPTIONS:
        led = lead(caption, vocabulary, embed)
        assert not led.changed and led.captions == [caption]
        assert led.clauses[0].candidates[0].caption == caption


def test_a_sound_is_heard_by_its_name_where_no_caption_is_much_nearer() -> None:
    near = torch.nn.functional.normalize(torch.tensor([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0]]), dim=1)
    known = Vocabulary((KnownSound("dog barking", "animals", False, ("dog barking", "a dog barks", "a pug")),), near)
    led = lead("a hound woofs twice", known, lambda texts: torch.tensor([[0.8, -0.6]] * len(texts)))
    assert led.text == "dog barking twice" and led.clauses[0].candidates[0].caption == "a dog barks"
    assert lead("a", known, lambda texts: torch.tensor([[0.8, -0.6]] * len(texts))).unknown == ["a"]


def test_a_person_chooses_what_is_heard(vocabulary: Vocabulary) -> None:
    led = lead("first a hound woofs twice, then it pours", vocabulary, embed)
    assert led.clauses[0].choices[0] == "a dog barks twice"
    chosen = captions_instead(led, ["church bell twice", "it pours"], vocabulary)
    assert chosen.text == "first church bell twice, then it pours" and chosen.said == led.said
    assert chosen.captions == ["church bell twice", "it pours"]
    assert captions_instead(led, led.captions, vocabulary) == led
    unknown = lead("algebra", vocabulary, embed)
    assert captions_instead(unknown, ["rain"], vocabulary).unknown == []
    assert captions_instead(unknown, ["algebra"], vocabulary).unknown == ["algebra"]
    with pytest.raises(ValueError, match="2 parts"):
        captions_instead(led, ["rain"], vocabulary)
    with pytest.raises(ValueError, match="'a spell' is no sound that the model knows"):
        captions_instead(led, ["a spell", "rain"], vocabulary)


def test_a_prompt_is_cut_as_somebody_cut_it_before(vocabulary: Vocabulary) -> None:
    """Settings of an older version may say more or fewer clauses than are seen now."""
    said = "first rain and a dog barks, then a bell rings"
    for parts, clauses in (
        (1, [said]),
        (2, ["rain and a dog barks", "a bell rings"]),
        (3, ["rain", "a dog barks", "a bell rings"]),
        (4, ["rain", "a dog barks", "a bell rings"]),
    ):
        led = lead(said, vocabulary, embed, parts=parts)
        assert [clause.said for clause in led.clauses] == clauses
        same = captions_instead(led, [clause.said for clause in led.clauses])
        assert same.text == said, "nothing between the clauses is lost"


def test_without_a_vocabulary_nothing_is_led() -> None:
    assert lead("a hound woofs", None, embed).text == "a hound woofs"
    assert lead("a hound woofs", Vocabulary((), torch.zeros(0, 4)), embed).text == "a hound woofs"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab ,;.-'🐶狗<>&then and "), max_size=60).map(lambda x: " ".join(x.split())))
def test_no_prompt_breaks_it(text: str) -> None:
    """Whatever is not led comes back as it was, with nothing lost between clauses."""
    led = lead(text, Vocabulary(SOUNDS, embed(CAPTIONS)), embed)
    assert led.text == text


def test_candidates_are_the_sounds_in_order(vocabulary: Vocabulary) -> None:
    matches = vocabulary.nearest(embed(["it pours"])[0], 2)
    assert matches[0].sound.name == "rain" and matches[0].caption == "heavy rain"
    assert matches[0].similarity == pytest.approx(0.7) and len(matches) == 2


def test_a_vocabulary_survives_its_files(vocabulary: Vocabulary, tmp_path: Path) -> None:
    assert Vocabulary.load(tmp_path) is None
    vocabulary.save(tmp_path)
    again = Vocabulary.load(tmp_path)
    assert again is not None and again.sounds == SOUNDS
    assert torch.allclose(torch.from_numpy(again.vectors), embed(CAPTIONS), atol=1e-3)
    listed = json.loads((tmp_path / WORDS).read_text())
    (tmp_path / WORDS).write_text(json.dumps(listed[:2]))
    with pytest.raises(ValueError, match="restore"):
        Vocabulary.load(tmp_path)
    (tmp_path / WORDS).write_text('[{"name": 1}]')
    with pytest.raises(ValueError, match=WORDS):
        Vocabulary.load(tmp_path)


def test_a_folder_carries_it_and_the_pipeline_says_what_it_hears(tmp_path: Path) -> None:
    model = checkpoint.random_model()
    width = model.config.text.width
    model.vocabulary = Vocabulary(SOUNDS, torch.nn.functional.normalize(torch.randn(len(CAPTIONS), width), dim=1))
    checkpoint.save(model, tmp_path, torch.float32)
    assert VECTORS in json.loads((tmp_path / checkpoint.CONFIG).read_text())["files"]
    maa = MakeAnAudio.from_pretrained(tmp_path, device="cpu")
    assert maa.vocabulary is not None and maa.vocabulary.sounds == SOUNDS
    once = Sampling(steps=1, seed=0)
    made = maa.text_to_audio("rain", once, seconds=0.5)
    assert made.settings["prompt"] == "rain" and "literal" not in made.settings
    assert made.settings["heard"] == maa.heard("rain").captions
    plain = maa.text_to_audio("rain", once, seconds=0.5, literal=True)
    assert plain.settings["literal"] is True and "heard" not in plain.settings
    assert maa.heard("rain", literal=True).text == "rain"
    chosen = maa.text_to_audio(maa.heard("rain", captions=["church bell"]), once, seconds=0.5)
    assert (chosen.settings["prompt"], chosen.settings["heard"]) == ("rain", ["church bell"])
    assert (chosen.audio != made.audio).any() and "church bell" in chosen.settings["heard"]
    asked = Text(prompt="rain", seconds=0.5, heard=("church bell",))
    assert (asked.run(maa, None, once, None).audio == chosen.audio).all()
    literal = Text(prompt="rain", seconds=0.5, heard=("church bell",), literal=True)
    assert (literal.run(maa, None, once, None).audio == plain.audio).all()
    (tmp_path / VECTORS).write_bytes((tmp_path / VECTORS).read_bytes()[:-8])
    with pytest.raises(ValueError, match="damaged"):
        MakeAnAudio.from_pretrained(tmp_path, device="cpu")
