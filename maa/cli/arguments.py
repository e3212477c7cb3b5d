"""Every command and option of `python -m maa`."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import Any, NoReturn

EXAMPLES = """examples:
  python -m maa text "a dog barks" -o dog.wav --seed 7 --takes 3
  python -m maa image photo.jpg -o photo.wav
  python -m maa video clip.mp4 -o clip-with-sound.mp4
  python -m maa personalize dog.wav "a cat meows" --t0 0.4 -o cat.wav
  python -m maa inpaint in.wav --box 2.0 3.5 300 4000 --prompt "rain" -o out.wav
  python -m maa info
  python -m maa convert maa1_full.ckpt --vocoder bigvnat/best_netG.pt -o checkpoints/maa1-full
"""


class Parser(argparse.ArgumentParser):
    """Arguments that do not fit raise ValueError, so that they end like every other mistake: in one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def parser() -> Parser:
    """The whole command line. Defaults of the sampling options are `Sampling`'s own; the help repeats them."""
    top = Parser(
        prog="python -m maa",
        description="Sound from a sentence, a picture, a video or a sound of your own.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command", parser_class=Parser)
    shared = _common()

    def task(name: str, summary: str) -> Parser:
        return commands.add_parser(name, help=summary, description=summary, parents=[shared], allow_abbrev=False)

    _text(task("text", "sound from a sentence"))
    _image(task("image", "sound from a picture"))
    _video(task("video", "sound for a video clip"))
    _personalize(task("personalize", "your own sound, led towards a sentence"))
    _inpaint(task("inpaint", "new sound where a mask says so, your own samples elsewhere"))
    summary = "what a model consists of and which tasks it can do"
    _info(commands.add_parser("info", help=summary, description=summary, allow_abbrev=False))
    summary = "the authors' published weights to a model folder"
    _convert(commands.add_parser("convert", help=summary, description=summary, allow_abbrev=False))
    summary = "put a model folder on the Hugging Face hub"
    _push(commands.add_parser("push", help=summary, description=summary, allow_abbrev=False))
    summary = "seconds per stage, real-time factor and peak memory"
    _bench(commands.add_parser("bench", help=summary, description=summary, allow_abbrev=False))
    return top


def _text(task: Parser) -> None:
    task.add_argument("prompt", help="what to hear")
    _seconds(task)


def _image(task: Parser) -> None:
    task.add_argument("input", type=Path, help="a picture")
    task.add_argument("--prompt", default="", help="what to hear, instead of what is seen")
    how = "a word that the picture is heard as, and its weight; repeatable"
    task.add_argument("--heard", nargs=2, action="append", default=[], metavar=("WORD", "WEIGHT"), help=how)
    _seconds(task)


def _video(task: Parser) -> None:
    task.add_argument("input", type=Path, help="a clip; with -o NAME.wav only the sound is written")
    task.add_argument("--prompt", default="", help="what to hear, instead of what is seen")
    own = "the clip's own sound: replace it (default), mix it in, or keep it as the first of two tracks"
    task.add_argument("--original", choices=("replace", "mix", "keep"), default="replace", help=own)
    task.add_argument("--original-db", type=number, metavar="DB", help="level of its own sound in a mix; default -6")


def _personalize(task: Parser) -> None:
    task.add_argument("input", type=Path, help="a sound file")
    task.add_argument("prompt", help="what to hear")
    text = "0 is your sound through the model (mono, 16 kHz), 1 ignores it; default 0.4"
    task.add_argument("--t0", type=number, default=0.4, help=text)
    text = "with --sampler official: one step noisier than the network is told, as the authors do it; to compare"
    task.add_argument("--mismatch", action="store_true", default=None, help=text)
    task.add_argument("--start", type=number, default=0.0, metavar="S", help="second where to begin; default 0")
    task.add_argument("--no-level-match", action="store_true", help="do not make it as loud as your sound")


def _inpaint(task: Parser) -> None:
    edges = ("START", "END", "LOW", "HIGH")
    where: dict[str, Any] = {"type": number, "action": "append", "default": []}
    task.add_argument("input", type=Path, help="a sound file; its rate, channels and sample format are kept")
    task.add_argument("--prompt", default="", help="what to hear; default: go on with what is there")
    task.add_argument("--box", nargs=4, metavar=edges, help="make this new: seconds and Hz; repeatable", **where)
    task.add_argument("--frames", nargs=2, metavar=edges[:2], help="seconds, all frequencies; repeatable", **where)
    task.add_argument("--mask", type=Path, metavar="FILE", help="PNG, white = make new, or .npy [bands, frames]")
    task.add_argument(
        "--save-mask", type=Path, metavar="PNG", help="write what is made new as a picture with its scale"
    )
    task.add_argument("--before", type=number, default=0.0, metavar="S", help="seconds to add in front; default 0")
    task.add_argument("--after", type=number, default=0.0, metavar="S", help="seconds to add behind; default 0")
    task.add_argument("--strength", type=number, default=1.0, help="1 fills from nothing (default); less keeps a trace")
    task.add_argument(
        "--resampling", type=int, default=0, metavar="N", help="rounds for a closer fit, 0 (default) to 4"
    )
    text = "how far latent cells beside the hole may follow the model, 0 (default) to 1; your samples stay anyway"
    task.add_argument("--blend", type=number, default=0.0, metavar="X", help=text)
    task.add_argument("--no-level-match", action="store_true", help="do not make it as loud as its neighbours")


def _info(command: Parser) -> None:
    which = command.add_mutually_exclusive_group()
    _model(which)
    which.add_argument("--config", metavar="NAME", help="a named configuration without weights, such as paper")
    command.add_argument("--json", action="store_true", help="the same as JSON")


def _convert(command: Parser) -> None:
    add = command.add_argument
    add("files", nargs="*", type=Path, metavar="FILE", help="the authors' .ckpt, .pt and .pth files, in any order")
    add("-o", "--output", type=Path, required=True, metavar="FOLDER", help="a new folder, or one to add networks to")
    add("--vocoder", type=Path, action="append", default=[], metavar="FILE", help="best_netG.pt; repeatable")
    add("--clap", type=Path, metavar="FILE", help="CLAP_weights_2022.pth, which ranks takes")
    add("--mel", choices=("A", "B"), help="mel convention of every file; default: by name, else by a round trip")
    add("--half", action="store_true", help="store float16: half the size, not the authors' exact numbers")
    add("--tokenizer", type=Path, metavar="JSON", help="bert-base-uncased's tokenizer.json; default: the shipped one")
    add("--words", default="small", metavar="NAME", help="model that puts pictures into words, or none; default small")
    add("--quiet", action="store_true", help="do not say what each file was taken for")


def _push(command: Parser) -> None:
    command.add_argument("model", help="name or folder of a model")
    command.add_argument("repository", help="user/model on the hub; made if need be")
    command.add_argument("--private", action="store_true", help="for your eyes only")


def _bench(command: Parser) -> None:
    which = command.add_mutually_exclusive_group()
    _model(which)
    which.add_argument("--config", metavar="NAME", help="a named configuration with random weights, such as paper")
    command.add_argument("--steps", type=int, default=25, help="denoising steps; default 25")
    command.add_argument("--sampler", default="dpm++", help="dpm++ (default), ddim or official")
    command.add_argument("--guidance", type=number, default=3.0, metavar="S", help="1 = none; default 3")
    command.add_argument("--takes", type=int, dest="count", default=1, metavar="N", help="in one call; default 1")
    _seconds(command)
    command.add_argument("--runs", type=int, default=1, metavar="N", help="after one warm-up step; the median counts")
    command.add_argument("--device", metavar="NAME", help="auto or, say, cpu; default MAA_DEVICE, else the best here")
    command.add_argument("--dtype", help="of the U-Net: float32 or bfloat16; default: the device's own")
    text = "also run the same network the authors' way (100 DDIM steps, float32, nothing folded or fused)"
    command.add_argument("--official-path", action="store_true", help=text)
    command.add_argument("--random", action="store_true", help="random weights, also with --model: speed is the same")
    command.add_argument("--json", action="store_true", help="the same as JSON")


def _common() -> Parser:
    """The options that every task has."""
    shared = Parser(add_help=False, allow_abbrev=False)
    shared.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".wav, .flac; for video .mp4")
    shared.add_argument("--negative", default="", metavar="TEXT", help="what to lead away from")
    shared.add_argument("--seed", type=int, help="0 to 4294967295; default: a fresh one")
    shared.add_argument("--steps", type=int, help="denoising steps; default 25")
    shared.add_argument("--guidance", type=number, metavar="S", help="0 to 20, 1 = none; default: the model's")
    shared.add_argument("--sampler", help="dpm++ (default), ddim, or official: the authors'")
    shared.add_argument("--eta", type=number, help="fresh noise in ddim, 0 (default) to 1")
    shared.add_argument("--takes", type=int, dest="count", metavar="N", help="sounds to make, best first; default 1")
    text = "how much of the time sounds: 0 = one event, 1 = many; default: the model's choice"
    shared.add_argument("--density", type=number, metavar="D", help=text)
    text = "as-made (default), -23 or -18 LUFS, or peak: a true peak of -1 dB; inpaint is always as-made"
    shared.add_argument("--loudness", default="as-made", metavar="L", help=text)
    chosen = shared.add_mutually_exclusive_group()
    chosen.add_argument("--pick", type=int, default=1, metavar="K", help="write the K-th best take; default 1")
    chosen.add_argument("--all-takes", action="store_true", help="write the others too, as NAME-2.wav, NAME-3.wav …")
    _model(shared)
    shared.add_argument("--device", metavar="NAME", help="auto or, say, cpu; default MAA_DEVICE, else the best here")
    shared.add_argument("--dtype", help="of the U-Net: float32 or bfloat16; default: the device's own")
    shared.add_argument("--bits", type=int, choices=(16, 24), help="default 16; inpaint keeps the input's own format")
    shared.add_argument("--rate", type=int, metavar="HZ", help="sample rate of the file; default: the sound's own")
    shared.add_argument("--json", action="store_true", help="print the settings of each file as one line of JSON")
    shared.add_argument("--quiet", action="store_true", help="no progress and no summary")
    return shared


def _seconds(task: Parser) -> None:
    task.add_argument("--seconds", type=number, metavar="S", help="length; default: the model's own, 9.984")


def _model(options: argparse._ActionsContainer) -> None:
    default = os.environ.get("MAA_MODEL") or "small"
    text = "name, folder or hub id; default MAA_MODEL, else small"
    options.add_argument("--model", default=default, metavar="NAME", help=text)


def number(text: str) -> float:
    """A float that is a number: NaN would slip through every range check."""
    value = float(text)
    if math.isnan(value):
        raise ValueError(text)
    return value
