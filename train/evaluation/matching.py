"""Which files of a folder belong to which clip, and to which caption: nothing is paired by guessing, nothing left out
in silence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from train.evaluation.lists import Line, safe

SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".mp4", ".aac"),
    *(".aif", ".aiff", ".au", ".caf", ".wma", ".webm", ".mkv", ".mov"),
)


@dataclass(frozen=True)
class MatchedSound:
    """A file that is scored."""

    path: Path
    clip: str  # what its partner has, too
    captions: tuple[str, ...] = ()


@dataclass
class Matching:
    """What is compared with what, and what is not there."""

    generated: list[MatchedSound] = field(default_factory=list)
    reference: list[MatchedSound] = field(default_factory=list)
    paired: bool = False  # whether every generated sound has a reference of its own
    per_clip: bool = False  # one generated sound stands for all captions of its clip
    missing: list[str] = field(default_factory=list)  # one sentence each
    others: list[str] = field(default_factory=list)  # files that nothing asks for


def sounds_in(folder: Path) -> dict[str, Path]:
    """Sound files of a folder and below by their name without its ending, hidden ones left out.

    Raises:
        ValueError: there is no such folder, no sound in it, or two have one name.
    """
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder}.")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.suffix.lower() not in SUFFIXES or path.is_dir():
            continue
        if path.stem in found:
            raise ValueError(
                f"{folder} has two sounds called {path.stem} ({found[path.stem].name} and {path.relative_to(folder)}); "
                "files are paired by their names, so each needs its own."
            )
        found[path.stem] = path
    if not found:
        raise ValueError(f"There is no sound in {folder}.")
    return found


def match_files(generated: Path, reference: Path | None, lines: Sequence[Line]) -> Matching:
    """Pair a folder of generated sounds with a folder of recordings, by a list of captions or by the files' names.

    With a list, every line needs its sound: a file called as the line, or as its clip where the clip has one file for
    all of its captions. Without one, files of one name are a pair; where no name is in both folders, the two are
    compared as wholes.

    Raises:
        ValueError: a folder is not there or has no sound, or a file would stand for two lines or clips.
    """
    made = sounds_in(generated)
    real = sounds_in(reference) if reference is not None else {}
    return _by_list(made, real, lines, reference) if lines else _by_name(made, real, reference)


def _by_name(made: dict[str, Path], real: dict[str, Path], reference: Path | None) -> Matching:
    found = Matching(paired=bool(made.keys() & real.keys()))
    if found.paired:
        found.missing = [f"{name}: no such sound was generated" for name in sorted(real.keys() - made.keys())]
        found.missing += [f"{name}: {reference} has no such recording" for name in sorted(made.keys() - real.keys())]
        both = sorted(made.keys() & real.keys())
    for side, files in ((found.generated, made), (found.reference, real)):
        side += [MatchedSound(files[name], name) for name in (both if found.paired else sorted(files))]
    return found


def _first(files: dict[str, Path], names: Iterable[str]) -> Path | None:
    return next((files[name] for name in names if name in files), None)


def _clip_names(line: Line) -> tuple[str, ...]:
    return (line.clip, safe(line.clip), *line.also) if line.clip else (line.name,)


def _by_list(made: dict[str, Path], real: dict[str, Path], lines: Sequence[Line], reference: Path | None) -> Matching:
    of_clip: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        of_clip[line.clip or line.name].append(line)
    by_line = any(_first(made, (line.name, *line.known)) for line in lines)
    found = Matching(per_clip=not by_line and any(len(group) > 1 for group in of_clip.values()))
    for clip, group in of_clip.items():
        if found.per_clip:
            _take(
                found,
                made,
                _clip_names(group[0]),
                MatchedSound(Path(), clip, tuple(line.caption for line in group)),
                clip,
            )
            continue
        for line in group:
            names = (line.name, *line.known, *(_clip_names(line) if len(group) == 1 else ()))
            _take(found, made, names, MatchedSound(Path(), clip, (line.caption,)), line.name)
    clips = {clip: _first(real, _clip_names(group[0])) for clip, group in of_clip.items()}
    if real and not any(line.clip for line in lines) and not any(clips.values()):
        found.reference = [MatchedSound(path, name) for name, path in sorted(real.items())]
    elif real:
        found.paired = True
        found.missing += [f"{clip}: {reference} has no such recording" for clip, path in clips.items() if path is None]
        there = {sound.clip for sound in found.generated}
        found.reference = [
            MatchedSound(path, clip) for clip, path in clips.items() if path is not None and clip in there
        ]
        known = {sound.clip for sound in found.reference}
        found.generated = [sound for sound in found.generated if sound.clip in known]
    for side in (found.generated, found.reference):
        _refuse_shared(side)
    asked = {sound.path for sound in (*found.generated, *found.reference)}
    found.others = [str(path) for path in (*made.values(), *real.values()) if path not in asked]
    return found


def _refuse_shared(sounds: Sequence[MatchedSound]) -> None:
    """A file called after a video cannot stand for two stretches of it."""
    first: dict[Path, MatchedSound] = {}
    for sound in sounds:
        other = first.setdefault(sound.path, sound)
        if other is not sound:
            raise ValueError(f"{sound.path} would stand for {other.clip} and for {sound.clip}; name files after clips.")


def _take(found: Matching, made: dict[str, Path], names: Iterable[str], sound: MatchedSound, called: str) -> None:
    path = _first(made, names)
    if path is None:
        found.missing.append(f"{called}: no such sound was generated")
    else:
        found.generated.append(MatchedSound(path, sound.clip, sound.captions))
