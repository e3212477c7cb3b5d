"""What the README and the pages of docs/ say: links lead somewhere, commands parse, options and folders exist."""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

import app
import maa
from maa.audio import decode, sound
from maa.cli.arguments import parser
from maa.pipeline.seen import VIDEO_SECONDS
from maa.ui import serve
from maa.vision import video
from tests.test_house import FLOORS, MODULES, ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BESIDE = [ROOT / folder / "README.md" for folder in ("assets", "checkpoints", "checkpoints/small")]
OF_OTHERS = {"--mixed_precision", "--repo-type", "--exclude", "--local-dir"}  # accelerate's and hf's


@pytest.fixture(scope="module")
def readme() -> str:
    return PAGES[0].read_text(encoding="utf-8")


@pytest.fixture(params=PAGES, ids=lambda path: path.name)
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


def command(readme: str, mark: str) -> str:
    """The one line in the fenced block under `<!-- mark -->`."""
    found = re.search(rf"<!-- {mark} -->\n```bash\n(.+)\n```", readme)
    assert found, f"the README has no block marked {mark}"
    return found[1]


def block(text: str, heading: str, number: int = 0) -> list[str]:
    """The lines of a fenced block without a language, the `number`-th under a heading of the second level."""
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[number].splitlines()


def fenced(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The headings of a page as GitHub makes anchors of them."""
    prose = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def help_of(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What `python -m train.… --help` prints, without a process of its own."""
    module, *more = words
    monkeypatch.setattr(sys, "argv", [module, *more, "--help"])
    name = f"{module}.__main__" if f"{module}.__main__" in MODULES else module
    with pytest.raises(SystemExit) as end:
        importlib.import_module(name).main()
    assert not end.value.code
    return capsys.readouterr().out


def training_commands(text: str) -> list[list[str]]:
    """Every `python -m train.…` of a page, as words."""
    lines = re.findall(r"python -m (train\.[a-z][^`#\n]*)", text)
    return [shlex.split(line) for line in lines]


def test_readme_is_short_and_leads_to_every_page(readme: str) -> None:
    lines = readme.splitlines()
    assert len(lines) <= 260
    assert lines.index("## Layout") < len(lines) / 2
    assert [line for line in lines if line.startswith("## ")][-1].startswith("## To add")
    assert [path.name for path in PAGES[1:] if f"](docs/{path.name})" not in readme] == []


def test_ci_runs_the_readmes_test_command(readme: str) -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert f"{command(readme, 'test command')} || exit" in lines


def test_readme_run_command_installs_and_starts(readme: str) -> None:
    run = command(readme, "run command")
    assert run.endswith(".venv/bin/python app.py")
    assert "-r requirements.txt" in run


def test_front_matter_agrees_with_the_requirements(readme: str) -> None:
    matter = dict(line.split(": ", 1) for line in readme.split("---\n")[1].splitlines())
    floor = re.search(r"^gradio>=([\d.]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert floor
    assert matter["sdk_version"].startswith(floor[1])
    assert (ROOT / matter["app_file"]).is_file()
    assert len(matter["short_description"]) <= 60


def test_readme_names_every_folder(readme: str) -> None:
    """The layout is the tree: what it names is there, and no folder of the code is left out."""
    named, folder = set(), Path()
    for line in block(readme, "Layout"):
        name = line.split()[0]
        folder = folder if line.startswith(" ") else Path()
        named.add((folder / name).as_posix())
        folder = Path(name) if name.endswith("/") and not line.startswith(" ") else folder
    assert [name for name in named if not (ROOT / name).exists()] == []
    top = {ROOT / name for name in ("assets", "checkpoints", "docs", "maa", "train", "tests")}
    inside = {path.parent for part in ("maa", "train") for path in (ROOT / part).glob("*/__init__.py")}
    assert {path.relative_to(ROOT).as_posix() for path in top | inside} - named == set()


def test_readme_draws_the_floors(readme: str) -> None:
    drawn = {
        name.removesuffix(".py"): int(line[0])
        for line in block(readme, "Layout", 1)
        for name in line[1:].replace("|", " ").split()
    }
    assert drawn == {unit: floor for unit, floor in FLOORS.items() if unit != "maa.version"}


@pytest.mark.parametrize("page", [*PAGES, *BESIDE], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links and images exist, and anchors are headings of the page that they point into."""
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target))):
            wrong.append(link)
    assert wrong == []


def test_pages_name_only_files_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    paths = re.findall(r"`((?:maa|train|tests|docs|assets|\.ci)/[\w./-]*)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    modules = {words[0].rstrip(".,:;)") for words in training_commands(text)}
    modules |= set(re.findall(r"`(train\.[a-z_.]+[a-z])`", text))
    assert [name for name in modules if name not in MODULES] == []


def test_commands_are_found() -> None:
    """The patterns of this file see the commands that are there."""
    texts = [path.read_text(encoding="utf-8") for path in PAGES]
    assert sum(len(re.findall(r"^python -m maa ", text, re.MULTILINE)) for text in texts) >= 12
    assert sum(len(training_commands(text)) for text in texts) >= 20


def test_commands_parse(page: Path) -> None:
    """Every `python -m maa …` and `python app.py …` of a fenced block."""
    blocks = "".join(fenced(page.read_text(encoding="utf-8"), "bash"))
    for line in re.findall(r"^(?:\.venv/bin/)?python -m maa (.+)$", blocks, re.MULTILINE):
        parser().parse_args(shlex.split(line, comments=True))
    for line in re.findall(r"^(?:\.venv/bin/)?python app\.py (.+)$", blocks, re.MULTILINE):
        app.arguments(shlex.split(line, comments=True))


def test_python_of_the_pages_is_python(page: Path) -> None:
    for code in fenced(page.read_text(encoding="utf-8"), "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module == "maa":
                assert {alias.name for alias in node.names} <= set(maa.__all__)


def test_options_exist(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Training commands take the options that they are shown with; an option in running text is one of some command."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in PAGES}
    commands = [words for text in pages.values() for words in training_commands(text)]
    helps: dict[tuple[str, ...], str] = {}
    wrong = []
    for words in commands:
        part = [
            word
            for word in words[1:2]
            if f"{words[0]}.__main__" in MODULES and re.fullmatch("[a-z0-9][a-z0-9-]*", word)
        ]
        key = (words[0], *part)
        helps.setdefault(key, help_of([*key], monkeypatch, capsys))
        wrong += [f"{' '.join(words)}: {word}" for word in words if word[:2] == "--" and word not in helps[key]]
    assert wrong == []
    tools = {action for command in subcommands(parser()) for action in command._option_string_actions}
    with pytest.raises(SystemExit):
        app.arguments(["--help"])
    stages = ("train.autoencoder", "train.vocoder", "train.clap", "train.diffusion")
    known = [capsys.readouterr().out, *helps.values(), *(help_of([name], monkeypatch, capsys) for name in stages)]
    everything = tools | OF_OTHERS | set(re.findall(r"--[\w-]+", " ".join(known)))
    said = {(name, option) for name, text in pages.items() for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", text)}
    assert {(name, option) for name, option in said if option not in everything} == set()


def test_limits_are_those_of_the_server() -> None:
    """Rows of docs/serving.md whose numbers the code has as constants."""
    rows = dict(re.findall(r"^\| ([\w, ]+) \| (.+) \|$", (ROOT / "docs/serving.md").read_text(encoding="utf-8"), re.M))
    assert rows["decoding"] == f"{video.DECODE_SECONDS:g} s (video) or {decode.DECODE_SECONDS:g} s (sound)"
    assert rows["waiting jobs"].split(",")[0] == str(serve.QUEUE)
    assert rows["upload"].startswith(f"{serve.UPLOAD.removesuffix('mb')} MB, ")
    assert rows["upload"].endswith(f", {sound.MAX_SECONDS / 60:g} minutes of sound")
    assert rows["clip"] == f"{VIDEO_SECONDS:g} s"


def subcommands(top: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers of `python -m maa`."""
    return [one for action in top._actions if isinstance(action, argparse._SubParsersAction)
            for one in action.choices.values()]  # fmt: skip
