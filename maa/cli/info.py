"""`python -m maa info`: what a checkpoint, or a configuration, consists of; what a file says of itself."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from maa import checkpoint
from maa.audio.tags import read_tags
from maa.checkpoint import Model
from maa.cli import info_paper
from maa.cli.whatis import NO_TAGS, edits_told
from maa.config import PRESETS, ClapConfig, VisionConfig
from maa.pipeline import MakeAnAudio
from maa.pipeline.abilities import lacks


def show_info(args: argparse.Namespace) -> int:
    """Print the facts as a table or as JSON."""
    if args.file is not None:
        facts = of_file(args.file)
        text = file_table(facts)
    elif args.config == "paper":
        facts = info_paper.facts()
        text = info_paper.paper_table(facts)
    else:
        facts = of_config(args.config) if args.config else of_model(args.model)
        text = info_table(facts)
    print(json.dumps(facts, indent=2) if args.json else text)
    return 0


def of_file(path: Path) -> dict[str, Any]:
    """The settings inside a file, and its edits as sentences.

    Raises:
        ValueError: there is no such file.
    """
    if not path.is_file():
        raise ValueError(f"There is no file {str(path)!r}; `--model` names a model.")
    settings = read_tags(path)
    return {"file": str(path), "settings": settings, "edits": edits_told(settings)}


def file_table(facts: dict[str, Any]) -> str:
    """The same for people, without what the sentences say."""
    settings: dict[str, Any] | None = facts["settings"]
    if settings is None:
        return f"{facts['file']}\n\n{NO_TAGS}"
    shown = {name: value for name, value in settings.items() if name not in ("chain", "painted")}
    lines = [f"{name.strip():<14.40}{value!r}" for name, value in shown.items()]
    if facts["edits"]:
        lines += ["", "edits", *(f"{number:<4}{text}" for number, text in enumerate(facts["edits"], 1))]
    return "\n".join([facts["file"], "", *lines])


def of_model(name: str) -> dict[str, Any]:
    """Parts, parameters, sizes, hashes and tasks of a checkpoint."""
    maa = MakeAnAudio.from_pretrained(name, device="cpu")
    folder = None if maa.name == "tiny" else checkpoint.find(name)
    experts = {name: part_facts(expert, name) for name, expert in maa.model.experts.items()}
    lacking = {name: lacks(expert)[name] for name, expert in maa.model.experts.items() if name != "words"}
    return {
        "name": maa.name,
        "folder": None if folder is None else str(folder),
        "weights": maa.model.weights_hash,
        "parts": {
            **part_facts(maa.model),
            **{name: about for parts in experts.values() for name, about in parts.items()},
        },
        "missing": maa.model.missing,
        "tasks": maa.capabilities(),
        "waiting": {name: sentence for name, sentence in lacking.items() if sentence is not None},
        "config": maa.config.to_json(),
    }


def part_facts(model: Model, expert: str = "") -> dict[str, dict[str, Any]]:
    """Parameters, bytes and hash of each part that a model's own folder holds; an expert's begin with its name."""
    found: dict[str, dict[str, Any]] = {}
    for part, network in model.networks().items():
        files = [] if model.folder is None else checkpoint.weight_files(model.folder, part)
        if not files and model.folder is not None and part == "vision":
            files = [path for path in (model.folder / checkpoint.CLIP).iterdir() if path.is_file()]
        if not files and model.folder is not None:
            continue  # borrowed from another model of the family
        found[f"{expert}/{part}" if expert else part] = {
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "bytes": sum(path.stat().st_size for path in files) or None,
            "sha256": model.hashes.get(files[0].name) if len(files) == 1 else None,
        }
    return found


def of_config(name: str) -> dict[str, Any]:
    """Parts and parameters of a named configuration; no weights are made."""
    if name not in PRESETS:
        raise ValueError(f"There is no configuration {name!r}; choose one of {', '.join(PRESETS)}.")
    config = PRESETS[name]
    # Shapes only, so nothing needs room; but these two, small ones, compute their filters while they are built.
    computes = {
        "clap_audio": isinstance(config.clap, ClapConfig),
        "vision": isinstance(config.vision, VisionConfig),
    }
    parts: dict[str, dict[str, Any]] = {}
    for part in checkpoint.PARTS:
        with torch.device("cpu" if computes.get(part) else "meta"):
            network = checkpoint.build(config, part)
        parts[part] = {"parameters": sum(parameter.numel() for parameter in network.parameters())}
    return {"name": name, "parts": parts, "config": config.to_json()}


def info_table(facts: dict[str, Any]) -> str:
    """The facts for people."""
    parts: dict[str, dict[str, Any]] = facts["parts"]
    together = {
        "parameters": sum(about["parameters"] for about in parts.values()),
        "bytes": sum(about.get("bytes") or 0 for about in parts.values()),
    }
    lines = [f"{facts['name']}  {facts.get('folder') or ''}".rstrip(), ""]
    lines.append(f"{'part':<22}{'parameters':>14}{'file':>12}  sha256")
    for part, about in {**parts, "together": together}.items():
        size = f"{about['bytes'] / 1e6:.1f} MB" if about.get("bytes") else "-"
        lines.append(f"{part:<22}{about['parameters']:>14,}{size:>12}  {(about.get('sha256') or '')[:16]}".rstrip())
    if "tasks" in facts:
        lines += ["", f"weights  {facts['weights']}", "", "tasks"]
        lines += [f"{task:<14}{sentence or 'ready'}" for task, sentence in facts["tasks"].items()]
    if facts.get("waiting"):
        lines += ["", "networks that wait"]
        lines += [f"{name:<14}{sentence}" for name, sentence in facts["waiting"].items()]
    return "\n".join(lines)
