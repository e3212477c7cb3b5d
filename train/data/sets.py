"""The paper's data sets by name (Table 4; VGGSound, Sec. 5.2), their statistics, and a library of some of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.data import captioned, labelled
from train.data.apart import known_elsewhere
from train.data.building import Builder, Item
from train.data.check import Findings, Problem
from train.data.distilled import distilled
from train.data.level import RATE
from train.data.library import Library, cache_name
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
    "vggsound": (labelled.vggsound, "Label", "Chen et al. (2020)"),
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


def load_sets(names: Sequence[str]) -> list[tuple[str, Path, Record]]:
    """Every record of several data sets, each given as NAME=FOLDER: what it is called by, its folder, and itself."""
    parts = [(name, Path(folder)) for name, _, folder in (given.partition("=") for given in names)]
    return [(f"{name}/{record.id}", root, record) for name, root in parts for record in load_set(name, root)]


def build_sets(
    names: Sequence[str],
    to: Path,
    rate: int = RATE,
    workers: int = 1,
    in_memory: bool = False,
    findings: Findings | None = None,
) -> Library:
    """One library at `rate` Hz of several data sets, each as NAME=FOLDER, written to `to` for the stages' `--library`.

    A run that is killed goes on when it is called again.

    Args:
        workers: processes that decode.
        in_memory: write one compressed file, which the stages hold in memory, instead of shards.
        findings: gets what is left out.

    Raises:
        ValueError: no such data set, a folder without its layout, or no good file at all.
    """
    records, items = load_sets(names), list[Item]()
    findings = Findings() if findings is None else findings
    known = known_elsewhere([(name, record) for name, _, record in records])
    findings.problems += known.values()
    for number, (name, root, record) in enumerate(records):
        if number not in known:
            recording = record.recording(root)
            own = replace(recording, id=name, path=Path(name.partition("/")[0]) / recording.path)
            items.append(Item(own, record.path, record.rate))
    folder = Builder(items, to, findings, rate, workers).build()
    (to / cache_name(rate)).unlink(missing_ok=True)  # of an earlier one in memory
    made = Library.open(to, rate=rate)
    if in_memory:
        left_out = [problem.row for problem in findings.problems]
        made = Library(made.rows[:], made.samples, made.offsets, left_out, rate)
        made.save(to / cache_name(rate))
        shutil.rmtree(folder)
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


def line_of(manifest: str, findings: Findings, records: Sequence[Record] | None = None) -> TableLine:
    """A line of Table 4 for the `records` of NAME=FOLDER, or for the path of a CSV manifest."""
    name = manifest.partition("=")[0]
    if records is not None:
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
