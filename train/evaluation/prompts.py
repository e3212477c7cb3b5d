"""Prompts that the evaluation asks for: paraphrases in words that the manifest never uses, and two events in order."""

from __future__ import annotations

from collections.abc import Sequence

# concept: a caption in other words; a test holds that its words of meaning are nowhere in the manifest.
PARAPHRASES = {
    "dog barking": "an excited hound woofing",
    "eagle screeching": "falcon shrilling above cliffs",
    "cow mooing": "bovine livestock in a meadow",
    "sheep bleating": "baa of lambs",
    "pig grunting": "snuffling swine",
    "horse neighing": "a pony whinnies",
    "duck quacking": "mallards on a pond",
    "bird chirping": "sparrows tweeting at dawn",
    "siren": "ambulance and police cruiser",
    "seagulls calling": "gulls squawking by the pier",
    "car horn": "motorist tooting impatiently",
    "wolf howling": "coyotes yowling at moonlight",
    "bee buzzing": "stinging hornets",
    "crickets chirping": "cicadas on a summer evening",
    "snake hissing": "venomous viper",
    "elephant trumpeting": "a mammoth blaring",
    "rain": "downpour of drizzle",
    "thunder": "thunderclap from a tempest",
    "wind blowing": "gusty breeze and gales",
    "water running": "a babbling brook",
    "water splashing": "someone dives into a swimming pool",
    "steam hissing": "pressure escaping from a boiler valve",
    "fire crackling": "logs ablaze in the fireplace",
    "explosion": "a grenade detonates",
    "gunshot": "pistol going bang",
    "glass breaking": "a windowpane smashed to smithereens",
    "coins jingling": "pennies and dimes in a purse",
    "footsteps": "strolling in boots",
    "door": "an entrance slams",
    "page turning": "leafing a newspaper",
    "person laughing": "giggles and chuckles",
    "person screaming": "terrified yell",
    "horse galloping": "stallion trotting across cobbles",
    "helicopter": "rotorcraft chopper",
    "jet plane": "supersonic airliner accelerating on the runway",
    "hammer on anvil": "a smithy forging iron",
    "chopping wood": "felling pines",
    "snare drum": "marching percussionist",
    "kick drum": "thump thump of disco",
    "whoosh": "swish of something speeding by",
}


def two_events(concepts: Sequence[str]) -> list[tuple[str, str]]:
    """Ordered pairs of concepts, each concept twice first and twice second where there are enough."""
    count = len(concepts)
    steps = [step for step in (1, 3) if step < count]
    return [(concepts[k], concepts[(k + step) % count]) for step in steps for k in range(count)]


def sentence(first: str, second: str) -> str:
    """Two sounds in order, in plain English."""
    return f"first {first}, then {second}"
