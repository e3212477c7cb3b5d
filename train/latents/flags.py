"""What of a recipe may be chosen on a command line."""

from __future__ import annotations

import argparse
from dataclasses import replace

from train.data.masks import MaskShares, kinds_of
from train.latents.recipes import RECIPES, Recipe

PLAIN = ("batch", "pool", "renew", "given", "spans", "min_snr", "held_out")


def width(text: str) -> tuple[int, float]:
    """`columns:share` as numbers."""
    columns, _, share = text.partition(":")
    return int(columns), float(share)


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Flags for what a recipe leaves to a person; one that is not given stays as the recipe has it."""
    parser.add_argument("--batch", type=int, help="crops of the narrowest width per process")
    parser.add_argument("--pool", type=int, help="clips held")
    parser.add_argument("--renew", type=float, help="new clips per step")
    parser.add_argument("--given", type=float, help="share of samples that inpaint")
    parser.add_argument("--widths", nargs="+", type=width, help="columns:share, as in 20:0.7 40:0.2 78:0.1")
    parser.add_argument("--spans", type=float, help="share of samples that hear each event in its own time")
    parser.add_argument("--min-snr", type=float, help="gamma of min-SNR weights; 0 = none")
    parser.add_argument("--held-out", type=int, help="steps between losses on held-out recordings; 0 = none")
    parser.add_argument("--null", type=float, metavar="SHARE", help="share of samples without a condition")
    parser.add_argument("--null-by", choices=("token", "empty"), help="stands for none: learned, or the empty text")
    parser.add_argument(
        "--masks", nargs="+", metavar="KIND", help="only these (Table 2): thin medium thick frame-30 frame-50 frame-70"
    )
    parser.add_argument(
        "--events", nargs="+", type=float, metavar="ODDS", help="odds of N = 0, 1, 2 sampled events; 1 = never any"
    )
    parser.add_argument("--labels", choices=("single", "any"), help="recordings of one class label, or all (App. E.3)")
    parser.add_argument("--vector", choices=("unit", "raw"), help="the global condition, normalised or not (Table 9)")


def recipe_from(args: argparse.Namespace) -> Recipe:
    """The recipe among parsed arguments.

    Raises:
        ValueError: something is none that it can have.
    """
    recipe = RECIPES[args.recipe]
    chosen = {name: value for name in PLAIN if (value := getattr(args, name)) is not None}
    if args.widths:
        chosen["widths"] = tuple(args.widths)
    if args.masks:
        chosen["masks"] = MaskShares(0.0, 0.0, kinds_of(args.masks))
    if args.events:
        chosen["mixing"] = replace(recipe.mixing, extra=tuple(args.events))
    if args.labels:
        chosen["labelled"] = args.labels == "single"
    if args.vector:
        chosen["unit"] = args.vector == "unit"
    if args.null_by:
        chosen["empty"] = args.null_by == "empty"
    recipe = replace(recipe, **chosen)
    return recipe if args.null is None else recipe.without(args.null)
