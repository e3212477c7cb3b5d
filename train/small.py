"""The shipped model, from recordings to `checkpoints/small`: every stage in order, each with its share of time.

python -m train.small --to checkpoints/mini      two CPU cores: two hours, the 64 wide network
python -m train.small --preset gpu               one GPU of the H200's class: 25 minutes, the 128 wide network
python -m train.small --preset gpu --hours 6     as long as you have
python -m train.small --preset polish            CPU cores overnight: what ships, trained on at its own size
python -m train.small --preset tiny --to /tmp/small --runs /tmp/runs     a minute, to see it run

Run it again and it goes on: a stage that was cut off resumes from its state, a stage that is done is left alone. What
is in `--to` already counts as an earlier run: parts start from its averaged weights with a fresh optimiser. Once its
autoencoder is good, its encoder is frozen and only its decoder learns on, so the latents stay and the U-Net's training
adds up. `--keep-latents` freezes it as it is; `--anew` starts over.
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from maa.aside import write_text
from maa.checkpoint import CONFIG, read_config, weight_files
from maa.config import PRESETS, ModelConfig
from maa.config.vocoders import HifiganConfig, IstftConfig
from maa.folders import recover, replace_folder
from train.data import Library
from train.evaluation.held_out import autoencoder_distance
from train.package import assemble
from train.trainer.journal import read_log
from train.trainer.keeping import alone_in, one_line

PART = {"autoencoder": "autoencoder", "vocoder": "vocoder", "clap": "clap", "diffusion": "unet"}  # stage: its file
# Of an autoencoder whose latents stay. Its discriminators are new: they learn alone before anything listens to them.
POLISH = ("--frozen-encoder", "--discriminator-start", "0.04", "--discriminator-warmup", "0.04")
LATENTS = "latents.txt"  # in the folder of runs: whether the earlier encoder is kept, one of ANSWERS
ANSWERS = ("kept", "new")
FINISHED = "finished"  # likewise: the model is in place, and what it was made from can go
_PDEATHSIG = 1  # of Linux: the signal that a process gets when its parent ends
CARD_HEAD = "| part | start | steps | minutes | device | last losses |\n|---|---|---|---|---|---|"
GOOD = 0.16  # held-out log10-mel L1 below which an autoencoder is kept: then the latents stay and training adds up


@dataclass(frozen=True)
class Preset:
    """How one kind of machine spends its time: shares of the whole, and each stage's own flags."""

    config: str
    hours: float
    sound: float  # share of the time for autoencoder, vocoder and CLAP; the rest is the U-Net's
    together: bool  # those three side by side (a GPU has room), or one after another
    stages: dict[str, tuple[str, ...]]
    polishes: bool = False  # the earlier encoder is frozen without asking how good it is

    def minutes(self, hours: float, stage: str) -> float:
        """A stage's budget. One after another, the autoencoder takes six tenths of the sound's share; CLAP counts
        steps, since it learns by heart when it goes on, and takes seconds."""
        if stage == "diffusion":
            return 60 * hours * (1 - self.sound)
        part = 1.0 if self.together else {"autoencoder": 0.6, "vocoder": 0.4}[stage]
        return 60 * hours * self.sound * part


PRESETS_OF_TIME = {
    "gpu": Preset(
        "small", 25 / 60, 7 / 25, True,
        {
            "autoencoder": ("--batch", "64", "--frames", "128", "--lr", "8e-4", "--graphs"),
            "vocoder": ("--batch", "64", "--frames", "64", "--lr", "6e-4", "--graphs", "--compile"),
            "clap": ("--steps", "900", "--lr", "7e-4", "--ema", "0.99"),
            "diffusion": (
                "--batch", "256", "--widths", "40:0.5", "78:0.5", "--given", "0.4",
                "--pool", "4096", "--renew", "8", "--lr", "5e-4", "--graphs",
            ),
        },
    ),
    "cpu": Preset(
        "mini", 2.0, 0.5, False,
        {
            "autoencoder": ("--lr", "8e-4", "--ema", "0.998"),
            "vocoder": ("--ema", "0.998"),
            "clap": ("--steps", "900", "--lr", "7e-4", "--ema", "0.99"),
            "diffusion": ("--pool", "240", "--renew", "0.3", "--lr", "5e-4", "--ema", "0.998"),
        },
    ),
    # Gentle rates: the weights are good, and a fresh optimiser at the full rate would first undo some of it.
    "polish": Preset(
        "small", 8.0, 0.4, False,
        {
            "autoencoder": ("--lr", "2e-4"),
            "vocoder": ("--lr", "2e-4"),
            "clap": ("--steps", "900", "--lr", "7e-4", "--ema", "0.99"),
            "diffusion": ("--pool", "240", "--renew", "0.3", "--lr", "2e-4"),
        },
        polishes=True,
    ),
    "tiny": Preset(
        "tiny", 0.6 / 60, 0.5, False,
        {
            "autoencoder": ("--batch", "2", "--frames", "32", "--save-every", "5"),
            "vocoder": ("--batch", "2", "--frames", "32", "--save-every", "5"),
            "clap": ("--steps", "5", "--batch", "8"),
            "diffusion": ("--batch", "4", "--pool", "8", "--renew", "0.1", "--save-every", "5"),
        },
    ),
}  # fmt: skip


class Run:
    """One run of the whole recipe.

    Args:
        preset: how the time is spent. hours: how much there is.
        library: folder of the recordings. parts: folder of the pretrained parts.
        runs: where stages work. to: where the model goes, and where an earlier one is found.
    """

    def __init__(self, preset: Preset, hours: float, library: Path, parts: Path, runs: Path, to: Path) -> None:
        self.preset, self.hours = preset, hours
        self.library, self.parts, self.runs, self.to = library, parts, runs, to

    def command(self, stage: str, earlier: bool) -> list[str]:
        """What runs a stage: resumed if it was cut off, else started from the earlier model's part if there is one."""
        out, part = self.runs / stage, PART[stage]
        command = [sys.executable, "-m", f"train.{stage}", "--config", self.preset.config, "--out", str(out)]
        command += ["--library", str(self.library)]
        if stage == "clap":
            command += ["--parts", str(self.parts)]
        else:
            command += ["--minutes", f"{self.minutes(stage):.3f}"]
        if stage == "diffusion":
            folders = [str(self.runs / name) for name in ("autoencoder", "clap")]
            command += ["--parts", *folders, str(self.to), str(self.parts)]
        command += self.preset.stages[stage]
        if self.state(stage).is_file():
            return [*command, "--resume"]
        return [*command, "--start", str(self.to / f"{part}.safetensors")] if earlier and self.fits(part) else command

    def minutes(self, stage: str) -> float:
        """A stage's budget."""
        return self.preset.minutes(self.hours, stage)

    def fits(self, part: str) -> bool:
        """True when the earlier model has a part of the size that this run trains."""
        if not (self.to / CONFIG).is_file() or not weight_files(self.to, part):
            return False
        found, wanted = (_sizes(config) for config in (read_config(self.to)[0], PRESETS[self.preset.config]))
        # Their layers begin as if they were not there, so a network without them goes on with them.
        found = replace(found, unet=found.unet.with_scalars({*found.unet.scalars, *wanted.unet.scalars}))
        return bool(getattr(found, part) == getattr(wanted, part))

    def state(self, stage: str) -> Path:
        """Where a stage keeps what resuming needs."""
        return self.runs / stage / f"{PART[stage]}.state.pt"

    def keeps_latents(self, anew: bool, keep: bool = False) -> bool:
        """True when the earlier run's encoder stays: its autoencoder is good, measured on held-out recordings.

        The answer is remembered until the run is finished: one that was cut off goes on as it began.
        """
        answer = self.runs / LATENTS
        if answer.is_file():
            said = answer.read_text(encoding="utf-8", errors="replace").strip()
            if said not in ANSWERS:
                raise ValueError(
                    f"{answer} is damaged; write {' or '.join(ANSWERS)} into it, or start in other --runs."
                )
            return said == ANSWERS[0]
        kept = keep and not anew and self.fits("autoencoder")
        if not kept and not anew and self.fits("autoencoder"):
            config = read_config(self.to)[0]
            library = Library.open(self.library, rate=config.audio.sample_rate)
            distance = autoencoder_distance(config, library, self.to)
            kept = distance <= GOOD
            verdict = "its latents stay" if kept else f"above {GOOD}, so it is trained on and the U-Net starts over"
            print(f"held-out distance of the autoencoder in {self.to}: {distance:.3f} decades; {verdict}", flush=True)
        self.runs.mkdir(parents=True, exist_ok=True)
        write_text(answer, f"{ANSWERS[not kept]}\n")
        return kept

    def all_stages(self, anew: bool, keep: bool = False) -> None:
        """Everything, from where it was left.

        Raises:
            ValueError: a network of another size lies where this one would go, or a stage failed.
        """
        self.tidy()
        if not anew and weight_files(self.to, "unet") and not self.fits("unet"):
            raise ValueError(
                f"{self.to} holds a U-Net of another size than {self.preset.config} has, which would be lost: give "
                "another folder with --to, or --anew to replace it."
            )
        kept = self.keeps_latents(anew, keep or self.preset.polishes)
        polish = {"autoencoder": POLISH} if kept else {}
        todo = [stage for stage in ("autoencoder", "vocoder", "clap") if not self.done(stage).is_file()]
        for group in [todo] if self.preset.together else [[stage] for stage in todo]:
            self.wait({stage: self.begin(stage, not anew, polish.get(stage, ())) for stage in group})
        if not self.done("diffusion").is_file():
            # On other latents an earlier U-Net is of no use.
            self.wait({"diffusion": self.begin("diffusion", kept)})
        self.finish()

    def begin(self, stage: str, earlier: bool, more: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Start a stage as a process of its own."""
        command = [*self.command(stage, earlier), *more]
        print("$ " + " ".join(command[1:]), flush=True)
        return subprocess.Popen(command, preexec_fn=_end_with_parent if sys.platform == "linux" else None)

    def wait(self, running: dict[str, subprocess.Popen[bytes]]) -> None:
        """Wait for stages; if one fails, stop the others and say which it was."""
        for stage, process in running.items():
            if process.wait():
                for other in running.values():
                    other.terminate()
                raise ValueError(f"The stage {stage} failed; its last words are above. Run the same command to go on.")
            self.done(stage).touch()

    def done(self, stage: str) -> Path:
        """The mark of a finished stage."""
        return self.runs / stage / "done"

    def finish(self) -> None:
        """Put the parts together, and leave the next run a clean start: what it builds on is the model.

        A run that is killed in here leaves `to` as it was or as it shall be, and can be called again.
        """
        folders = [self.runs / stage for stage in (*PART,) if (self.runs / stage).is_dir()]
        earlier = [self.to] if (self.to / CONFIG).is_file() else []
        made = self.runs / "model"
        shutil.rmtree(made, ignore_errors=True)
        assemble([*earlier, self.parts, *folders], made, self.to.name)
        run_card(self.runs, self.preset.config)
        replace_folder(made, self.to)
        (self.runs / FINISHED).touch()
        self.tidy()

    def tidy(self) -> None:
        """Forget the states of a run whose model is in place: half of them would be taken for a run to resume."""
        recover(self.to)
        if not (self.runs / FINISHED).is_file():
            return
        for stage, part in PART.items():
            for path in (self.done(stage), self.state(stage), self.runs / stage / f"{part}.safetensors"):
                path.unlink(missing_ok=True)
        (self.runs / LATENTS).unlink(missing_ok=True)
        (self.runs / FINISHED).unlink()


def _end_with_parent() -> None:
    """Let a stage end as soon as the recipe does, however that was ended: the next run works in the same folders."""
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)


def run_card(runs: Path, config: str) -> str:
    """Write `<runs>/card.md` for the model card, a row per stage that ran, from their logs, and return its text."""
    rows = [_card_row(stage, runs / stage / f"{name}.log.jsonl") for stage, name in PART.items()]
    rows = [row for row in rows if row]
    text = "\n".join([f"Configuration `{config}`.", "", CARD_HEAD, *rows]) + "\n"
    write_text(runs / "card.md", text)
    return text


def _card_row(stage: str, log: Path) -> str:
    lines = read_log(log)
    options = [line["options"] for line in lines if "options" in line]
    losses = [line for line in lines if "step" in line]
    if not options or not losses:
        return ""
    last = losses[-1]
    start = Path(options[0]["start"]).parent.name if options[0].get("start") not in (None, "None") else "random"
    shown = ", ".join(f"{key} {value:.3g}" for key, value in last.items() if key not in ("step", "minutes", "lr"))
    device = options[-1].get("device", "unknown")
    return f"| `{stage}` | {start} | {last['step']} | {last['minutes']:.0f} | {device} | {shown} |"


def _sizes(config: ModelConfig) -> ModelConfig:
    """A configuration without what says nothing of its networks' sizes."""
    config = replace(config, autoencoder=replace(config.autoencoder, latent_scale=1.0))
    if not isinstance(config.vocoder, HifiganConfig | IstftConfig):
        return config
    return replace(config, vocoder=replace(config.vocoder, refine=None))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=sorted(PRESETS_OF_TIME), default="cpu")
    parser.add_argument("--hours", type=float, help="time for all stages together (default: the preset's)")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--parts", type=Path, default=Path("data/parts"))
    parser.add_argument("--runs", type=Path, default=Path("runs/small"))
    parser.add_argument("--to", type=Path, default=Path("checkpoints/small"))
    parser.add_argument("--anew", action="store_true", help="do not build on the weights in --to")
    parser.add_argument("--keep-latents", action="store_true", help="freeze the encoder in --to, however good it is")
    args = parser.parse_args()
    preset = PRESETS_OF_TIME[args.preset]
    run = Run(preset, args.hours or preset.hours, args.library, args.parts, args.runs, args.to)
    with one_line(parser), alone_in(args.runs, "train.small"):
        run.all_stages(args.anew, args.keep_latents)
    for path in sorted(args.to.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.2f} MB  {path}")
    print("Next: python -m train.evaluate and python -m train.examples; keep the weights only if they score better.")


if __name__ == "__main__":
    main()
