"""What is rated: a folder with one folder of sounds for each system.

DIR/reference/<clip>.wav     recordings by people, where there are some
DIR/<system>/<clip>.wav      the same clips by each system; any kind of sound file
DIR/captions.csv             columns clip (or file, id, name) and caption; without it only quality is asked
DIR/pictures/<clip>.png      or .jpg, .webp, .mp4, .webm: shown in place of the caption, for image and video to audio
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from train.data.records import AUDIO, csv_rows

PICTURES, CAPTIONS, REFERENCE = "pictures", "captions.csv", "reference"
STILL, MOVING = (".png", ".jpg", ".jpeg", ".webp"), (".mp4", ".webm")
NAMES = ("clip", "file", "file_name", "id", "name")  # columns that say which clip a caption is of


@dataclass(frozen=True)
class Material:
    """A folder that has been looked through. Files are found by system and clip and by nothing else."""

    root: Path
    sounds: dict[str, dict[str, Path]]  # system -> clip -> file
    captions: dict[str, str]  # clip -> what it should be
    pictures: dict[str, Path]  # clip -> what it should fit

    @property
    def clips(self) -> list[str]:
        """Names of the clips, sorted; every system has all of them."""
        return sorted(next(iter(self.sounds.values())))

    def shown(self, clip: str) -> str:
        """What a sound's faithfulness is asked about: "text", "picture", "clip", or "" where there is nothing."""
        if clip in self.pictures:
            return "clip" if self.pictures[clip].suffix.lower() in MOVING else "picture"
        return "text" if clip in self.captions else ""


def open_material(root: Path) -> Material:
    """Look through a folder.

    Raises:
        ValueError: there is no folder of sounds, a system lacks a clip, two files are one clip, a file is a way out
            of the folder, or the captions cannot be read.
    """
    if not root.is_dir():
        raise ValueError(f"There is no folder {root}.")
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    sounds = {path.name: _files(path, AUDIO, root) for path in folders if path.name != PICTURES}
    sounds = {name: files for name, files in sounds.items() if files}
    if not sounds:
        raise ValueError(f"{root} has no folder with sounds; give each system a folder of its own.")
    every = sorted({clip for files in sounds.values() for clip in files})
    lacking = [f"{name} lacks {clip}" for name, files in sounds.items() for clip in every if clip not in files]
    if lacking:
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise ValueError(f"Every system needs every clip, but {', '.join(lacking[:5])}{more}.")
    pictures = _files(root / PICTURES, STILL + MOVING, root) if (root / PICTURES).is_dir() else {}
    return Material(root, sounds, _captions(root / CAPTIONS), pictures)


def _files(folder: Path, endings: tuple[str, ...], root: Path) -> dict[str, Path]:
    """Files of a folder by their names without endings."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in endings or path.name.startswith(".") or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"{path} leads out of {root}; put the file itself there.")
        if path.stem in found:
            raise ValueError(f"{found[path.stem]} and {path.name} are one clip twice; leave one of them.")
        found[path.stem] = path
    return found


def _captions(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    said: dict[str, str] = {}
    for row in csv_rows(path, ("caption",)):
        clip = next((row[name] for name in NAMES if row.get(name)), None)
        if clip is None:
            raise ValueError(f"{path} has no column that names the clip; call it {NAMES[0]}.")
        clip = Path(clip).stem if Path(clip).suffix.lower() in AUDIO else clip
        said.setdefault(clip, " ".join(row["caption"].split()))
    return said
