"""The paper's data sets by name (Table 4), and their statistics."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.data import captioned, labelled
from train.data.blocks import forget_blocks
from train.data.check import Findings, Problem
from train.data.distilled import distilled
from train.data.library import BLOCKS, RATE, Library, cache_name
from train.data.manifest import load_manifest
from train.data.records import Record

Loader = Callable[[Path], Iterator[Record]]
# name on the command line: the loader, the table's type and source
SETS: dict[str, tuple[Loader, str, str]] = {
    "clotho": (captioned.clotho, "Caption", "Drossos et al. (2020)"),
    "audiocaps": (captioned.audiocaps, "Caption", "Kim et al. (2019)"),
    "macs": (captioned.macs, "Caption", "Martín-Morató & Mesaros (2021)"),
    "wavtext5k": (captioned.wavtext5k, "Caption", "Deshmukh et al. (2022)"),
    "bbc": (captioned.bbc, "Caption", "sound-effects.bbcrewind.co.uk"),
    "audiostock": (captioned.PAIRED["Audiostock"], "Caption", "audiostock.net/se"),
    "audioset": (labelled.audioset, "Label", "Gemmeke et al. (2017)"),
    "esc50": (labelled.esc50, "Label", "Piczak (2015)"),
    "fsd50k": (labelled.fsd50k, "Label", "annotator.freesound.org/fsd"),
    "sonniss": (captioned.PAIRED["Sonniss Game Effects"], "Label", "sonniss.com/gameaudiogdc"),
    "wesoundeffects": (captioned.PAIRED["WeSoundEffects"], "Label", "wesoundeffects.com"),
    "epidemic": (captioned.PAIRED["Epidemic Sound"], "Label", "www.epidemicsound.com"),
    "freetouse": (captioned.PAIRED["Free To Use Sounds"], "Label", "freetousesounds.com"),
    "urbansound8k": (labelled.urbansound8k, "Label", "Salamon et al. (2014)"),
    "libritts": (labelled.libritts, "Language-free", "Zen et al. (2019)"),
    "medley-solos": (labelled.medley_solos, "Language-free", "Bittner et al. (2014)"),
    "distilled": (distilled, "Distilled", "python -m train.distill"),
}


@dataclass(frozen=True)
class TableLine:
    """One line of Table 4."""

    dataset: str
    hours: float
    kind: str
    source: str
    recordings: int


def load_set(name: str, root: Path) -> list[Record]:
    """Every record of a data set in the folder it was unpacked to.

    Raises:
        ValueError: there is no such data set, or the folder does not have its layout.
    """
    if name not in SETS:
        raise ValueError(f"There is no data set {name!r}; there are {', '.join(SETS)}.")
    return list(SETS[name][0](root))


def library(records: Sequence[Record], root: Path, rate: int = RATE, kept: Path | None = None) -> Library:
    """The records as training's library; bad files are left out, with a sentence each on stderr.

    What is decoded is `kept` in a folder until all of it is, so that a run that is killed goes on.

    Raises:
        ValueError: not one file is good, or a record has no words.
    """
    findings = Findings()
    rows, rates = [record.recording(root) for record in records], [record.rate for record in records]
    made = Library.build(rows, root, findings, rates, rate, kept)
    if findings.problems:
        print("\n".join(map(str, findings.problems)), findings.summary(len(records)), sep="\n", file=sys.stderr)
    return made


def build_sets(names: Sequence[str], to: Path, rate: int = RATE) -> Library:
    """One library at `rate` Hz of several data sets, each as NAME=FOLDER, written to `to` for the stages' `--library`.

    It holds every waveform in memory, 115 MB an hour. A run that is killed goes on when it is called again.

    Raises:
        ValueError: no such data set, a folder without its layout, or one without a good file.
    """
    parts = []
    for given in names:
        name, _, folder = given.partition("=")
        parts.append((name, library(load_set(name, Path(folder)), Path(folder), rate, to / BLOCKS)))
    made = Library.join(parts)
    made.save(to / cache_name(rate))
    forget_blocks(to / BLOCKS)
    return made


def hours(records: Iterable[Record], findings: Findings | None = None) -> float:
    """Hours of audio that are there, by the files' headers; what cannot be read is noted in `findings`."""
    import soundfile

    seconds = 0.0
    for record in records:
        if not record.path.is_file():
            if findings is not None:
                findings.problems.append(Problem(record.id, "missing", f"there is no file {record.path}."))
            continue
        try:
            seconds += soundfile.info(record.path).duration
        except soundfile.LibsndfileError as error:
            if findings is not None:
                findings.problems.append(Problem(record.id, "broken header", str(error)))
    return seconds / 3600


def line_of(manifest: str, findings: Findings) -> TableLine:
    """A line of Table 4 for NAME=FOLDER or for the path of a CSV manifest."""
    name, equals, folder = manifest.partition("=")
    if equals:
        records = load_set(name, Path(folder))
        _, kind, source = SETS[name]
        return TableLine(records[0].dataset if records else name, hours(records, findings), kind, source, len(records))
    rows = load_manifest(Path(manifest))
    packages = len({row.package for row in rows})
    return TableLine(
        Path(manifest).stem, sum(r.seconds for r in rows) / 3600, "Caption", f"{packages} packages", len(rows)
    )


def table4(lines: Sequence[TableLine]) -> str:
    """The paper's Table 4, with a count of recordings and a line of totals."""
    out = [f"{'Dataset':<22}{'Hours':>9}  {'Type':<15}{'Recordings':>11}  Source"]
    for line in lines:
        out.append(f"{line.dataset:<22}{line.hours:>9.2f}  {line.kind:<15}{line.recordings:>11,}  {line.source}")
    total, count = sum(line.hours for line in lines), sum(line.recordings for line in lines)
    return "\n".join([*out, f"{'all':<22}{total:>9.2f}  {'':<15}{count:>11,}"])
