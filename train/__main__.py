"""Which commands there are: `python -m train` lists them, `python -m train.<command> --help` tells of each."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent


def commands() -> dict[str, str]:
    """The modules and packages that run, and the line that each of them begins with."""
    found = {f"train.{path.stem}": path for path in sorted(HERE.glob("[a-z]*.py"))}
    found |= {f"train.{path.parent.name}": path.with_name("__init__.py") for path in sorted(HERE.glob("*/__main__.py"))}
    texts = {name: path.read_text(encoding="utf-8") for name, path in found.items()}
    return {name: (ast.get_docstring(ast.parse(text)) or "").split("\n")[0] for name, text in texts.items()}


def main() -> None:
    """Print the list."""
    told = commands()
    width = max(map(len, told))
    for name, sentence in told.items():
        print(f"python -m {name:<{width}}  {sentence}")
    print("Each tells more, and its flags, with --help.")


if __name__ == "__main__":
    main()
