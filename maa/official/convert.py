"""The authors' published files to one of our model folders, in one call.

Several files compose one folder: the text network at its root, the networks for pictures and for inpainting as experts
in `image/` and `inpaint/`, the vocoder and CLAP for all of them. Nothing is written before every file has been read and
checked, and a folder appears whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from maa import checkpoint
from maa.aside import write_text
from maa.config import Convention, ModelConfig
from maa.folders import changed_folder
from maa.models import clip
from maa.models.autoencoder import Autoencoder
from maa.models.text import load_tokenizer
from maa.official import conventions
from maa.official.card import converted_card, sources_of
from maa.official.networks import ClapFile, Network, Vocoder, Weights, recognise
from maa.official.pickles import read_tensors

ORDER = ("text", "image", "inpaint")  # the first that is there stands at the root
PARTS_OF_WORDS = ("text", "vision")
FILES_OF_WORDS = (checkpoint.TOKENIZER, checkpoint.CONCEPTS)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Choices:
    """What a person decides about a conversion."""

    mel: Convention | None = None  # of every file; None = by its name, else by a round trip
    half: bool = False  # store float16: half the size, not the authors' exact numbers
    tokenizer: Path | None = None  # bert-base-uncased's tokenizer.json; None = the shipped model's, which is the same
    words: str | None = "small"  # the model that puts pictures into words for the text network; None = without


@dataclass
class FolderDraft:
    """One model folder in the making: the root, or an expert."""

    config: ModelConfig
    there: Path | None = None  # where its files lie today
    parts: dict[str, Weights] = field(default_factory=dict)
    clip: Weights = field(default_factory=dict)


def convert(files: Sequence[Path], folder: Path, choices: Choices | None = None, say: Say = lambda line: None) -> Path:
    """Write `folder` from the authors' files, or add their networks to one that was written before.

    Args:
        files: .ckpt of the diffusion networks, best_netG.pt of a vocoder, CLAP_weights_2022.pth; in any order.
        say: told, in a line each, what every file was taken for.

    Raises:
        ValueError: a file is damaged or none of the authors', its mel convention is unclear, two files are the same
            network, a network and its vocoder disagree, or the folder holds something else. Nothing is written then.
    """
    choices = choices or Choices()
    there = _existing(folder)
    if not files and (not there or "words" in there or choices.words is None or _kind(there["."].config) == "inpaint"):
        raise ValueError("Give at least one of the authors' files, such as maa1_full.ckpt.")
    networks: list[tuple[Network, Convention]] = []
    vocoders: dict[Convention, Vocoder] = {}
    claps: list[ClapFile] = []
    for file in files:
        found = recognise(read_tensors(file))
        if isinstance(found, ClapFile):
            claps.append(found)
            say(f"{file}: MS-CLAP")
            continue
        mel, how = _convention(found, choices.mel)
        if isinstance(found, Network):
            networks.append((found, mel))
            say(f"{file}: the {found.kind} network, mel convention {mel} ({how})")
        else:
            if mel in vocoders:
                raise ValueError(f"{file} is a second vocoder of mel convention {mel}; give one of them.")
            vocoders[mel] = found
            say(f"{file}: a {found.config.kind} vocoder, mel convention {mel} ({how})")
    places = _arrange(networks, there, folder)
    _give_vocoders(places, vocoders, folder)
    _give_clap(places, claps, folder)
    found_all: list[Network | Vocoder | ClapFile] = [*(network for network, _ in networks), *vocoders.values(), *claps]
    sources = sources_of(folder) | {item.source.path.name: item.source.sha256 for item in found_all}
    waiting = [place for name, place in places.items() if name != "words" and not _has_vocoder(place, places)]
    _write(places, folder, choices, converted_card(folder.name, places["."].config, sources))
    for place in waiting:
        say(f"The {_kind(place.config)} network waits. {checkpoint.lacking('vocoder', place.config, folder)}")
    return folder


def _convention(found: Network | Vocoder, chosen: Convention | None) -> tuple[Convention, str]:
    """The mel convention of a file and how it is known."""
    named = conventions.of_file(found.source.path)
    if chosen is not None:
        return chosen, "as told" if named in (None, chosen) else f"as told; by its name it would be {named}"
    if named is not None:
        return named, "by its name"
    if isinstance(found, Vocoder):
        convention = conventions.of_vocoder(found.build())
    else:
        autoencoder = Autoencoder(found.config.autoencoder)
        autoencoder.load_state_dict({name: value.float() for name, value in found.parts["autoencoder"].items()})
        convention = conventions.of_autoencoder(autoencoder.eval())
    if convention is None:
        raise ValueError(
            f"{found.source.path}: neither its name nor a round trip of test sounds tells its mel convention; say "
            "--mel A (ta40multi, ta54, inpaint7) or --mel B (maa1_caps, maa1_full)."
        )
    return convention, "by a round trip of test sounds"


def _existing(folder: Path) -> dict[str, FolderDraft]:
    """What a folder holds already: the configs of its model and of its experts."""
    if not folder.exists():
        return {}
    if not (folder / checkpoint.CONFIG).is_file():
        if folder.is_dir() and not any(folder.iterdir()):
            return {}
        raise ValueError(f"{folder} is there already and is no model; choose another output.")
    names = [name for name in (".", *checkpoint.EXPERTS) if (folder / name / checkpoint.CONFIG).is_file()]
    return {name: FolderDraft(checkpoint.read_config(folder / name)[0], folder / name) for name in names}


def _arrange(
    networks: list[tuple[Network, Convention]], there: dict[str, FolderDraft], folder: Path
) -> dict[str, FolderDraft]:
    """Put every network into its place; the root is the most general of them, and gives way to a text network."""
    places = dict(there)
    for network, mel in sorted(networks, key=lambda item: ORDER.index(item[0].kind)):
        kinds = {_kind(place.config): name for name, place in places.items() if name != "words"}
        if network.kind in kinds:
            raise ValueError(
                f"{network.source.path} is a {network.kind} network, and there is one already; convert it into a new "
                f"folder, or into {folder} after that one is gone."
                if places[kinds[network.kind]].there is not None
                else f"{network.source.path} is a {network.kind} network, and there is one already; give one of them."
            )
        if "." in places and network.kind == "text":
            root = places.pop(".")
            places = {".": root, **places, _kind(root.config): root}
        name = "." if network.kind == "text" or not places else network.kind
        config = replace(network.config, audio=replace(network.config.audio, convention=mel))
        places[name] = FolderDraft(config, None, dict(network.parts), network.clip)
    if not places:
        raise ValueError("There is no diffusion network among the files; give one, such as maa1_full.ckpt, with them.")
    return places


def _give_vocoders(places: dict[str, FolderDraft], vocoders: dict[Convention, Vocoder], folder: Path) -> None:
    """Each network is rendered by the vocoder of its own mel convention; the first place of each keeps the file."""
    for mel, vocoder in vocoders.items():
        users = {name: place for name, place in places.items() if place.config.audio.convention == mel}
        users.pop("words", None)
        held = [one for one in users.values() if one.there and checkpoint.weight_files(one.there, "vocoder")]
        if held:
            raise ValueError(
                f"{folder} has a vocoder of mel convention {mel} already; {vocoder.source.path} is another."
            )
        if not users:
            raise ValueError(
                f"{vocoder.source.path} speaks mel convention {mel}, and no network here does; network and vocoder "
                "must agree (ta40multi, ta54, inpaint7 with hifi_0127 or bigv16k53w; maa1_* with bigvnat)."
            )
        next(iter(users.values())).parts["vocoder"] = vocoder.weights
        for place in users.values():
            place.config = replace(place.config, vocoder=vocoder.config)
    for name, place in places.items():
        mel = place.config.audio.convention
        if vocoders and mel not in vocoders and name != "words" and place.parts:
            raise ValueError(
                f"The {_kind(place.config)} network speaks mel convention {mel}, and none of "
                f"the vocoders given does; add the authors' {checkpoint.VOCODERS[mel]}."
            )


def _has_vocoder(place: FolderDraft, places: dict[str, FolderDraft]) -> bool:
    """Whether anything in the folder renders the mel convention of a network."""
    able = [one for one in places.values() if one.config.audio.convention == place.config.audio.convention]
    return any("vocoder" in one.parts or (one.there and checkpoint.weight_files(one.there, "vocoder")) for one in able)


def _give_clap(places: dict[str, FolderDraft], claps: list[ClapFile], folder: Path) -> None:
    held = [one for one in places.values() if one.there and checkpoint.weight_files(one.there, "clap")]
    if len(claps) > 1 or (claps and held):
        raise ValueError(f"{claps[-1].source.path} is a second CLAP; give one.")
    for clap in claps:
        places["."].parts |= clap.parts
        places["."].config = replace(places["."].config, clap=clap.config)


def _write(places: dict[str, FolderDraft], folder: Path, choices: Choices, text: str) -> None:
    """Everything aside, a new folder or the old one with more in it; then into its place, in one step."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and any(folder.iterdir()):
        with changed_folder(folder) as changed:
            _fill(changed, places, choices, text)
        return
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        made = Path(scratch) / "model"
        made.mkdir()
        _fill(made, places, choices, text)
        os.replace(made, folder)


def _fill(made: Path, places: dict[str, FolderDraft], choices: Choices, text: str) -> None:
    """What is new into `made`, which holds what was there before."""
    root = places["."].config
    if places["."].there is None and (made / checkpoint.CONFIG).is_file():
        _step_aside(made, made / _kind(checkpoint.read_config(made)[0]))
    for name, place in places.items():
        if place.parts:
            _write_place(made / name, place, choices)
    if choices.words is not None and _kind(root) != "inpaint" and "words" not in places:
        _write_words(made / "words", choices.words)
    write_text(made / "README.md", text)
    for name, place in places.items():
        checkpoint.write_config(made / name, place.config)


def _step_aside(root: Path, expert: Path) -> None:
    """The network at the root of a folder becomes an expert in it, with all that is its own."""
    expert.mkdir()
    for item in list(root.iterdir()):
        if item.name not in (*checkpoint.EXPERTS, "README.md"):
            item.rename(expert / item.name)


def _kind(config: ModelConfig) -> str:
    """What a converted network is: text, image or inpaint."""
    return config.name.removeprefix("official-")


def _write_place(folder: Path, place: FolderDraft, choices: Choices) -> None:
    parts = place.parts
    if choices.half:
        parts = {part: {name: _halved(value) for name, value in weights.items()} for part, weights in parts.items()}
    folder.mkdir(parents=True, exist_ok=True)
    if ("text" in parts or "clap" in parts) and not (folder / checkpoint.TOKENIZER).is_file():
        shutil.copyfile(_tokenizer(choices, place.config.text.vocabulary), folder / checkpoint.TOKENIZER)
    checkpoint.write_parts(folder, place.config, parts)
    if place.clip:
        if any(name.startswith("visual.") for name in place.clip):
            clip.write_folder(folder / checkpoint.CLIP, place.config.vision.model, place.clip)
        else:  # published without its picture tower, which the picture tab needs: the sentence in `info` says so
            clip.fitting(place.config.vision.model, place.clip)


def _halved(value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() else value


def _tokenizer(choices: Choices, vocabulary: int) -> Path:
    path = choices.tokenizer or checkpoint.root() / "small" / checkpoint.TOKENIZER
    count = load_tokenizer(path).get_vocab_size()
    if count != vocabulary:
        raise ValueError(
            f"The text encoder reads {vocabulary:,} word pieces and {path} has {count:,}; give bert-base-uncased's own "
            "with --tokenizer."
        )
    return path


def _write_words(folder: Path, name: str) -> None:
    """A small model beside the others that only puts pictures into words."""
    source = checkpoint.find(name)
    files = [source / file for file in FILES_OF_WORDS]
    for part in PARTS_OF_WORDS:
        weights, index = checkpoint.weight_files(source, part), checkpoint.index_of(source, part)
        files += [*weights, *([index] if index.is_file() else [])] or [source / f"{part}.safetensors"]
    absent = [path.name for path in files if not path.is_file()]
    if absent:
        raise ValueError(f"{source} cannot put pictures into words ({', '.join(absent)} missing); add --words none.")
    folder.mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, folder / path.name)
    checkpoint.write_config(folder, checkpoint.read_config(source)[0])
