"""The five tasks of the command line: check, generate, write."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maa.cli.progress import progress, report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from maa import Audio, Generation, MakeAnAudio, Sampling

SOUND = (".wav", ".flac")
VIDEO = (".mp4", ".mov", ".mkv", ".webm")


def make(args: argparse.Namespace) -> int:
    """Check what can be checked without a model, generate, write, report."""
    check_files(args, [args.output])
    options = sampling(args)
    files = targets(args, options.count)
    check_files(args, files.values())
    check_clip(args)
    from maa import MakeAnAudio

    generation = TASKS[args.command](
        MakeAnAudio.from_pretrained(args.model, device=args.device, dtype=args.dtype), args, options
    )
    for take, path in files.items():
        write(generation, take, path, args)
        report(generation, take, path, args)
    return 0


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
            raise ValueError(f"Cannot tell what to write from the name {path}; end it in {' or '.join(endings)}.")
        if (args.bits or args.rate) and path.suffix.lower() in VIDEO:
            raise ValueError("--bits and --rate are for .wav and .flac; the sound of a video is compressed, 48 kHz.")
        if path.is_dir():
            raise ValueError(f"{path} is a folder; give the name of a file in it.")
        if not path.parent.is_dir():
            raise ValueError(f"There is no folder {path.parent}; make it first, or choose another output.")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise ValueError(f"No permission to write {path}; choose another output.")
        if path.exists() and any(path.samefile(one) for one in inputs):
            raise ValueError(f"{path} is also an input; choose another output, so that your own file is kept.")


def check_clip(args: argparse.Namespace) -> None:
    """The clip's picture, and its own sound where that is kept, fit into the file that is asked for."""
    if args.command == "video" and args.output.suffix.lower() in VIDEO:
        from maa.vision.mux import check_container

        check_container(args.input, args.output.suffix, args.original)


def sampling(args: argparse.Namespace) -> Sampling:
    """The sampling options that were given; the others keep their defaults. A loudness that is none ends here, too."""
    from maa import Sampling
    from maa.pipeline.request import check_loudness

    check_loudness(args.loudness, fixed=args.command == "inpaint")
    names = ("steps", "guidance", "seed", "count", "sampler", "eta", "mismatch", "density")
    return Sampling(**{name: value for name in names if (value := getattr(args, name, None)) is not None})


def targets(args: argparse.Namespace, count: int) -> dict[int, Path]:
    """Which take goes into which file; takes are counted from 0 in the order of their score."""
    output: Path = args.output
    if args.all_takes:
        others = {k: output.with_name(f"{output.stem}-{k + 1}{output.suffix}") for k in range(1, count)}
        return {0: output, **others}
    if not 1 <= args.pick <= count:
        raise ValueError(f"--pick {args.pick} is not one of the takes (--takes {count}).")
    return {args.pick - 1: output}


def text(maa: MakeAnAudio, args: argparse.Namespace, options: Sampling) -> Generation:
    """`python -m maa text`."""
    return maa.text_to_audio(args.prompt, options, seconds=args.seconds, **shared(args))


def image(maa: MakeAnAudio, args: argparse.Namespace, options: Sampling) -> Generation:
    """`python -m maa image`."""
    words = [(word, weight_of(weight)) for word, weight in args.heard]
    given = {"prompt": args.prompt, "seconds": args.seconds, "words": words}
    return maa.image_to_audio(args.input, options, **given, **shared(args))


def video(maa: MakeAnAudio, args: argparse.Namespace, options: Sampling) -> Generation:
    """`python -m maa video`."""
    from maa.pipeline.clip import with_original

    made = maa.video_to_audio(args.input, options, prompt=args.prompt, **shared(args))
    return with_original(made, args.original, args.original_db)


def personalize(maa: MakeAnAudio, args: argparse.Namespace, options: Sampling) -> Generation:
    """`python -m maa personalize`."""
    given = {"t0": args.t0, "start": args.start, "level_match": not args.no_level_match}
    return maa.personalize(args.input, args.prompt, options, **given, **shared(args))


def inpaint(maa: MakeAnAudio, args: argparse.Namespace, options: Sampling) -> Generation:
    """`python -m maa inpaint`."""
    from maa import Filling
    from maa.audio.io import to_audio
    from maa.audio.maskfile import write_mask

    source = to_audio(args.input)
    if args.output.suffix.lower() == ".flac" and not args.bits and source.subtype in ("PCM_32", "FLOAT", "DOUBLE"):
        raise ValueError(
            f"FLAC cannot hold the {source.subtype} samples of {args.input}; write .wav, or add --bits 24."
        )
    filling = Filling(
        strength=args.strength,
        resampling=args.resampling,
        blend=args.blend,
        level_match=not args.no_level_match,
        before=args.before,
        after=args.after,
    )
    mask = mask_of(maa, args, source, filling.extends)
    made = maa.inpaint(source, mask, args.prompt, options, filling=filling, **shared(args))
    if args.save_mask is not None:
        write_mask(args.save_mask, mask, maa.config.audio)
    return made


TASKS: dict[str, Callable[[MakeAnAudio, argparse.Namespace, Sampling], Generation]] = {
    "text": text,
    "image": image,
    "video": video,
    "personalize": personalize,
    "inpaint": inpaint,
}


def weight_of(text: str) -> float:
    """The weight of a word."""
    from maa.cli.arguments import number

    try:
        return number(text)
    except ValueError as error:
        raise ValueError(f"--heard needs a word and a number, such as --heard rain 0.5, not {text!r}.") from error


def shared(args: argparse.Namespace) -> dict[str, Any]:
    """What every task takes by keyword."""
    return {"negative": args.negative, "loudness": args.loudness, "on_step": progress(args.quiet)}


def mask_of(maa: MakeAnAudio, args: argparse.Namespace, source: Audio, extends: bool) -> NDArray[np.bool_]:
    """Everything that --box, --frames and --mask name, together: bool [mels, frames]."""
    from maa import Box
    from maa.audio.mask import from_boxes
    from maa.audio.maskfile import read_mask

    boxes = [Box(*edges) for edges in args.box + args.frames]
    if args.mask is None and not boxes and not extends:
        raise ValueError("Say what to make new: --box, --frames, --mask, or more sound with --before or --after.")
    spec, frames = maa.config.audio, maa.frames_of(source)
    painted = from_boxes(boxes, spec, frames)
    return painted if args.mask is None else painted | read_mask(args.mask, spec, frames)


def write(generation: Generation, take: int, path: Path, args: argparse.Namespace) -> None:
    """One take into its file: a sound, or the clip with its new sound."""
    if path.suffix.lower() in VIDEO:
        from maa.pipeline.clip import save_clip

        save_clip(generation, args.input, path, take)
    else:
        generation.save(path, take=take, subtype=f"PCM_{args.bits}" if args.bits else None, rate=args.rate)
