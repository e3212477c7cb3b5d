"""What the page calls things: words that tell somebody who works with sound what they get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

# What was not understood, and what stands in its place.
INSTEAD = {
    "Open a sound made here": "Restore settings from a file",
    "Roll": "Roll a seed",
    "New each time": "New seed each time",
    "Try five t0 side by side": "Try five steps from your sound to the prompt",
    "Resampling": "Rounds of refinement",
    "Fresh noise in DDIM (eta)": "Randomness of DDIM (eta)",
    "Keep (second track)": "Keep as the first of two tracks",
}
EXPLAINED = ("CLAP: how well it fits the prompt, −1 to 1.", "1 − MSE: how near it is to your sound, 1 is the same.")
GONE = ("The authors' own DDIM", "heard in overlapping windows", ">Pitch<", "loudness inside")


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


@pytest.fixture(scope="module")
def said(server: tuple[str, Any]) -> list[str]:
    """All texts of the page: of its controls, templates and scripts."""
    return list(texts(httpx.get(f"{server[0]}/config", timeout=60).json()["components"]))


def test_words_that_were_not_understood_are_gone(said: list[str]) -> None:
    whole = "\n".join(said)
    for old, new in INSTEAD.items():
        assert old not in said and f'"{old}"' not in whole, old
        assert new in whole, new
    for text in EXPLAINED:
        assert text in whole, text
    for old in GONE:
        assert old not in whole, old


def test_no_control_speaks_of_what_the_page_is_made_with(said: list[str]) -> None:
    """Sentences for people: labels, hints and what stands in empty places."""
    short = [text for text in said if len(text) < 400 and " " in text and not set("{};<") & set(text)]
    assert len(short) > 40
    for text in short:
        for word in ("gradio", "component", "queue:", "fn_index", "iterating", "checkpoint="):
            assert word not in text.lower(), text
