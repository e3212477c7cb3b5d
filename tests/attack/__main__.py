"""The command: `python -m tests.attack --minutes 10`. It ends with 1 where something was found or not tried.

Damaged files, forged calls, many visitors and small files that cost much share the time. The table goes to stdout, what
was found to stderr; the numbers in it make the same file or call again with the same --seed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.attack import bombs, forge, fuzz, good, soak
from tests.attack.server import Server
from tests.attack.table import Row, drawn

SHARES = {"files": 0.35, "calls": 0.25, "jobs": 0.25, "bombs": 0.15}  # of the time


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__, allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long, about; starting takes some more")
    parser.add_argument("--seed", type=int, default=0, help="decides the damage and the calls")
    parser.add_argument("--only", nargs="+", choices=list(SHARES), default=list(SHARES), help="kinds of attack")
    parser.add_argument("--model", choices=("fake", "tiny"), default="fake", help="what the server makes sounds with")
    parser.add_argument("--files", type=int, default=10**9, help="damaged files at most")
    parser.add_argument("--calls", type=int, default=10**9, help="forged calls at most")
    parser.add_argument("--jobs", type=int, default=10**9, help="jobs at most")
    parser.add_argument("--quick", action="store_true", help="only bombs that are made at once")
    return parser.parse_args(argv)


def attack(options: argparse.Namespace, folder: Path) -> list[Row]:
    """Everything that was asked for."""
    parts = {kind: share for kind, share in SHARES.items() if kind in options.only}
    seconds = {kind: 60 * options.minutes * share / sum(parts.values()) for kind, share in parts.items()}
    rows: list[Row] = []
    good.make(folder / "good")
    end = time.monotonic()  # of a part; what one leaves of its time, as it had enough, is the next one's
    if "files" in parts:
        (folder / "work").mkdir()
        end = max(end, time.monotonic()) + seconds["files"]
        rows += fuzz.run(folder / "good", folder / "work", end, options.files, options.seed)
    if "calls" in parts or "jobs" in parts:
        with Server(folder / "server", options.model) as server:
            if "jobs" in parts:  # first, as its memory is compared
                end = max(end, time.monotonic()) + seconds["jobs"]
                rows.append(soak.run(server, folder / "good", end, options.jobs, options.seed))
            if "calls" in parts:
                end = max(end, time.monotonic()) + seconds["calls"]
                rows.append(forge.run(server, folder / "good", end, options.calls, options.seed))
    if "bombs" in parts:
        names = bombs.QUICK if options.quick else tuple(bombs.CASES)
        rows += bombs.run(folder / "bombs", max(end, time.monotonic()) + seconds["bombs"], names)
    return rows


def main(argv: list[str] | None = None) -> int:
    """Attack, and say what came of it. Returns the exit code."""
    options = arguments(argv)
    with tempfile.TemporaryDirectory(prefix="maa-attack-") as folder:
        rows = attack(options, Path(folder))
    print(drawn(rows))
    for row in rows:
        for line in row.findings:
            print(f"{row.kind}: {line}", file=sys.stderr)
    return 0 if all(row.sound and row.tries for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
