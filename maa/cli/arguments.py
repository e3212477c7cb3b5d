"""Every command and option of `python -m maa`."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import Any, NoReturn

from maa.pipeline.edits import Edit
from maa.pipeline.options import Sampling
from maa.pipeline.setting import (
    Choice,
    File,
    Number,
    Rows,
    Setting,
    Stretch,
    Switch,
    TextList,
    Whole,
    settings_of,
)
from maa.pipeline.shaping import Shaping
from maa.pipeline.tasks import TASKS, Inpaint, Task, Text

EXAMPLES = """examples:
  python -m maa text "a dog barks" -o dog.wav --seed 7 --takes 3
  python -m maa text --event 2 4 thunder --event 4 9.9 rain -o storm.wav
  python -m maa image photo.jpg -o photo.wav
  python -m maa video clip.mp4 -o clip-with-sound.mp4
  python -m maa personalize dog.wav "a cat meows" --t0 0.4 -o cat.wav
  python -m maa inpaint in.wav --box 2.0 3.5 300 4000 --prompt "rain" -o out.wav
  python -m maa edit in.wav --box 2.0 2.5 1000 4000 --gain -12 -o out.wav
  python -m maa batch prompts.txt -o sounds --grid seed=1,2,3
  python -m maa info
  python -m maa convert maa1_full.ckpt --vocoder bigvnat/best_netG.pt -o checkpoints/maa1-full
"""


# What costs time, with the bench's own default where it has one: figures of all models should compare.
BENCHED = {"seconds": None, "steps": None, "guidance": 3.0, "takes": None, "sampler": None, "quality": None}


class Parser(argparse.ArgumentParser):
    """Arguments that do not fit raise ValueError, so that they end like every other mistake: in one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def parser() -> Parser:
    """The whole command line. What a task may be asked is read from its options; what is not said stays away."""
    top = Parser(
        prog="python -m maa",
        description="Sound from a sentence, a picture, a video or a sound of your own.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command", parser_class=Parser)
    shared = _common()
    for task in TASKS.values():
        summary = task.summary[0].lower() + task.summary[1:].rstrip(".")
        command = commands.add_parser(
            task.name, help=summary, description=summary, parents=[shared], allow_abbrev=False
        )
        _task(command, task)
    summary = "a part of a sound louder, softer, silent, healed, copied or moved, without a model"
    _edit(commands.add_parser("edit", help=summary, description=summary, allow_abbrev=False))
    summary = "many sounds from a list of prompts, into a folder; goes on where it was cut off"
    _batch(commands.add_parser("batch", help=summary, description=summary, allow_abbrev=False))
    summary = "what a model consists of and which tasks it can do, or what a file says of itself"
    _info(commands.add_parser("info", help=summary, description=summary, allow_abbrev=False))
    summary = "the authors' published weights to a model folder"
    _convert(commands.add_parser("convert", help=summary, description=summary, allow_abbrev=False))
    summary = "put a model folder on the Hugging Face hub"
    _push(commands.add_parser("push", help=summary, description=summary, allow_abbrev=False))
    summary = "seconds per stage, real-time factor and peak memory"
    _bench(commands.add_parser("bench", help=summary, description=summary, allow_abbrev=False))
    summary = "what the settings inside a file, and a detector, say about where its sound is from"
    _whatis(commands.add_parser("whatis", help=summary, description=summary, allow_abbrev=False))
    return top


def _task(command: Parser, task: type[Task]) -> None:
    """What one task works on, and the options that not every task has."""
    if task.source is not None:
        text = "; ".join(part for part in (task.source.what, task.source.more) if part)
        command.add_argument("input", type=Path, help=text)
    own = settings_of(task)
    for setting in own:
        if setting.required:  # the library says that it is missing, or takes events instead
            command.add_argument(setting.name, nargs="?", default="", help=setting.help)
    more = [setting for kind in task.more for setting in settings_of(kind)]
    shared = (*settings_of(Sampling), *settings_of(Shaping))
    for setting in (*own, *more, *(one for one in shared if task.name in one.only)):
        if not setting.required:
            option(command, setting)
    if task is Inpaint:
        text = "write what is made new as a picture with its scale"
        command.add_argument("--save-mask", type=Path, metavar="PNG", help=text)


def option(command: argparse._ActionsContainer, setting: Setting, default: Any = None) -> None:
    """One setting as an option. Without a default of the command's own it is None, which is not said; what it may be is
    checked later."""
    how: dict[str, Any] = {"dest": setting.name, "metavar": setting.metavar, "default": default}
    usual = setting.open or ("" if setting.default in ("", (), None) else f"{setting.default}")
    usual = usual if default is None else f"{default:g}"
    how["help"] = f"{setting.text}; default {usual}" if usual else setting.text
    match setting:
        case Switch():
            said = f"not: {setting.help}" if setting.default else setting.help
            how |= {"action": "store_const", "const": not setting.default, "help": said}
            del how["metavar"]
        case Rows():
            numbers = {"type": number_argument} if setting.numbers else {}
            how |= {"action": "append", "nargs": len(setting.metavar or ()), **numbers}
            how["help"] = f"{setting.help}; repeatable"
        case TextList():
            how |= {"action": "append", "help": f"{setting.help}; repeatable"}
        case Whole():
            how["type"] = int
        case Stretch():
            how |= {"type": number_argument, "nargs": 2}
        case Number():
            how["type"] = number_argument
        case File():
            how |= {"type": Path, "help": setting.help}
        case Choice():
            how["help"] = f"{setting.help}; default {usual}"
    command.add_argument(setting.option, **how)


def _edit(command: Parser) -> None:
    command.add_argument("input", type=Path, help="a sound; outside what is marked its samples stay as they are")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".wav, .flac, .ogg, .mp3")
    for setting in settings_of(Edit):
        option(command, setting)
    command.add_argument("--bits", type=int, choices=(16, 24, 32), help="32 = float; default: its input's format")
    command.add_argument("--json", action="store_true", help="print the settings of the file as one line of JSON")
    command.add_argument("--quiet", action="store_true", help="no summary")
    command.set_defaults(rate=None)


def _batch(command: Parser) -> None:
    text = "prompts, one a line, or a .csv with a column for each setting; a column input names sounds to personalise"
    command.add_argument("prompts", type=Path, metavar="LIST", help=text)
    command.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="a new one, or to go on")
    text = "every line with each of these values of a setting; repeatable: --grid seed=1,2,3 --grid guidance=2,4"
    command.add_argument("--grid", action="append", nargs="+", metavar=("NAME", "VALUE"), help=text)
    for setting in (*settings_of(Text), *settings_of(Sampling)):
        if not (setting.required or setting.only or isinstance(setting, Rows | TextList)):
            option(command, setting)
    for setting in settings_of(Shaping):  # all of them: a width is for texts and for the user's own sounds alike
        option(command, setting)
    command.add_argument(
        "--format", choices=("wav", "flac", "ogg", "mp3"), default="wav", help="of the files; default wav"
    )
    _model(command)
    _how(command)


def _how(command: Parser) -> None:
    command.add_argument("--device", metavar="NAME", help="auto or, say, cpu; default MAA_DEVICE, else the best here")
    command.add_argument("--dtype", help="of the U-Net: float32 or bfloat16; default: MAA_DTYPE, else the device's own")
    command.add_argument(
        "--bits", type=int, choices=(16, 24, 32), help="32 = float; default 16, inpaint keeps its input's format"
    )
    command.add_argument("--rate", type=int, metavar="HZ", help="sample rate of the file; default: the sound's own")
    command.add_argument("--quiet", action="store_true", help="no progress and no summary")


def _info(command: Parser) -> None:
    which = command.add_mutually_exclusive_group()
    text = "a sound or a video: tell the settings inside it, and its chain of edits, in place of a model"
    which.add_argument("file", nargs="?", type=Path, metavar="FILE", help=text)
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
    for setting in (*settings_of(Sampling), *settings_of(Text)):
        if setting.name in BENCHED:
            option(command, setting, BENCHED[setting.name])
    command.add_argument("--runs", type=int, default=1, metavar="N", help="after one warm-up step; the median counts")
    command.add_argument("--device", metavar="NAME", help="auto or, say, cpu; default MAA_DEVICE, else the best here")
    command.add_argument("--dtype", help="of the U-Net: float32 or bfloat16; default: MAA_DTYPE, else the device's own")
    text = "also run the same network the authors' way (100 DDIM steps, float32, nothing folded or fused)"
    command.add_argument("--official-path", action="store_true", help=text)
    command.add_argument("--random", action="store_true", help="random weights, also with --model: speed is the same")
    command.add_argument("--json", action="store_true", help="the same as JSON")


def _whatis(command: Parser) -> None:
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="sounds or videos")
    text = "of `python -m train.detector`; default: detector/ among the checkpoints, if it is there"
    command.add_argument("--detector", type=Path, metavar="FOLDER", help=text)
    command.add_argument("--json", action="store_true", help="the same as JSON")


def _common() -> Parser:
    """The options that every task has."""
    shared = Parser(add_help=False, allow_abbrev=False)
    shared.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help=".wav, .flac, .ogg, .mp3; for video .mp4"
    )
    for setting in (*settings_of(Sampling), *settings_of(Shaping)):
        if not setting.only:
            option(shared, setting)
    chosen = shared.add_mutually_exclusive_group()
    chosen.add_argument("--pick", type=int, default=1, metavar="K", help="write the K-th best take; default 1")
    chosen.add_argument("--all-takes", action="store_true", help="write the others too, as NAME-2.wav, NAME-3.wav …")
    _model(shared)
    _how(shared)
    shared.add_argument("--json", action="store_true", help="print the settings of each file as one line of JSON")
    return shared


def _model(options: argparse._ActionsContainer) -> None:
    default = os.environ.get("MAA_MODEL") or "small"
    text = "name, folder or hub id; default MAA_MODEL, else small"
    options.add_argument("--model", default=default, metavar="NAME", help=text)


def number_argument(text: str) -> float:
    """A float that is a number: NaN would slip through every range check."""
    value = float(text)
    if math.isnan(value):
        raise ValueError(text)
    return value
