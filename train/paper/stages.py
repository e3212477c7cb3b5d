"""Networks trained for a table: stages by their own command lines, gone on with where they were cut off."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maa import checkpoint
from maa.aside import write_text
from maa.foreign import foreign
from train.package import put_together
from train.small import PART

BEGUN, DONE = "begun.json", "done.json"  # the command of a stage, when it began and when it ended


def add_training(parser: argparse.ArgumentParser, steps: int) -> None:
    """Flags for what is trained, at a small machine's size."""
    add = parser.add_argument
    add("--config", default="mini", help="what is trained (%(default)s); its parts are --model's")
    add("--train-steps", type=int, default=steps, help="of each network (%(default)s)")
    add("--training", default="", metavar="FLAGS", help='more flags of train.diffusion, as in "--batch 64 --lr 3e-4"')
    add("--networks", nargs="+", default=[], metavar="NAME=DIR", help="model folders; nothing is trained")


@dataclass(frozen=True)
class Trained:
    """Where networks are trained, and from which parts."""

    config: str
    library: Path
    parts: tuple[Path, ...]  # later ones win
    runs: Path
    seed: int
    more: tuple[str, ...]  # flags of every diffusion stage

    @classmethod
    def of(cls, args: argparse.Namespace, runs: Path) -> Trained:
        """By a command's flags; parts are those of its model."""
        parts = (args.library / "parts", checkpoint.find(args.model))
        return cls(args.config, args.library, parts, runs, args.seed, tuple(shlex.split(args.training)))

    def stage(self, name: str, run: str, steps: int, flags: Sequence[str], parts: Sequence[Path] = ()) -> Path:
        """Run a stage to its end, once; the folder with its weights.

        Args:
            name: autoencoder or diffusion. run: of the folder below `runs`.
            parts: folders besides, of which the stage takes parts that it does not train.

        Raises:
            ValueError: it failed, or the folder holds another training.
        """
        out = self.runs / run
        flags = [*flags, *(self.more if name == "diffusion" else ())]
        command = ["--config", self.config, "--library", str(self.library), "--seed", str(self.seed)]
        command += ["--steps", str(steps), *flags]
        if name == "diffusion":
            command += ["--parts", *(str(path) for path in (*reversed(parts), *reversed(self.parts)))]
        if _noted(out / DONE) == command:
            return out
        begun = _noted(out / BEGUN)
        if begun not in (None, command):
            raise ValueError(f"{out} holds another training ({shlex.join(begun or [])}); use another --out.")
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / BEGUN, json.dumps(command) + "\n")
        resume = ["--resume"] if (out / f"{PART[name]}.state.pt").is_file() else []
        whole = [sys.executable, "-m", f"train.{name}", *command, "--out", str(out), *resume]
        print("$ " + shlex.join(whole[1:]), file=sys.stderr, flush=True)
        if subprocess.run(whole, check=False, stdout=sys.stderr).returncode:
            raise ValueError(f"train.{name} failed; the lines above say why. The same command goes on from there.")
        write_text(out / DONE, json.dumps(command) + "\n")
        return out

    def model(self, run: str, parts: Sequence[Path]) -> Path:
        """A model folder of trained parts and the base's others."""
        to = self.runs / f"{run}-model"
        if not (to / checkpoint.CONFIG).is_file():
            put_together([*self.parts, *parts], to)
        return to


def _noted(path: Path) -> list[str] | None:
    if not path.is_file():
        return None
    with foreign(f"{path} is damaged; delete the folder, and it is trained anew."):
        return [str(word) for word in json.loads(path.read_text(encoding="utf-8"))]
