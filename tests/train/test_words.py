"""Captions in other words: grammar, senses, and what the evaluation asks that training never says."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
import torch

from train.data import load_manifest
from train.data.prompts import synonyms
from train.evaluation.prompts import PARAPHRASES
from train.latents.recipes import RECIPES, between_captions, blurred
from train.vocabulary import known_sounds


def said_of() -> dict[str, set[str]]:
    """Every caption of each concept, and its name."""
    found: dict[str, set[str]] = {}
    for row in load_manifest():
        found.setdefault(row.concept, {row.concept}).update(row.captions)
    return found


def test_the_evaluations_paraphrases_are_never_said() -> None:
    captions = said_of()
    for concept, paraphrase in PARAPHRASES.items():
        told = {said for caption in captions[concept] for said in synonyms.variants(caption, concept)}
        runs = [re.findall(r"[a-z]+", text.lower()) for text in (paraphrase, *told)]
        fours = [{tuple(run[k : k + 4]) for k in range(len(run) - 3)} for run in runs]
        assert paraphrase not in told
        assert not fours[0] & set().union(*fours[1:]), paraphrase


@pytest.mark.parametrize(
    ("caption", "concept", "other"),
    [
        ("a dog barks", "dog barking", "a domestic dog barks"),
        ("an owl hoots", "owl hooting", "a bird hoots"),
        ("bees buzz", "bee buzzing", "insects buzz"),
        ("a large church bell rings", "church bell", "a large bell rings"),
        ("a building collapses", "building collapsing", "a building caves in"),
        ("someone knocks on a door", "knocking on a door", "someone raps on a door"),
        ("a mouse squeaks", "mouse squeaking", "an animal squeaks"),
    ],
)
def test_words_are_replaced_in_their_form(caption: str, concept: str, other: str) -> None:
    assert other in synonyms.variants(caption, concept)


def test_a_word_of_another_sense_stays() -> None:
    assert not synonyms.places("a sea lion barks", "sea lion barking")
    assert not synonyms.places("a pan flute plays", "pan flute")


def test_the_table_names_concepts_that_there_are() -> None:
    concepts = said_of().keys()
    entries = synonyms.synonym_table()
    assert len(entries) > 150 and len({(entry.word, entry.verb, entry.concepts) for entry in entries}) == len(entries)
    for entry in entries:
        assert set(entry.concepts) <= concepts
        assert any(entry.belongs(concept) for concept in concepts), entry.word
    with synonyms.TABLE.open(newline="", encoding="utf-8") as file:
        assert {line["kind"] for line in csv.DictReader(file)} == {"noun", "verb"}


def test_some_captions_are_said_in_other_words() -> None:
    rng = np.random.default_rng(0)
    told = [synonyms.reword("a dog barks", "dog barking", rng) for _ in range(1000)]
    assert 0.2 < np.mean([said != "a dog barks" for said in told]) < 0.5
    assert 0.15 < np.mean([synonyms.framed("rain", "rain", rng) != "rain" for _ in range(1000)]) < 0.35
    frames = {synonyms.framed("a dog barks", "dog barking", rng) for _ in range(1000)}
    assert "the sound of a dog barks" not in frames, "a sentence is not put where a name belongs"


def test_token_states_are_moved_within_measure() -> None:
    torch.manual_seed(0)
    tokens, real = torch.randn(600, 6, 16), (torch.arange(6) < 4).expand(600, -1)
    tokens[:, 4:] = 0
    noise, chance = torch.randn(600, 6, 16), torch.rand(2, 600)
    recipe = RECIPES["unified"]
    moved = blurred(tokens, real, noise, chance, recipe)
    assert not moved[:, 4:].any()
    still = (chance < 0.5).all(0)
    assert torch.equal(moved[still], tokens[still]) and (moved[~still] != tokens[~still]).any((1, 2)).all()
    only_noise = (chance[0] > 0.9) & (chance[1] < 0.5)
    by = (moved - tokens)[only_noise, :4].std() / tokens[only_noise, :4].std()
    assert 0.7 * recipe.text_noise < by < recipe.text_noise  # of the spread about the mean of four
    only_mean = (chance[1] > 0.9) & (chance[0] < 0.5)
    assert moved[only_mean, :4].std(1).mean() < (1 - 0.7 * recipe.text_mean) * tokens[only_mean, :4].std(1).mean()


def test_states_between_two_captions() -> None:
    """Word by word as far as both have words; the rest, padding included, stays."""
    torch.manual_seed(0)
    tokens, others = torch.randn(3, 6, 16), torch.randn(3, 6, 16)
    lengths, shorter = torch.tensor([5, 5, 3]), torch.tensor([3, 6, 6])
    moved = between_captions(tokens, lengths, others, shorter, torch.tensor([0.25, 0.0, 1.0]))
    assert torch.allclose(moved[0, :3], 0.75 * tokens[0, :3] + 0.25 * others[0, :3])
    assert torch.equal(moved[0, 3:], tokens[0, 3:]) and torch.equal(moved[1], tokens[1])
    assert torch.equal(moved[2, :3], others[2, :3]) and torch.equal(moved[2, 3:], tokens[2, 3:])


def test_known_sounds_of_a_manifest() -> None:
    """Captions belong to one sound each; what was held out is not known; concepts without recordings have a name."""
    rows = [row for row in load_manifest() if row.concept in ("rain", "thunder")]
    sounds = {sound.name: sound for sound in known_sounds(rows, ("rain", "thunder", "a thing of one's own"))}
    assert list(sounds) == ["a thing of one's own", "rain", "thunder"]
    assert sounds["rain"].sustained and not sounds["thunder"].sustained and sounds["rain"].family
    assert sounds["a thing of one's own"].captions == ("a thing of one's own",)
    trained = {caption for row in rows if row.split == "train" for caption in (row.concept, *row.captions)}
    captions = [caption for sound in sounds.values() for caption in sound.captions]
    assert set(captions) == trained | {"a thing of one's own"} and len(captions) == len(set(captions))
    assert not known_sounds([row for row in rows if row.split == "test"])
