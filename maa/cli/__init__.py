"""The command line: `python -m maa text "a dog barks" -o dog.wav`.

A user's mistake is one line on stderr and exit code 2. The output's name and folder are checked before any work is
done, and every file is written whole or not at all. Nothing heavy is imported until a task really runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from maa.cli.arguments import parser
from maa.cli.progress import ERASE

# Module and function of every command that is no task; looked up when it is called, because they bring PyTorch.
COMMANDS = {
    "info": ("maa.cli.info", "show_info"),
    "convert": ("maa.cli.models", "convert_files"),
    "push": ("maa.cli.models", "push"),
    "bench": ("maa.cli.bench", "show_bench"),
    "batch": ("maa.cli.batch", "run"),
    "edit": ("maa.cli.edit", "run"),
    "whatis": ("maa.cli.whatis", "show_whatis"),
}
TASK = ("maa.cli.tasks", "make")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 the machine's fault, 2 the user's, 130 stopped by Ctrl-C."""
    try:
        args = parser().parse_args(argv)
        module, name = COMMANDS.get(args.command, TASK)
        return getattr(import_module(module), name)(args)
    except KeyboardInterrupt:
        return _say("stopped", 130)
    except ValueError as error:
        return _say(" ".join(str(error).split()), 2)
    except OSError as error:
        return _say(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)


def _say(sentence: str, code: int) -> int:
    """One line on stderr, over a progress line that may stand there; gives back the exit code."""
    print(f"{ERASE if sys.stderr.isatty() else ''}maa: {sentence}", file=sys.stderr)
    return code
