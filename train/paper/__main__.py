"""Command line of the paper's tables and figures."""

from __future__ import annotations

import argparse
import sys
from types import ModuleType

import train.paper
from train.paper import check, figure5, figure6, figure7, table1, table2, table3, table5, table7, table8, table9
from train.paper.results import write_result
from train.trainer.keeping import one_line

MODULES: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (table1, table2, table3, table5, table7, table8, table9, figure5, figure6, figure7, check)
}


def main(arguments: list[str] | None = None) -> int:
    """Run one of them, write what it found, and print it; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m train.paper",
        description=train.paper.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name, module in MODULES.items():
        told = (module.__doc__ or "").strip()
        module.add_flags(commands.add_parser(name, help=told.split("\n")[0], description=told))
    args = parser.parse_args(arguments)
    with one_line(parser):
        print(write_result(MODULES[args.what].run(args), args.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
