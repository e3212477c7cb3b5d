"""The house rules: floors, light imports and sizes. What the README and docs/ promise is in test_pages.py."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import maa

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "maa.version": 0, "maa.config": 0, "maa.device": 0, "maa.dsp": 0, "maa.foreign": 0, "maa.timeline": 0,
    "maa.starting": 0,
    "maa.aside": 0,
    "maa.folders": 0,
    "maa.audio": 1, "maa.vision": 1, "maa.models": 1, "maa.diffusion": 1, "maa.hub": 1,
    "maa.checkpoint": 2,
    "maa.pipeline": 3, "maa.official": 3,
    "maa.ui": 4, "maa.cli": 4, "train": 4,
    "maa.__main__": 5, "app": 5,
}  # fmt: skip
TOP_LEVEL = [
    "app.py", "requirements.txt", "requirements-dev.txt", "pre-requirements.txt", "packages.txt", "pyproject.toml",
    "LICENSE", "README.md", ".gitignore", ".ci/run", "assets", "checkpoints/README.md",
]  # fmt: skip


def sources() -> list[Path]:
    """Every Python file of the program, without the tests."""
    return [*ROOT.glob("*.py"), *sorted((ROOT / "maa").rglob("*.py")), *sorted((ROOT / "train").rglob("*.py"))]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in sources()}


def home(name: str) -> str | None:
    """The module that an imported name of ours lives in; names exported by `maa` itself live where they are defined."""
    if name.startswith("maa.") and name.removeprefix("maa.") in maa.__all__:
        return maa._HOMES.get(name.removeprefix("maa."), "maa.version")
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None


def imports(module: str) -> Iterator[tuple[int, str]]:
    """(line, module of ours) for every import in a module, those inside functions included."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        for name in names:
            target = home(name)
            if target is not None and target != module:
                yield getattr(node, "lineno", 0), target


def unit_of(module: str) -> str | None:
    return next((unit for unit in FLOORS if module == unit or module.startswith(f"{unit}.")), None)


def test_every_module_stands_on_a_floor() -> None:
    assert [module for module in MODULES if module != "maa" and unit_of(module) is None] == []


def test_imports_only_go_down() -> None:
    wrong = []
    for module in MODULES:
        here = unit_of(module)
        for line, target in imports(module) if here else ():
            there = unit_of(target)
            if there != here and (there is None or FLOORS[there] >= FLOORS[here]):
                wrong.append(f"{MODULES[module].relative_to(ROOT)}:{line} {module} -> {target}")
    assert wrong == []


# Where imports of our own stand inside functions, and why; everywhere else they stand at the top.
INSIDE = {
    "app": "the page's environment has to be set before Gradio is imported",
    "maa.audio.io": "PyAV only for what libsndfile cannot read",
    "maa.cli.tasks": "a mistake on the command line is told before PyTorch is there",
    "maa.pipeline.clip": "`from maa import MakeAnAudio` does without OpenCV and PyAV",
    "maa.pipeline.conditioning": "as above",
    "maa.pipeline.seen": "as above",
    "maa.pipeline.options": "`python -m maa --help` does without NumPy",
    "maa.pipeline.shaping": "as above",
    "maa.ui.views": "the page is served before PyTorch is there",
}


def test_imports_inside_functions_have_a_reason() -> None:
    found = set()
    for module, path in MODULES.items():
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = (node for node in ast.walk(function) if isinstance(node, ast.ImportFrom))
                if any((node.module or "").split(".")[0] in ("maa", "train") for node in inner):
                    found.add(module)
    assert found == set(INSIDE)


def test_no_import_cycles() -> None:
    graph = {module: {target for _, target in imports(module)} for module in MODULES if module != "maa"}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import maa", ("torch", "gradio", "transformers", "cv2", "numpy")),
        ("from maa.cli import main", ("torch", "gradio", "transformers", "cv2", "numpy")),
        (
            "from app import promised\nfrom maa.ui import build\nbuild(promised('small', None)[0])",
            ("torch", "transformers", "matplotlib", "cv2"),
        ),
        ("import maa.diffusion.samplers", ("torch",)),
        ("import maa.diffusion", ("maa.models", "maa.checkpoint", "transformers", "gradio")),
        ("from maa import MakeAnAudio", ("gradio", "cv2", "open_clip", "matplotlib", "train")),
        (
            "from maa import MakeAnAudio, Sampling\n"
            "MakeAnAudio.from_pretrained().text_to_audio('a dog barks', Sampling(2), seconds=1)",
            ("transformers", "timm", "torchvision", "torch._dynamo", "sympy", "scipy", "PIL", "matplotlib"),
        ),
    ],
)
def test_imports_are_light(statement: str, unwanted: tuple[str, ...]) -> None:
    code = f"{statement}\nimport sys\nprint(*[name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_diffusion_knows_no_network() -> None:
    reached, todo = set(), [module for module in MODULES if module.startswith("maa.diffusion")]
    while todo:
        module = todo.pop()
        if module not in reached:
            reached.add(module)
            todo += [target for _, target in imports(module)]
    allowed = ("maa.diffusion", "maa.config", "maa.device")
    assert [module for module in reached if not module.startswith(allowed)] == []


def test_every_public_name_resolves() -> None:
    assert [name for name in maa.__all__ if getattr(maa, name, None) is None] == []
    assert set(maa.__all__) <= set(dir(maa))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = maa.Nothing


# ---------------------------------------------------------------- sizes and habits


def texts() -> list[Path]:
    """Everything a person reads as code."""
    kinds = {".py", ".js", ".css", ".html", ".sh"}
    inside = [path for top in ("maa", "train", "tests") for path in (ROOT / top).rglob("*")]
    return [path for path in [*ROOT.glob("*.py"), *inside] if path.suffix in kinds]


def test_no_file_is_longer_than_350_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in texts()}
    assert {name: lines for name, lines in lengths.items() if lines > 350} == {}


def test_habits() -> None:
    """Short functions, few parameters, no escape hatches, and accelerators named in one file only."""
    wrong = []
    banned = {"strict": False, "shell": True, "weights_only": False}
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                named = [argument for argument in every if argument.arg not in ("self", "cls", "on_step")]
                wrong += [f"{where} {node.name} has {lines} lines"] if lines > 60 else []
                most = 9 if module == "maa.pipeline.pipeline" else 8  # the door says all that may be asked, by name
                wrong += [f"{where} {node.name} has {len(named)} parameters"] if len(named) > most else []
            elif isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id == "zip"):
                for word in node.keywords:
                    if isinstance(word.value, ast.Constant) and word.value.value is banned.get(word.arg or "", ...):
                        wrong.append(f"{where} {word.arg}={word.value.value}")
            elif isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path":
                wrong.append(f"{where} sys.path")
            elif isinstance(node, ast.Constant) and node.value == "cuda" and module != "maa.device":
                wrong.append(f"{where} names an accelerator")
    assert wrong == []


def test_top_level_files_exist() -> None:
    assert [name for name in TOP_LEVEL if not (ROOT / name).exists()] == []
