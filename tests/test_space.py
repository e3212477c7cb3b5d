"""The app as a Space: the README's front matter, and a start in a container's environment that ends without a trace."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import space
from tests.space import ROOT

LISTS = ("README.md", "requirements.txt", "pre-requirements.txt", "packages.txt", "app.py")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in LISTS:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "maa").mkdir()
    return tmp_path


def test_this_folder_is_a_space_that_needs_no_secret() -> None:
    assert space.problems(ROOT) == []
    assert "MAA_MODEL" in space.environment_read(ROOT)


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("README.md", 'python_version: "3.12"', "python_version: 3.12", "written as a text"),
        ("README.md", 'python_version: "3.12"', 'python_version: "3.9"', "none of the README's"),
        ("README.md", "sdk_version: 6.31.0", "sdk_version: 7.0.0", "does not fit"),
        ("README.md", "sdk: gradio", "sdk: docker", "sdk is docker"),
        ("README.md", "app_file: app.py", "app_file: main.py", "there is no main.py"),
        ("README.md", "colorTo: green", "colorTo: teal", "no colour"),
        ("README.md", "zero-a10g", "zero-a10000", "no hardware"),
        ("README.md", "license: mit\n", "", "lacks license"),
        ("README.md", "title: Make-An-Audio", "title: [", "lacks title"),
        ("pre-requirements.txt", "torch==2.11.0", "torch==2.1.0", "which requirements.txt refuses"),
        ("packages.txt", "libgl1", "libgl1;", "no Debian package"),
        ("app.py", 'environ.get("MAA_MODEL")', 'environ.get("HF_TOKEN")', "HF_TOKEN is read, which is a secret"),
    ],
)
def test_what_would_be_wrong_is_named(copy: Path, file: str, old: str, new: str, problem: str) -> None:
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(problem in one for one in space.problems(copy)), space.problems(copy)


@pytest.mark.slow
def test_a_start_as_in_a_container(tmp_path: Path) -> None:
    """The page comes, a sound is made on a lent GPU, no other host is asked, and Ctrl-C twice ends it in silence."""
    env = space.environment(tmp_path, free_port(), zero=True)
    with space.running(Path(sys.executable), ROOT, env, "--model", "tiny") as (process, url):
        space.usable(process, url)
        space.sound(url, steps=1, seconds=0.5)
        said = space.ended(process)
    assert space.outside(env) == [] and "Traceback" not in said and process.returncode in (0, 130)


def test_ctrl_c_while_it_starts(tmp_path: Path) -> None:
    env = {**space.environment(tmp_path, free_port(), zero=False), "PYTHONPROFILEIMPORTTIME": "1"}
    command = [sys.executable, "app.py", "--model", "tiny"]
    with subprocess.Popen(command, cwd=ROOT, env=env, text=True, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        seen = ""
        for line in process.stderr:
            seen += line
            if "numpy" in line:  # in the middle of the imports
                break
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        seen += process.stderr.read()
        assert process.wait(20) == 130
    assert "Traceback" not in seen and "KeyboardInterrupt" not in seen
