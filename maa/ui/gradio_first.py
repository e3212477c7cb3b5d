"""Imports Gradio without its stubs, which halves the time that takes; it has to come before all other imports of it.

Whenever a class of components is defined, Gradio parses the class's source and renders a `.pyi` file for it, for the
eighty of its own at every start. Editors read such files; nothing at run time does. Where another version of Gradio has
no such function, or somebody has imported it already, nothing is changed.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec


def _import_without_stubs() -> None:
    spec = find_spec("gradio")
    if "gradio" in sys.modules or spec is None or spec.loader is None:
        return
    # The package is there and still empty while the one module with that function is imported.
    package = sys.modules["gradio"] = module_from_spec(spec)
    try:
        components = import_module("gradio.component_meta")
    except (ImportError, AttributeError):  # a version that needs the whole package for it
        for name in [name for name in sys.modules if name.partition(".")[0] == "gradio"]:
            del sys.modules[name]
        return
    if hasattr(components, "create_or_modify_pyi"):
        vars(components)["create_or_modify_pyi"] = lambda *_: None
    spec.loader.exec_module(package)


_import_without_stubs()
