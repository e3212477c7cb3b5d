"""Table 5 of the paper, so that it can fail: what selects a caption is not what scores it.

Recordings are divided into three parts by families of takes. The captioner, the bank of captions and its CLAP
come from the first; a CLAP of the second selects; a CLAP of the third scores. All stand on one frozen sound
encoder and one frozen text encoder. Sounds that are captioned are in none of the parts.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from maa.aside import write_text
from maa.checkpoint import build, read_weights
from maa.config import PRESETS, ModelConfig
from maa.models.aisfx import AisfxEncoder
from maa.models.clap import ClapHeads
from maa.models.text import TextEncoder, load_tokenizer
from train.clap import contrast
from train.data import Library
from train.data.features import sound_features, text_features
from train.data.manifest import siblings
from train.data.sets import load_set
from train.distill.captioner import GruCaptioner, open_captioner
from train.distill.experts import cleaned
from train.distill.learning import CaptionerOptions, train_captioner
from train.distill.retrieval import Retrieval
from train.distill.table import TableRow, save_table, table_csv, table_text
from train.package import load_frozen
from train.trainer.draw import Draw
from train.trainer.loop import Trainer
from train.trainer.options import RunOptions

FOLDS = ("experts", "select", "score")
METHODS = ("Original", "Captioning", "Retrieval", "Both + CLAP select", "Both, by chance")
OWN = "held-out recordings"
DRAWS = 2000  # of a bootstrap


@dataclass(frozen=True)
class Towers:
    """The frozen encoders, and where their answers are kept."""

    config: ModelConfig
    text: TextEncoder
    sound: AisfxEncoder
    cache: Path

    def texts(self, texts: Sequence[str]) -> Tensor:
        """[N, text width], each text encoded once."""
        known = {text: k for k, text in enumerate(sorted(set(texts)))}
        return text_features(self.text, list(known))[[known[text] for text in texts]]

    def sounds(self, library: Library) -> Tensor:
        """[N, audio_width]"""
        return sound_features(library, self.sound, self.config.audio.sample_rate, self.cache)


def fold_of_recording(name: str) -> int:
    """Which of the three parts a family of takes is in."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(FOLDS)


def train_heads(
    towers: Towers, library: Library, sounds: Tensor, rows: NDArray[np.int64], options: RunOptions, batch: int = 192
) -> ClapHeads:
    """A CLAP of some recordings, on features [N, audio_width] of the whole library; kept in `options.out`."""
    torch.manual_seed(options.seed)
    texts = sorted({text for i in rows for text in (*library.rows[int(i)].captions, library.rows[int(i)].concept)})
    where, known = {text: k for k, text in enumerate(texts)}, towers.texts(texts)
    heads = build(towers.config, "clap")
    assert isinstance(heads, ClapHeads)

    def step(draw: Draw) -> dict[str, Tensor]:
        rng = draw.rng()
        drawn = rng.choice(rows, min(batch, len(rows)), replace=False)
        said = [library.rows[int(i)] for i in drawn]
        chosen = [where[str(rng.choice([*row.captions, row.concept]))] for row in said]
        names = np.array([row.concept for row in said])
        shaken = torch.from_numpy(rng.normal(1.0, 0.1, (len(drawn), 1)).astype(np.float32))
        same = torch.from_numpy(names[:, None] == names[None])
        return {"loss": contrast(heads, sounds[drawn] * shaken, known[chosen], same)}

    weights = Trainer(heads, options, "clap").run(step)
    heads.load_state_dict(read_weights([weights]))
    return heads.eval().requires_grad_(False)


@dataclass(frozen=True)
class Judged:
    """Sounds whose captions are compared."""

    name: str
    library: Library
    rows: NDArray[np.int64]
    features: Tensor  # [N, audio_width], of `rows`
    groups: NDArray[np.int64]  # [N] families of takes

    @property
    def labels(self) -> list[str]:
        """[N]"""
        return [self.library.rows[int(i)].concept for i in self.rows]


def judged_of(name: str, library: Library, rows: NDArray[np.int64], towers: Towers) -> Judged:
    """With the features of all of it."""
    names = [siblings(library.rows[int(i)]) for i in rows]
    numbers = {one: k for k, one in enumerate(sorted(set(names)))}
    groups = np.array([numbers[one] for one in names], np.int64)
    return Judged(name, library, rows, towers.sounds(library)[rows], groups)


def propose(judged: Judged, captioner: GruCaptioner, retrieval: Retrieval, heads: ClapHeads) -> list[list[list[str]]]:
    """For each sound its captions by the captioner and by the retrieval."""
    with torch.inference_mode():
        retrieved = retrieval.nearest(heads.embed_audio(judged.features))
        found = []
        for row, texts in zip(judged.rows, retrieved, strict=True):
            wave = torch.from_numpy(judged.library.wave(int(row)))[None]
            frames = captioner.model.frames(wave, judged.library.rate)
            found.append([cleaned(captioner.of_frames(frames)) or [""], texts])
    return found


def bank_captions(
    judged: Judged, proposed: list[list[list[str]]], towers: Towers, selecting: ClapHeads, seed: int
) -> dict[str, list[str]]:
    """One caption for each sound by each method."""
    rng = np.random.default_rng(seed)
    both = [[text for texts in lists for text in texts] for lists in proposed]
    flat = [text for texts in both for text in texts]
    with torch.inference_mode():
        vectors = F.normalize(selecting.text(towers.texts(flat)), dim=-1)
        heard = selecting.embed_audio(judged.features)
    selected, at = [], 0
    for vector, texts in zip(heard, both, strict=True):
        selected.append(texts[int((vectors[at : at + len(texts)] @ vector).argmax())])
        at += len(texts)
    firsts = [[lists[k][0] for lists in proposed] for k in range(2)]
    return dict(
        zip(METHODS, (judged.labels, *firsts, selected, [str(rng.choice(texts)) for texts in both]), strict=True)
    )


def interval_of_mean(
    values: NDArray[np.float64], groups: NDArray[np.int64], seed: int = 0
) -> tuple[float, float, float]:
    """Mean of values [N] and its 95 % interval, by a bootstrap over whole groups [N]."""
    count = int(groups.max()) + 1
    sums, sizes = np.bincount(groups, values, count), np.bincount(groups, minlength=count)
    drawn = np.random.default_rng(seed).integers(0, count, (DRAWS, count))
    means = sums[drawn].sum(1) / sizes[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def others(labels: Sequence[str], seed: int) -> NDArray[np.int64]:
    """For each sound the index of one with another label, where there is one."""
    rng, names = np.random.default_rng(seed), np.array(labels)
    found = rng.permutation(len(names))
    for k in np.flatnonzero(names[found] == names):
        free = np.flatnonzero(names != names[k])
        found[k] = rng.choice(free) if len(free) else found[k]
    return found


def table_rows(
    judged: Judged, said: dict[str, list[str]], towers: Towers, selecting: ClapHeads, scoring: ClapHeads, seed: int
) -> list[TableRow]:
    """The lines of one data set."""
    labels = judged.labels
    names = sorted(set(labels))
    plain = F.normalize(towers.texts(names), dim=-1)
    swap = others(labels, seed)

    def scores(heads: ClapHeads, texts: list[str]) -> NDArray[np.float64]:
        vectors = F.normalize(heads.text(towers.texts(texts)), dim=-1)
        return (vectors * heads.embed_audio(judged.features)).sum(1).double().numpy()

    made = []
    with torch.inference_mode():
        base = scores(scoring, said["Original"])
        for method, texts in said.items():
            found = scores(scoring, texts)
            nearest = (F.normalize(towers.texts(texts), dim=-1) @ plain.T).argmax(1).tolist()
            agree = np.array([names[k] == label for k, label in zip(nearest, labels, strict=True)], np.float64)
            mixed = scores(scoring, [texts[int(k)] for k in swap])
            numbers = (
                *interval_of_mean(found, judged.groups, seed), *interval_of_mean(found - base, judged.groups, seed),
                float(mixed.mean()), float(scores(selecting, texts).mean()),
                *interval_of_mean(agree, judged.groups, seed),
            )  # fmt: skip
            made.append(TableRow(judged.name, method, len(labels), *(round(number, 4) for number in numbers)))
    return made


def run(args: argparse.Namespace) -> list[TableRow]:
    """Every line of the table, from the arguments of `add_arguments`; what was trained before is gone on with.

    Raises:
        ValueError: there are no held-out recordings, or a set is not there.
    """
    config = PRESETS[args.config]
    library = Library.open(args.library, rate=config.audio.sample_rate)
    text, sound = (load_frozen(config, part, args.parts) for part in ("text", "clap_audio"))
    assert isinstance(text, TextEncoder)
    assert isinstance(sound, AisfxEncoder)
    towers = Towers(config, text, sound, args.parts)
    sounds, train = towers.sounds(library), library.indices("train")
    folds = np.array([fold_of_recording(siblings(library.rows[int(i)])) for i in train])
    parts = {name: train[folds == k] for k, name in enumerate(FOLDS)}
    heads = {
        name: train_heads(towers, library, sounds, rows, _options(args.out / name, "clap", args.clap_steps, args.seed))
        for name, rows in parts.items()
    }
    chosen = CaptionerOptions(encoder=args.parts, hidden=args.hidden, width=sound.width)
    options = _options(args.out / "captioner", "captioner", args.captioner_steps, args.seed)
    watched = np.concatenate([library.indices(split) for split in ("valid", "test")])
    if not len(watched):
        raise ValueError("The library has no held-out recordings; the table needs some.")
    tokenizer = load_tokenizer(args.parts / "tokenizer.json") if not args.tokenizer else load_tokenizer(args.tokenizer)
    train_captioner(library, tokenizer, options, chosen, (parts["experts"], watched[:0]))
    captioner = open_captioner(args.out / "captioner", args.captions)
    bank = cleaned([text for i in parts["experts"] for text in library.rows[int(i)].captions])
    with torch.inference_mode():
        vectors = F.normalize(heads["experts"].text(towers.texts(bank)), dim=-1)
    retrieval = Retrieval(None, bank, vectors, args.captions)
    compared = [judged_of(OWN, library, watched, towers)]
    for given in args.sets:
        name, _, folder = given.partition("=")
        records = load_set(name, Path(folder))
        sounds_of, rates = [one.recording(Path(folder)) for one in records], [one.rate for one in records]
        other = Library.build(sounds_of, Path(folder), rates=rates, rate=config.audio.sample_rate)
        compared.append(judged_of(name, other, other.indices(), towers))
    rows = []
    for judged in compared:
        proposed = propose(judged, captioner, retrieval, heads["experts"])
        said = bank_captions(judged, proposed, towers, heads["select"], args.seed)
        rows += table_rows(judged, said, towers, heads["select"], heads["score"], args.seed)
        _keep_captions(judged, said, args.out / f"captions-{judged.name.replace(' ', '-')}.csv")
    return rows


def _options(out: Path, part: str, steps: int, seed: int) -> RunOptions:
    resume = (out / f"{part}.state.pt").is_file()
    return RunOptions(out, steps=steps, lr=1e-3, seed=seed, ema=0.99, log_every=100, resume=resume)


def _keep_captions(judged: Judged, said: dict[str, list[str]], path: Path) -> None:
    ids = [judged.library.rows[int(i)].id for i in judged.rows]
    write_text(path, table_csv([["id", *said], *map(list, zip(ids, *said.values(), strict=True))]))


def command_line(args: argparse.Namespace) -> None:
    """Run, print and keep the table."""
    rows = run(args)
    save_table(rows, args.out)
    print(table_text(rows), f"{args.out}/table5.csv, table5.png and the captions are written.", sep="\n")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What may be asked of the table."""
    parser.add_argument(
        "sets", nargs="*", help="labelled data sets besides the held-out recordings: esc50=/data/ESC-50"
    )
    parser.add_argument("--config", choices=sorted(PRESETS), default="small")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--parts", type=Path, default=Path("data/parts"))
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json of the captions; default: that of --parts")
    parser.add_argument("--out", type=Path, default=Path("runs/table5"))
    parser.add_argument("--captions", type=int, default=3, help="of each expert for a sound (%(default)s)")
    parser.add_argument("--clap-steps", type=int, default=600, help="of each of three CLAPs (%(default)s)")
    parser.add_argument("--captioner-steps", type=int, default=1500, help="of the captioner (%(default)s)")
    parser.add_argument("--hidden", type=int, default=256, help="width of the captioner's GRU (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
