"""Page parts: the HTML, CSS and JavaScript files under `maa/ui`, as the strings that `gr.HTML` wants.

The scripts are ES modules, and Gradio runs a component's script as the body of one function, in which nothing can be
imported. So `script` joins what an entry module needs into one text: every module once and after all that it imports,
each as a function of its own that returns what it exports, so names never meet. Comments stay behind. Only these forms
are understood, each at the beginning of a line:

    import { one, other as more } from "./beside.js";        import "./beside.js";
    export function …    export async function …    export class …    export const …

At the end the entry's `start` is called with what Gradio gives to the script of a component.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
GIVEN = "{ element, trigger, props, server, upload, watch }"
_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"(\.{1,2}/[^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_COMMENT = re.compile(r"^ *(?://.*|/\*\*?|/\*.*\*/|\*.*)\n", re.MULTILINE)  # a line of nothing else
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def source(name: str) -> str:
    """A file by its path under `maa/ui`."""
    return (HERE / name).read_text(encoding="utf-8")


def style(*names: str) -> str:
    """Style sheets by their paths under `maa/ui`, in this order; what the last one says counts."""
    return "\n".join(source(name) for name in names)


@cache
def script(entry: str) -> str:
    """The script of a component: a module that exports `start`, by its path under `maa/ui`, with all that it imports.

    Raises:
        ValueError: modules import each other in a circle, or one uses a form that is not understood.
    """
    pieces: list[str] = []
    names: dict[Path, str] = {}
    last = _join(HERE / entry, names, pieces, ())
    return "\n".join([*pieces, f"{last}.start({GIVEN});\n"])


def _join(path: Path, names: dict[Path, str], pieces: list[str], above: tuple[Path, ...]) -> str:
    """Add a module and what it imports to `pieces`; returns the name that holds its exports."""
    path = path.resolve()
    if path in above:
        raise ValueError(f"{path.name} imports itself by way of {above[-1].name}.")
    if path in names:
        return names[path]

    def taken(found: re.Match[str]) -> str:
        module = _join(path.parent / found[2], names, pieces, (*above, path))
        return f"const {{{found[1].replace(' as ', ': ')}}} = {module};" if found[1] else ""

    body = _IMPORT.sub(taken, _COMMENT.sub("", path.read_text(encoding="utf-8")))
    exports = _EXPORT.findall(body)
    body = _EXPORT.sub("", body)
    left = _OTHER.search(body)
    if left:
        raise ValueError(f"{path.name}: {left[0]!r} is a form of import or export that is not understood here.")
    names[path] = f"{path.stem}_{len(names)}"
    pieces.append(f"const {names[path]} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();")
    return names[path]
