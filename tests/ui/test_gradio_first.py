"""Gradio is imported without writing stubs of its components, and as it is wherever that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.here import ROOT

BEFORE = ROOT / "maa" / "ui" / "gradio_first.py"
WRITES = "def create_or_modify_pyi(*names): print('stub')"


def said(folder: Path, code: str) -> str:
    """What a program prints that finds another `gradio` in a folder."""
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", f"import runpy\n{code}"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("inside", "stubs"),
    [
        (WRITES, ""),
        (f"import gradio\ngradio.Blocks\n{WRITES}", "stub"),  # an empty package is not enough for it
        ("from gradio import Blocks\n" + WRITES, "stub"),
        ("def create_or_modify_pyi_files(*names): print('stub')", "stub"),
    ],
)
@pytest.mark.parametrize("already", [False, True])
def test_whatever_gradio_is_it_can_be_imported(tmp_path: Path, inside: str, stubs: str, already: bool) -> None:
    package = tmp_path / "gradio"
    package.mkdir()
    name = "create_or_modify_pyi_files" if "files" in inside else "create_or_modify_pyi"
    (package / "__init__.py").write_text(
        f"Blocks = 1\nfrom gradio import component_meta\ncomponent_meta.{name}('Blocks')"
    )
    (package / "component_meta.py").write_text(inside)
    first = "import gradio\n" if already else ""
    code = (
        f"{first}runpy.run_path({str(BEFORE)!r})\nimport gradio\nprint(gradio.Blocks, gradio.component_meta.__name__)"
    )
    assert said(tmp_path, code).split() == [*(["stub"] if already else stubs.split()), "1", "gradio.component_meta"]


def test_no_stub_is_written_beside_our_own_components() -> None:
    code = "import maa.ui, gradio.component_meta as meta\nprint(meta.create_or_modify_pyi.__module__)"
    assert said(ROOT, code).strip() == "maa.ui.gradio_first"
