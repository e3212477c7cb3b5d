"""`python -m maa bench`: the speed and memory table of this machine."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from typing import Any

import torch

from maa import checkpoint
from maa.cli.timing import AUTHORS_STEPS, measure
from maa.config import PRESETS
from maa.device import pick_device, pick_dtype
from maa.pipeline import MakeAnAudio, Sampling
from maa.pipeline.setting import read_options

NEEDED = ("autoencoder", "unet", "vocoder", "text")  # what a sound from text needs; speed does not depend on weights
STAGES = ("text", "step", "sample", "decode", "vocode", "rank", "write", "total")


def show_bench(args: argparse.Namespace) -> int:
    """Measure and print, as a table or as JSON."""
    facts = bench_facts(args)
    print(json.dumps(facts, indent=2) if args.json else bench_table(facts))
    return 0


def bench_facts(args: argparse.Namespace) -> dict[str, Any]:
    """The figures: of our path, and with --official-path of the authors', of the same network in the same process."""
    if args.runs < 1:
        raise ValueError("--runs must be at least 1.")
    given = {name: value for name, value in vars(args).items() if value is not None}
    asked = read_options(Sampling, {**given, "seed": 0})
    maa = _open(args)
    sampling = asked.settled(maa.config)
    facts: dict[str, Any] = {
        "model": maa.name,
        "weights": "random" if args.config or args.random else maa.model.weights_hash,
        "device": _device(maa),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "dtype": str(maa.dtype).removeprefix("torch."),
        "sampler": sampling.sampler,
        "guidance": sampling.guidance,
        "takes": sampling.count,
        "ours": measure(maa, sampling, args.seconds, args.runs),
    }
    if args.official_path:
        authors = replace(sampling, steps=AUTHORS_STEPS, sampler="official")
        facts["official"] = measure(maa, authors, args.seconds, 1, official=True)
        times = [facts[name]["seconds"]["total"] for name in ("official", "ours")]
        facts["speedup"] = round(times[0] / times[1], 2)
    return facts


def _open(args: argparse.Namespace) -> MakeAnAudio:
    device = pick_device(args.device or os.environ.get("MAA_DEVICE") or None)
    dtype = pick_dtype(device, args.dtype)
    if args.config is not None:
        if args.config not in PRESETS:
            raise ValueError(f"There is no configuration {args.config!r}; choose one of {', '.join(PRESETS)}.")
        config, name = PRESETS[args.config], args.config
    elif not args.random and args.model != "tiny":
        folder = checkpoint.find(args.model)
        return MakeAnAudio(checkpoint.load(folder), device, folder.name, dtype)
    else:
        config = PRESETS["tiny"] if args.model == "tiny" else checkpoint.read_config(checkpoint.find(args.model))[0]
        name = args.model
    if config.unet.clip_conditioned or config.unet.context_dim is None:
        raise ValueError(f"{name} makes no sound from text, which is what is measured here; choose another.")
    return MakeAnAudio(checkpoint.random_model(config, parts=NEEDED), device, name, dtype)


def _device(maa: MakeAnAudio) -> str:
    if maa.device.type != "cpu":
        return f"{maa.device} ({torch.accelerator.current_accelerator()})"
    capability = torch.backends.cpu.get_cpu_capability()
    return f"cpu ({capability})"


def bench_table(facts: dict[str, Any]) -> str:
    """The figures for people."""
    columns = [name for name in ("ours", "official") if name in facts]
    head = f"{facts['model']} ({facts['weights']} weights), {facts['device']}, {facts['threads']} threads, "
    lines = [head + f"torch {facts['torch']}, {facts['takes']} take(s), guidance {facts['guidance']:g}", ""]
    about = {"ours": f"{facts['sampler']}, {facts['dtype']}", "official": "the authors' way, float32"}
    lines.append(f"{'':<18}" + "".join(f"{about[name]:>28}" for name in columns))
    lines.append(f"{'steps':<18}" + "".join(f"{facts[name]['steps']:>28}" for name in columns))
    for stage in STAGES:
        if stage in facts["ours"]["seconds"]:
            values = "".join(f"{facts[name]['seconds'].get(stage, 0.0):>26.3f} s" for name in columns)
            lines.append(f"{'one step' if stage == 'step' else stage:<18}{values}")
    lines.append(f"{'real-time factor':<18}" + "".join(f"{facts[name]['realtime_factor']:>28.3f}" for name in columns))
    memory = [facts[name]["peak_memory"] for name in columns]
    lines.append(f"{'peak memory':<18}" + "".join(f"{(value or 0) / 2**30:>24.2f} GiB" for value in memory))
    if "speedup" in facts:
        lines += ["", f"{facts['speedup']:.2f} times as fast as the authors' way"]
    return "\n".join(lines)
