"""What every test may use. The environment is set before anything heavy is imported: offline, on the CPU."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from maa import MakeAnAudio

ROOT = Path(__file__).resolve().parent.parent
_SCRATCH = tempfile.TemporaryDirectory(prefix="maa-tests-")  # removed at exit

os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    GRADIO_TEMP_DIR=f"{_SCRATCH.name}/gradio",
    HF_HUB_OFFLINE="1",
    MAA_DEVICE="cpu",
    MPLCONFIGDIR=f"{_SCRATCH.name}/matplotlib",
)
# A worker of several has one core to itself (-n 2); alone, the tests have two.
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
# Threads that wait for each other sleep. On a machine with other work, OpenMP's busy waiting costs a hundredfold.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
for _name in ("MAA_MODEL", "MAA_CHECKPOINTS"):
    os.environ.pop(_name, None)


ARGUMENTS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-3d-apis",  # the painter must not need WebGL
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
]


def find_chromium() -> str | None:
    """The first Chromium-like browser on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


def _has_gpu() -> bool:
    from maa.device import available

    return available() != ["cpu"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need what this machine lacks are skipped with the reason; in CI a missing browser is an error."""
    if not os.environ.get("CI") and find_chromium() is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="needs Chromium"))
    on_gpu = [item for item in items if item.get_closest_marker("cuda")]
    if on_gpu and not _has_gpu():
        for item in on_gpu:
            item.add_marker(pytest.mark.skip(reason="needs a GPU"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser that the tests marked `browser` drive."""
    path = find_chromium()
    assert path is not None, "no Chromium here, and CI must not skip the browser tests"
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """Headless Chromium, one for all tests of a process."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)  # for busy machines
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tiny() -> MakeAnAudio:
    """The random model: every task in well under a second."""
    from maa import MakeAnAudio

    return MakeAnAudio.from_pretrained("tiny", device="cpu")


@pytest.fixture(scope="session")
def small() -> MakeAnAudio:
    """The shipped model."""
    from maa import MakeAnAudio

    folder = ROOT / "checkpoints" / "small"
    if not (folder / "config.json").is_file():
        pytest.skip("checkpoints/small is absent")
    return MakeAnAudio.from_pretrained(folder, device="cpu")


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
