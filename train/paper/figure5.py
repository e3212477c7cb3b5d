"""Figure 5: what each t0 keeps of a sound (1 - MSE) and gives of a prompt (CLAP), averaged over clips and prompts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from maa.aside import write_text
from maa.foreign import foreign
from maa.pipeline.strip import strip
from train.evaluation.distances import Value, mean_of
from train.paper import pictures
from train.paper.options import Work, add_common
from train.paper.results import Result, Row, order_seen

T0S = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
WITHIN = (0.2, 0.5)  # what the paper recommends


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this figure."""
    add_common(parser, clips=24, seconds=5.12)
    parser.add_argument("--values", type=float, nargs="+", default=list(T0S), metavar="T0")
    parser.add_argument("--prompt", default="", help="one for all clips; default: another kind of sound for each")


def run(args: argparse.Namespace) -> Result:
    """Personalise every clip at every t0 with one seed a clip."""
    work = Work(args, "figure5")
    values = sorted(set(args.values))
    found = [_clip(work, row, values) for row in tqdm(work.rows().tolist(), desc="clips", disable=None)]
    clips = [str(row["clip"]) for row in found]
    rows: list[Row] = []
    for k, t0 in enumerate(values):
        row: Row = {"t0": t0, "clips": len(found)}
        for column, key in (("1-MSE", "realism"), ("CLAP", "clap")):
            row[column] = mean_of(np.array([one[key][k] for one in found]), clips, args.rounds)
        rows.append(row)
    names = [f"t0 = {t0:g}" for t0 in values]
    says = [
        f"1-MSE {order_seen(names, _of(rows, '1-MSE'), False)}",
        f"CLAP {order_seen(names, _of(rows, 'CLAP'), True)}",
        f"Between t0 = {WITHIN[0]:g} and {WITHIN[1]:g}, which the paper recommends: " + _between(rows),
        "CLAP is the model's own, which also was there when it was trained; the prompts are kinds of sound it knows.",
    ]

    def draw(path: Path) -> None:
        x = [row["t0"] for row in rows]
        pictures.two_curves(x, ("1 - MSE", _of(rows, "1-MSE")), ("CLAP", _of(rows, "CLAP")), "t0", path)

    title = f"Figure 5: {len(found)} held-out recordings, each led to another kind of sound"
    return Result("figure5", title, rows, work.settings(prompts=[one["prompt"] for one in found]), draw, says)


def _of(rows: list[Row], name: str) -> list[Value]:
    return [row[name] for row in rows]


def _between(rows: list[Row]) -> str:
    """The shares of both ways that are gone within the paper's range."""
    inside = [row for row in rows if WITHIN[0] - 1e-9 <= row["t0"] <= WITHIN[1] + 1e-9]
    if len(inside) < 2:
        return "not measured."
    parts = []
    for name in ("1-MSE", "CLAP"):
        whole = rows[-1][name].value - rows[0][name].value
        share = (inside[-1][name].value - inside[0][name].value) / whole if whole else float("nan")
        parts.append(f"{100 * share:.0f} % of the way of {name} from t0 = 0 to 1")
    return " and ".join(parts) + "."


def _clip(work: Work, row: int, values: list[float]) -> dict[str, Any]:
    """One clip at every t0, made once."""
    args = work.args
    prompt = args.prompt or _other(work, row)
    key = f"{work.maa.model.weights_hash}-{args.steps}-{args.sampler}-{args.seed}-{args.seconds or 0:g}"
    path = work.folder / f"{row:05d}-{key}.json"
    wanted = {"clip": row, "prompt": prompt, "values": values}
    if path.is_file():
        with foreign(f"{path} is damaged; delete it, and it is made anew."):
            kept = dict(json.loads(path.read_text(encoding="utf-8")))
        if all(kept.get(name) == value for name, value in wanted.items()):
            return kept
    sound = (work.maa.config.audio.sample_rate, work.wave(row))
    made = strip(work.maa, sound, prompt, work.sampling(seed=(args.seed + row) % 2**32), values)
    if made.scores is None:
        raise ValueError(f"{work.maa.name} has no CLAP, with which Figure 5 is measured.")
    content = wanted | {"realism": list(made.realism), "clap": list(made.scores)}
    write_text(path, json.dumps(content) + "\n")
    return content


def _other(work: Work, row: int) -> str:
    """A kind of sound of another family, the same one each time."""
    own = work.library.rows[row]
    others = sorted({one.concept for one in work.library.rows if one.family != own.family and one.split == "train"})
    if not others:
        others = sorted({one.concept for one in work.library.rows if one.concept != own.concept})
    if not others:
        raise ValueError("The library has one kind of sound; give a --prompt.")
    return others[int(np.random.default_rng([work.args.seed, row]).integers(len(others)))]
