"""The twelve templates of Appendix F, and which of their two sounds comes first.

X is the caption of the clip at hand, "event" the label of a sampled sound. The order in which a sentence names the
sounds is not the order in which they are heard: "after a noisy sound of rain, a dog barks" begins with the rain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

VERBS = ("hearing", "noticing", "listening to", "appearing")
ADJECTIVES = ("clear", "noisy", "close-up", "weird", "clean")
NOUNS = ("audio", "sound", "voice")
QUANTIFIERS = ("a", "the", "some")


@dataclass(frozen=True)
class Template:
    """A sentence with {x}, {event}, and whether X is heard first."""

    text: str
    x_first: bool


TEMPLATES = (
    Template("before {v} {q} {a} {n} of {event}, {x}", x_first=True),
    Template("{x} before {v} {q} {a} {n} of {event}", x_first=True),
    Template("in front of {v} {q} {a} {n} of {event}, {x}", x_first=True),
    Template("first is {x} second is {q} {a} {n} of {event}", x_first=True),
    Template("after {x}, {v} {q} {a} {n} of {event}", x_first=True),
    Template("after {v} {q} {a} {n} of {event}, {x}", x_first=False),
    Template("behind {v} {q} {a} {n} of {event}, {x}", x_first=False),
    Template("{v} {q} {a} {n} of {event}, then {x}", x_first=False),
    Template("{v} {q} {a} {n} of {event}, following {x}", x_first=True),
    Template("{v} {q} {a} {n} of {event}, later {x}", x_first=False),
    Template("{x} after {v} {q} {a} {n} of {event}", x_first=False),
    Template("before {x}, {v} {q} {a} {n} of {event}", x_first=False),
)


@dataclass(frozen=True)
class Mix:
    """A sentence with {x}, {event} for two sounds at once, and whether the event is behind the clip at hand."""

    text: str
    behind: bool


# Not in Appendix F, whose sentences are all about order.
MIXES = (
    Mix("{x} while {v} {q} {a} {n} of {event}", behind=False),
    Mix("{x} and {event} at the same time", behind=False),
    Mix("{x} together with {q} {a} {n} of {event}", behind=False),
    Mix("{x} with {q} {a} {n} of {event} in the background", behind=True),
    Mix("{x} over {q} {a} {n} of {event}", behind=True),
)


def fill_template(template: Template | Mix, x: str, event: str, rng: np.random.Generator) -> str:
    """Fill a template with randomly chosen words of Appendix F."""
    words = {"v": VERBS, "a": ADJECTIVES, "n": NOUNS, "q": QUANTIFIERS}
    chosen = {key: options[int(rng.integers(len(options)))] for key, options in words.items()}
    return template.text.format(x=x, event=event, **chosen)
