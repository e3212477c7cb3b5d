"""The tasks of the command line: check, generate, write."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from maa.cli.arguments import number_argument
from maa.cli.progress import print_notes, print_report, progress
from maa.pipeline.checks import shown
from maa.pipeline.options import Filling, Sampling, Soundtrack
from maa.pipeline.setting import OptionGroup, read_options
from maa.pipeline.shaping import Shaping
from maa.pipeline.tasks import TASKS, Inpaint, Task
from maa.starting import starting

if TYPE_CHECKING:
    from maa import Generation, MakeAnAudio

SOUND = (".wav", ".flac", ".ogg", ".mp3")
SUBTYPES = {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}
VIDEO = (".mp4", ".mov", ".mkv", ".webm")


@dataclass(frozen=True)
class Asked:
    """What a command line asks for."""

    sampling: Sampling
    task: Task
    more: Sequence[OptionGroup]  # what else the task may be asked
    shaping: Shaping


def make(args: argparse.Namespace) -> int:
    """Check what can be checked without a model, generate, write, report."""
    check_files(args, [args.output])
    request = asked(args)
    files = targets(args, request.sampling.count)
    check_files(args, files.values())
    check_clip(request, args)
    request = replace(request, sampling=request.shaping.asked(request.sampling))
    maa = opened(args)
    generation = CALLS.get(args.command, run_task)(maa, args, request).shaped(request.shaping)
    for take, path in files.items():
        write_take(generation, take, path, args)
        print_report(generation, take, path, args)
    print_notes(generation, args.quiet)
    return 0


def opened(args: argparse.Namespace) -> MakeAnAudio:
    """The model that a command line names."""
    with starting():
        from maa import MakeAnAudio  # here, because it brings PyTorch

        return MakeAnAudio.from_pretrained(args.model, device=args.device, dtype=args.dtype)


def check_files(args: argparse.Namespace, outputs: Iterable[Path]) -> None:
    """Inputs exist and outputs can be written, before minutes are spent on them."""
    inputs = [path for path in (getattr(args, "input", None), getattr(args, "mask", None)) if path is not None]
    picture = getattr(args, "save_mask", None)
    if picture is not None and (picture.suffix.lower() != ".png" or not picture.parent.is_dir()):
        raise ValueError(f"--save-mask {picture} should be the name of a .png file in a folder that exists.")
    for path in inputs:
        if not path.is_file():
            raise ValueError(f"There is no file {path}.")
    endings = SOUND + VIDEO if args.command == "video" else SOUND
    for path in outputs:
        if path.suffix.lower() not in endings:
            listed = f"{', '.join(endings[:-1])} or {endings[-1]}"
            raise ValueError(f"Cannot tell what to write from the name {path}; end it in {listed}.")
        if (args.bits or args.rate) and path.suffix.lower() in VIDEO:
            raise ValueError("--bits and --rate are for .wav and .flac; the sound of a video is compressed, 48 kHz.")
        if args.bits and path.suffix.lower() in SOUND[2:]:
            raise ValueError(f"--bits is for .wav and .flac; {path.suffix} has none.")
        if path.is_dir():
            raise ValueError(f"{path} is a folder; give the name of a file in it.")
        if not path.parent.is_dir():
            raise ValueError(f"There is no folder {path.parent}; make it first, or choose another output.")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise ValueError(f"No permission to write {path}; choose another output.")
        if path.exists() and any(path.samefile(one) for one in inputs):
            raise ValueError(f"{path} is also an input; choose another output, so that your own file is kept.")


def asked(args: argparse.Namespace) -> Asked:
    """Everything that was said, checked; what was not said keeps its default."""
    task = TASKS[args.command]
    given = {name: value for name, value in vars(args).items() if value is not None}
    if args.command == "image" and "words" in given:
        given["words"] = [(word, weight_of(weight)) for word, weight in given["words"]]
    return Asked(
        read_options(Sampling, given),
        read_options(task, given),
        [read_options(kind, given) for kind in task.more],
        read_options(Shaping, given),
    )


def check_clip(request: Asked, args: argparse.Namespace) -> None:
    """The clip's picture, and its own sound where that is kept, fit into the file that is asked for."""
    if args.command == "video" and args.output.suffix.lower() in VIDEO:
        if request.shaping.trim is not None:
            raise ValueError("The sound of a clip is as long as its picture; write .wav to trim it.")
        from maa.vision.mux import check_container  # here, because it brings PyAV

        check_container(args.input, args.output.suffix, cast(Any, request.more[0]).original)


def targets(args: argparse.Namespace, count: int) -> dict[int, Path]:
    """Which take goes into which file; takes are counted from 0 in the order of their score."""
    output: Path = args.output
    if args.all_takes:
        others = {k: output.with_name(f"{output.stem}-{k + 1}{output.suffix}") for k in range(1, count)}
        return {0: output, **others}
    if not 1 <= args.pick <= count:
        raise ValueError(f"--pick {args.pick} is not one of the takes (--takes {count}).")
    return {args.pick - 1: output}


def run_task(maa: MakeAnAudio, args: argparse.Namespace, request: Asked) -> Generation:
    """Most tasks: something in, a sound out."""
    return request.task.run(maa, getattr(args, "input", None), request.sampling, progress(args.quiet))


def run_video(maa: MakeAnAudio, args: argparse.Namespace, request: Asked) -> Generation:
    """`python -m maa video`."""
    from maa.pipeline.clip import with_soundtrack

    return with_soundtrack(run_task(maa, args, request), cast(Soundtrack, request.more[0]))


def run_inpaint(maa: MakeAnAudio, args: argparse.Namespace, request: Asked) -> Generation:
    """`python -m maa inpaint`."""
    from maa.audio.io import to_audio
    from maa.audio.maskfile import write_mask
    from maa.audio.tags import read_tags
    from maa.pipeline.editing import chained
    from maa.pipeline.edits import steps_in
    from maa.pipeline.filling import mask_of_regions

    task, (filling,), source = cast(Inpaint, request.task), request.more, to_audio(args.input)
    if args.output.suffix.lower() == ".flac" and not args.bits and source.subtype in ("PCM_32", "FLOAT", "DOUBLE"):
        raise ValueError(
            f"FLAC cannot hold the {source.subtype} samples of {args.input}; write .wav, or add --bits 24."
        )
    if task.mask is None and not task.regions and not cast(Filling, filling).extends:
        raise ValueError("Say what to make new: --box, --frames, --mask, or more sound with --before or --after.")
    mask = mask_of_regions(task, maa.config.audio, maa.frames_of(source))
    how: dict[str, Any] = {"filling": filling, "on_step": progress(args.quiet), **task.given(maa)}
    made = maa.inpaint(source, mask, sampling=request.sampling, **how)
    made = chained(made, steps_in(read_tags(args.input)), mask, maa.config.audio)
    if args.save_mask is not None:
        write_mask(args.save_mask, mask, maa.config.audio)
    return made


CALLS: dict[str, Callable[[MakeAnAudio, argparse.Namespace, Asked], Generation]] = {
    "video": run_video,
    "inpaint": run_inpaint,
}


def weight_of(text: str) -> float:
    """The weight of a word."""
    try:
        return number_argument(text)
    except ValueError as error:
        raise ValueError(f"--heard needs a word and a number, such as --heard rain 0.5, not {shown(text)}.") from error


def write_take(generation: Generation, take: int, path: Path, args: argparse.Namespace) -> None:
    """One take into its file: a sound, or the clip with its new sound."""
    if path.suffix.lower() in VIDEO:
        from maa.pipeline.clip import save_clip

        save_clip(generation, args.input, path, take)
    else:
        generation.save(path, take=take, subtype=SUBTYPES.get(args.bits), rate=args.rate)
