"""One harness for anybody's files: a folder of generated sounds against recordings and captions.

What is missing is named and stops everything, or is counted in every line of the table: a part never looks whole.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.version import VERSION
from train.evaluation import distances
from train.evaluation.distances import Score, Value, with_interval
from train.evaluation.embedders import Embedder, Panel, Weights, ears_of, open_embedders
from train.evaluation.hearing import AT_ONCE, RESAMPLER, Hearing, How, hear_all
from train.evaluation.lists import Line, digest_of_list, read_list
from train.evaluation.matching import MatchedSound, Matching, match_files

ROUNDS = 100
AT_ZERO = ("FD", "FAD", "KL")  # measures that are never below
Taking = tuple[Score, Score | None, str]  # a measure of some rows, a quicker one for intervals, what to say of it
ORDER = ("FD", "FAD", "KL", "IS", "KID", "CLAP")


class IncompleteError(ValueError):
    """Clips are missing or cannot be read; the message names every one of them."""


@dataclass(frozen=True)
class HarnessRequest:
    """What is compared with what."""

    generated: Path
    reference: Path | None = None
    captions: Path | None = None
    weights: Weights = field(default_factory=Weights)
    how: How = field(default_factory=How)
    rounds: int = ROUNDS  # of resampling for intervals; 0 = no intervals
    partial: bool = False  # score what is there, every line marked with its counts
    workers: int = 1
    batch: int = AT_ONCE


@dataclass(frozen=True)
class Scored:
    """One line of the table."""

    measure: str
    by: str
    value: Value
    generated: int
    reference: int
    note: str = ""


@dataclass(frozen=True)
class HarnessReport:
    """Everything that can be said, JSON types but for the scores."""

    about: dict[str, Any]
    scores: tuple[Scored, ...]
    clips: tuple[dict[str, Any], ...]

    @property
    def complete(self) -> bool:
        """Whether nothing was missing."""
        return bool(self.about["complete"])

    def value(self, measure: str, by: str) -> Value | None:
        """One score; None where it was not taken."""
        return next((one.value for one in self.scores if (one.measure, one.by) == (measure, by)), None)


def compare(asked: HarnessRequest, panel: Panel | None = None) -> HarnessReport:
    """All measures that the folders, the captions and the weights allow.

    Args:
        panel: the embedders, where they are open already; else they are opened from `asked.weights`.

    Raises:
        IncompleteError: a clip is missing or unreadable, and `asked.partial` is off.
        ValueError: a folder, a list or a file of weights is wrong, or nothing is left to score.
    """
    lines = read_list(asked.captions) if asked.captions is not None else ()
    matching = match_files(asked.generated, asked.reference, lines)
    if matching.missing and not asked.partial:
        raise IncompleteError(_named(matching.missing))
    panel = panel or open_embedders(asked.weights)
    files = [sound.path for sound in (*matching.generated, *matching.reference)]
    results = hear_all(panel, asked.weights, asked.how, files, asked.workers, asked.batch)
    problems = list(dict.fromkeys(result.problem for result in results if result.problem))
    if problems and not asked.partial:
        raise IncompleteError(_named(problems))
    heard = _Sides(matching, results)
    if not heard.generated:
        raise ValueError(f"No sound in {asked.generated} can be scored.")
    scores, clips = _scores(panel, heard, asked.rounds)
    about = _about(asked, lines, matching, heard, panel, matching.missing + problems)
    return HarnessReport(about, tuple(scores), tuple(clips))


def _named(sentences: Sequence[str]) -> str:
    count = len(sentences)
    return "\n".join([f"{count} {'thing is' if count == 1 else 'things are'} missing; nothing was scored:", *sentences])


class _Sides:
    """The sounds of both sides that were heard, in one order; without partners they are dropped from both."""

    def __init__(self, matching: Matching, results: Sequence[Hearing]) -> None:
        split = len(matching.generated)
        self.paired = matching.paired
        made = [pair for pair in zip(matching.generated, results[:split], strict=True) if pair[1].facts is not None]
        real = [pair for pair in zip(matching.reference, results[split:], strict=True) if pair[1].facts is not None]
        if self.paired:
            both = {sound.clip for sound, _ in made} & {sound.clip for sound, _ in real}
            made, real = ([pair for pair in side if pair[0].clip in both] for side in (made, real))
        self.generated: list[tuple[MatchedSound, Hearing]] = made
        self.reference: list[tuple[MatchedSound, Hearing]] = real

    def partners(self) -> list[int]:
        """The reference row of each generated sound."""
        rows = {sound.clip: row for row, (sound, _) in enumerate(self.reference)}
        return [rows[sound.clip] for sound, _ in self.generated]

    def stacked(self, side: Sequence[tuple[MatchedSound, Hearing]], name: str, kind: str) -> NDArray[np.float64]:
        """Rows [N, D] of one embedder's vectors or logits."""
        return np.stack([getattr(result.heard[name], kind) for _, result in side]).astype(np.float64)


def _scores(panel: Panel, heard: _Sides, rounds: int) -> tuple[list[Scored], list[dict[str, Any]]]:
    clips = [_clip(sound, result) for sound, result in heard.generated]
    found: list[Scored] = []
    for one in panel.embedders:
        for measure in sorted(one.gives, key=ORDER.index):
            made = _measure(measure, one, panel, heard, clips)
            if made is None:
                continue
            score, quick, note = made
            value = with_interval(
                score,
                [sound.clip for sound, _ in heard.generated],
                [sound.clip for sound, _ in heard.reference] if measure not in ("IS", "CLAP") else [],
                heard.paired,
                rounds,
                quick,
            )
            if measure in AT_ZERO:
                value = Value(value.value, float(np.fmax(0.0, value.low)) if rounds else value.low, value.high)
            real = len(heard.reference) if measure not in ("IS", "CLAP") else 0
            found.append(Scored(measure, one.name, value, len(heard.generated), real, note))
    return found, clips


def _measure(measure: str, one: Embedder, panel: Panel, heard: _Sides, clips: list[dict[str, Any]]) -> Taking | None:
    """How a measure is taken of some rows; None where it cannot be taken."""
    made, real, name = heard.generated, heard.reference, one.name
    if measure == "CLAP":
        return _clap(panel, heard, clips)
    if measure == "IS":
        logits = heard.stacked(made, name, "logits")
        note = "" if len(made) >= 10 * distances.SPLITS else f"{len(made)} sounds in {distances.SPLITS} splits are few"
        return lambda rows, _: distances.inception(logits[rows]), None, note
    if not real:
        return None
    if measure == "KL":
        if not heard.paired:
            return None
        pairs = heard.stacked(real, name, "logits")[heard.partners()]
        values = distances.divergences(pairs, heard.stacked(made, name, "logits"))
        for clip, value in zip(clips, values, strict=True):
            clip[f"kl_{name}"] = float(value)
        return lambda rows, _: float(values[rows].mean()), None, ""
    if measure == "FAD":
        first, second = (_Windows([result.heard[name].windows for _, result in side]) for side in (made, real))
        few = _few(len(first.rows), len(second.rows), first.rows.shape[1], "stretches")
        return (
            lambda rows, others: distances.frechet_distance(first.of(rows), second.of(others)),
            lambda rows, others: distances.frechet_quickly(first.of(rows), second.of(others)),
            few,
        )
    a, b = (heard.stacked(side, name, "vector") for side in (made, real))
    if measure == "FD":
        few = _few(len(a), len(b), a.shape[1], "sounds")
        return (
            lambda rows, others: distances.frechet_distance(a[rows], b[others]),
            lambda rows, others: distances.frechet_quickly(a[rows], b[others]),
            few,
        )
    return lambda rows, others: distances.kernel_distance(a[rows], b[others]), None, ""


def _few(first: int, second: int, width: int, what: str) -> str:
    least = min(first, second)
    return f"{least} {what} for {width} dimensions: compare with the same list only" if least <= width else ""


class _Windows:
    """Stretches of sounds one after another, [all, D]."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self.rows = np.concatenate(parts).astype(np.float64)
        self.edges = np.cumsum([0, *(len(part) for part in parts)])

    def of(self, sounds: NDArray[np.int64]) -> NDArray[np.float64]:
        """Those of some sounds."""
        spans = [np.arange(self.edges[k], self.edges[k + 1]) for k in sounds]
        return self.rows[np.concatenate(spans)] if spans else self.rows[:0]


def _clap(panel: Panel, heard: _Sides, clips: list[dict[str, Any]]) -> Taking | None:
    ears = ears_of(panel)
    texts = list(dict.fromkeys(text for sound, _ in heard.generated for text in sound.captions))
    if ears is None or not texts:
        return None
    vectors = dict(zip(texts, ears.read(texts).astype(np.float64), strict=True))
    sounds = heard.stacked(heard.generated, ears.name, "vector")
    values = np.array(
        [
            float(np.mean([vector @ vectors[text] for text in sound.captions]))
            for vector, (sound, _) in zip(sounds, heard.generated, strict=True)
        ]
    )
    for clip, value in zip(clips, values, strict=True):
        clip["clap"] = float(value)
    several = any(len(sound.captions) > 1 for sound, _ in heard.generated)
    note = "one sound a clip, mean over its captions" if several else ""
    return lambda rows, _: float(values[rows].mean()), None, note


def _clip(sound: MatchedSound, result: Hearing) -> dict[str, Any]:
    facts = asdict(result.facts) if result.facts is not None else {}
    return {"file": sound.path.name, "clip": sound.clip, **facts, "caption": " | ".join(sound.captions)}


# ---------------------------------------------------------------- what is said beside the numbers


def _about(
    asked: HarnessRequest,
    lines: Sequence[Line],
    matching: Matching,
    heard: _Sides,
    panel: Panel,
    missing: Sequence[str],
) -> dict[str, Any]:
    how = asked.how
    return {
        "complete": not missing,
        "missing": list(missing),
        "left_out": matching.others,
        "generated": _side(asked.generated, heard.generated, len(lines) or None),
        "reference": None if asked.reference is None else _side(asked.reference, heard.reference, None),
        "captions": None
        if asked.captions is None
        else {
            "file": str(asked.captions),
            "lines": len(lines),
            "clips": len({line.clip or line.name for line in lines}),
            "sha256": digest_of_list(lines),
            "one_sound_a_clip": matching.per_clip,
        },
        "paired": heard.paired,
        "rate": how.rate,
        "seconds": how.seconds,
        "resampling": RESAMPLER,
        "rounds": asked.rounds,
        "is_splits": distances.SPLITS,
        "embedders": {one.name: {"sha256": one.mark, "rate": one.rate, "about": one.about} for one in panel.embedders},
        "absent": panel.absent,
        "device": str(panel.device),
        "version": VERSION,
        "libraries": {name: version(name) for name in ("torch", "numpy", "soundfile", "soxr", "av")},
    }


def _side(folder: Path, side: Sequence[tuple[MatchedSound, Hearing]], wanted: int | None) -> dict[str, Any]:
    facts = [result.facts for _, result in side if result.facts is not None]
    listed = "".join(f"{s.path.stem}\t{f.sha256}\n" for (s, _), f in zip(side, facts, strict=True))
    rates = Counter(one.rate for one in facts)
    usual = rates.most_common(1)[0][0] if rates else 0
    return {
        "folder": str(folder),
        "files": len(facts),
        "wanted": wanted,
        "clips": len({sound.clip for sound, _ in side}),
        "hours": round(sum(one.seconds for one in facts) / 3600, 4),
        "shortest": round(min((one.seconds for one in facts), default=0.0), 3),
        "longest": round(max((one.seconds for one in facts), default=0.0), 3),
        "rates": {str(rate): count for rate, count in sorted(rates.items())},
        "of_other_rates": [
            s.path.name for (s, _), f in zip(side, facts, strict=True) if len(rates) > 1 and f.rate != usual
        ],
        "channels": {str(count): n for count, n in sorted(Counter(one.channels for one in facts).items())},
        "formats": dict(sorted(Counter(one.kind for one in facts).items())),
        "sha256": hashlib.sha256(listed.encode()).hexdigest(),
    }
