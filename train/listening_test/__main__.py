"""Serve a listening test, or report what came out of it.

python -m train.listening_test DIR                  open the address that it prints; answers go to DIR/ratings.sqlite3
python -m train.listening_test DIR --host 0.0.0.0   for raters elsewhere, best behind a proxy that speaks HTTPS
python -m train.listening_test report DIR           mean opinion scores with 95 % intervals, also as DIR/report.csv

DIR holds a folder of sounds for each system, the recordings in `reference`, the same file names in all of them;
captions.csv (columns clip and caption); for image and video to audio the pictures or clips in `pictures`.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from maa.aside import write_text
from train.listening_test.desk import RatingDesk
from train.listening_test.material import open_material
from train.listening_test.report import opinions, report_csv, report_text
from train.listening_test.serve import described_test, serving
from train.listening_test.store import FILE, Store
from train.trainer.keeping import one_line


def main() -> None:
    """Run one of the two."""
    given = sys.argv[1:]
    if given[:1] == ["report"]:
        _report(given[1:])
    else:
        _serve(given)


def _serve(given: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m train.listening_test", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument(
        "--clips", type=int, default=10, help="for one rater, each by every system; 0 = all (%(default)s)"
    )
    parser.add_argument("--loudness", type=float, default=-23.0, help="LUFS that every sound gets (%(default)s)")
    parser.add_argument("--own-level", action="store_true", help="leave every sound as loud as it is")
    parser.add_argument("--seed", type=int, help="of the orders, for a rehearsal; default: another one each time")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 = everyone (%(default)s)")
    parser.add_argument("--port", type=int, help="default: the first free one from 7860")
    args = parser.parse_args(given)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    with one_line(parser):
        desk = RatingDesk(open_material(args.folder), Store(args.folder / FILE), args.clips, args.seed)
        loudness = None if args.own_level else args.loudness
        with serving(desk, loudness, args.host, args.port) as url:
            print(described_test(url, desk), flush=True)
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                print("Ended; every answer is saved.")


def _report(given: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m train.listening_test report")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--everybody", action="store_true", help="count raters who failed their checks, too")
    args = parser.parse_args(given)
    with one_line(parser):
        material = open_material(args.folder)
        if not (args.folder / FILE).is_file():
            raise ValueError(f"There are no ratings in {args.folder} yet.")
        store = Store(args.folder / FILE)
        ratings = store.ratings()
        lines = opinions(ratings, material, args.everybody)
        print(report_text(lines, ratings, store.counts()))
        write_text(args.folder / "report.csv", report_csv(lines))


if __name__ == "__main__":
    main()
