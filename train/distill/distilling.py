"""The distillation: experts propose, CLAP scores, the best caption above a threshold is kept (Sec. 3.2.1)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tqdm import tqdm

from maa.models.clap import JointSpace
from train.data.distilled import SOUNDS, Line, read_ledger, shard_file, shards
from train.distill.experts import Expert, cleaned
from train.distill.ledger import CaptionLedger, write_ledger
from train.distill.sounds import SoundFile, SoundSource, hear_sound
from train.distill.spaces import embed_sound, texts_in_space
from train.trainer.keeping import alone_in

DIGITS = 4  # of a score


@dataclass(frozen=True)
class Candidate:
    """A caption that an expert proposes, and its fit."""

    caption: str
    expert: str
    score: float  # cosine in the CLAP's space, -1 to 1


@dataclass(frozen=True)
class DistilOptions:
    """What a person chooses about a distillation."""

    threshold: float = field(default=0.3, metadata={"help": "least CLAP score of a caption that is kept, -1 to 1"})
    rate: int = field(default=16_000, metadata={"help": "Hz at which sounds are heard; 48000 for wide-band CLAPs"})
    batch: int = field(default=8, metadata={"help": "sounds that experts hear at once"})


def choose(candidates: Sequence[Candidate], threshold: float) -> str | None:
    """The caption with the highest score, None where that is below the threshold or there is none."""
    best = max(candidates, key=lambda one: one.score, default=None)
    return best.caption if best is not None and best.score >= threshold else None


def rank(
    sounds: Sequence[SoundFile], experts: Sequence[Expert], space: JointSpace, device: torch.device
) -> list[list[Candidate]]:
    """Every candidate of every expert with its score, for each sound; what two experts say is both of theirs."""
    said = [(expert.name, [cleaned(texts) for texts in expert.propose(sounds)]) for expert in experts]
    texts = sorted({text for _, lists in said for texts in lists for text in texts})
    if not texts:
        return [[] for _ in sounds]
    vectors = texts_in_space(space, texts)
    where = {text: k for k, text in enumerate(texts)}
    ranked = []
    for k, sound in enumerate(sounds):
        heard = embed_sound(space, sound.wave, sound.rate, device)
        found = [(text, name) for name, lists in said for text in lists[k]]
        scores = [round(float(vectors[where[text]] @ heard), DIGITS) for text, _ in found]
        ranked.append([Candidate(text, name, score) for (text, name), score in zip(found, scores, strict=True)])
    return ranked


@dataclass(frozen=True)
class Distillation:
    """Experts, the CLAP that ranks, and where."""

    experts: Sequence[Expert]
    space: JointSpace
    asked: Line  # which they are: the same for all shards, and when it goes on
    device: torch.device

    def run(
        self, sources: Sequence[SoundSource], root: Path, out: Path, options: DistilOptions, shard: tuple[int, int]
    ) -> Path:
        """Caption one shard of the sounds and return its file; sounds that are in it already are passed over.

        Raises:
            ValueError: the file was begun with other options, or another process writes it.
        """
        mine = sources[shard[0] :: shard[1]]
        path = shard_file(out, shard)
        head = self.asked | {"shard": f"{shard[0]}/{shard[1]}", "sounds": len(mine), "threshold": options.threshold}
        with alone_in(out, path.stem):
            _link(root, out)
            ledger = CaptionLedger(path, head)
            todo = [one for one in mine if one.id not in ledger.ids]
            with tqdm(total=len(mine), initial=len(mine) - len(todo), unit="sound", disable=None) as bar:
                for at in range(0, len(todo), options.batch):
                    some = todo[at : at + options.batch]
                    ledger.add(self.lines(some, root, options))
                    bar.update(len(some))
        return path

    def lines(self, sources: Sequence[SoundSource], root: Path, options: DistilOptions) -> list[Line]:
        """What is written about some sounds; those that cannot be heard have a problem instead of candidates."""
        sounds, wrong = hear_sound(sources, root, options.rate)
        ranked = dict(
            zip((sound.id for sound in sounds), rank(sounds, self.experts, self.space, self.device), strict=True)
        )
        seconds = {sound.id: round(len(sound.wave) / sound.rate, 3) for sound in sounds}
        lines: list[Line] = []
        for one in sources:
            line: Line = {"id": one.id, "path": one.path.as_posix(), "dataset": one.dataset, "split": one.split}
            if one.origin is not None:
                line |= {"origin": one.origin, "span": one.span}
            if one.id in wrong:
                lines.append(line | {"problem": wrong[one.id], "caption": None, "candidates": []})
                continue
            found = ranked[one.id]
            told = [{"caption": c.caption, "expert": c.expert, "score": c.score} for c in found]
            kept = choose(found, options.threshold)
            lines.append(line | {"seconds": seconds[one.id], "caption": kept, "candidates": told})
        return lines


def _link(root: Path, out: Path) -> None:
    """Let `out`/sounds lead to the sounds, so that the folder is a data set."""
    link = out / SOUNDS
    if not link.exists():
        link.unlink(missing_ok=True)
        try:
            link.symlink_to(os.path.relpath(root.resolve(), out.resolve()), target_is_directory=True)
        except FileExistsError:  # another shard was faster
            return
    if link.resolve() != root.resolve():
        raise ValueError(f"{link} leads to other sounds than {root}; give another --out.")


def select(out: Path, threshold: float) -> None:
    """Choose again with another threshold; nothing is heard anew.

    A run of it that is killed leaves shards of two thresholds, which nothing reads until it is run again.
    """
    for path in shards(out):
        with alone_in(out, path.stem):
            head, lines = read_ledger(path)
            again = [
                line | {"caption": choose([Candidate(**one) for one in line["candidates"]], threshold)}
                for line in lines
            ]
            write_ledger(path, head | {"threshold": threshold}, again)


def summary_line(lines: Sequence[Line]) -> str:
    """What came out, in some lines: how many are kept, by which expert, and how the best scores lie."""
    wrong = sum("problem" in line for line in lines)
    kept = [line for line in lines if line["caption"] is not None]
    best = [max(one["score"] for one in line["candidates"]) for line in lines if line["candidates"]]
    by: dict[str, int] = {}
    for line in kept:
        winner = next(one["expert"] for one in line["candidates"] if one["caption"] == line["caption"])
        by[winner] = by.get(winner, 0) + 1
    told = [f"{len(lines)} sounds: {len(kept)} captioned, {len(lines) - len(kept) - wrong} below the threshold"]
    told[0] += f", {wrong} could not be heard."
    told += ["By " + ", ".join(f"{name} {count}" for name, count in sorted(by.items())) + "."] if by else []
    if best:
        points = torch.quantile(torch.tensor(best), torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9])).tolist()
        told.append("Best scores, 10 to 90 %: " + ", ".join(f"{one:.2f}" for one in points) + ".")
    return "\n".join(told)
