"""What every test may use. The environment is set before anything heavy is imported: offline, on the CPU."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.here import ARGUMENTS, ROOT, find_chromium, settle

if TYPE_CHECKING:
    from maa import MakeAnAudio

_SCRATCH = tempfile.TemporaryDirectory(prefix="maa-tests-")  # removed at exit

settle()
os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    GRADIO_TEMP_DIR=f"{_SCRATCH.name}/gradio",
    MPLCONFIGDIR=f"{_SCRATCH.name}/matplotlib",
)


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
