"""One server and one browser for all tests of the app."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from maa.config import TINY
from tests.sounds import sine_wave
from tests.ui.fakes import STEP_SECONDS, FakePipeline

if TYPE_CHECKING:
    from tests.ui.hand import Hand

DENSE = replace(TINY, unet=replace(TINY.unet, density=True))
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
FAILED = "Error executing js_on_load"  # what Gradio says of a component's script, which it catches
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3, "has_touch": True}


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files that a person might give: "sound" (2 s, 48 kHz stereo), "picture" and "clip" (1 s, without sound)."""
    return give_inputs(tmp_path_factory.mktemp("inputs"))


def give_inputs(folder: Path) -> dict[str, Path]:
    """Such files in a folder."""
    soundfile.write(folder / "sound.wav", sine_wave(1000, 2.0, 48_000, channels=2).T, 48_000, subtype="PCM_16")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)).save(folder / "photo.png")
    _clip(folder / "clip.mp4")
    return {"sound": folder / "sound.wav", "picture": folder / "photo.png", "clip": folder / "clip.mp4"}


def _clip(path: Path) -> None:
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(12):
            picture = np.full((48, 64, 3), 20 * level, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory, inputs: dict[str, Path]) -> Path:
    """An `assets` folder with three examples: one with a result, one without, one with a mask."""
    root = tmp_path_factory.mktemp("project")
    folder = root / "assets"
    (folder / "results").mkdir(parents=True)
    soundfile.write(folder / "results" / "rain.wav", sine_wave(300)[0], 16_000, subtype="PCM_16")
    (folder / "beep.wav").write_bytes(inputs["sound"].read_bytes())
    common = {"seed": 7, "steps": 9, "guidance": 2.5, "negative": "music", "t0": None, "boxes": None, "picture": None}
    rows = [
        {"task": "text", "prompt": "rain", "input": None, "result": "assets/results/rain.wav", **common},
        {"task": "text", "prompt": "wind", "input": None, "result": None, **common},
        {"task": "inpaint", "prompt": "", "input": "assets/beep.wav", "result": None, **common},
    ]
    rows[2]["boxes"] = [[0.5, 1.0, 0, 8000]]
    (folder / "examples.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def server(assets: Path) -> Iterator[tuple[str, FakePipeline]]:
    """The address of a running app, and the pipeline behind it."""
    from maa.ui import build, launch

    fake = FakePipeline(config=DENSE)
    page = build(fake, assets)  # type: ignore[arg-type]
    yield launch(page, assets=assets), fake
    page.close()


@pytest.fixture
def fake(server: tuple[str, FakePipeline]) -> Iterator[FakePipeline]:
    """The pipeline behind the app, at its usual speed again after the test."""
    yield server[1]
    server[1].step_seconds = STEP_SECONDS


@pytest.fixture
def base_url(server: tuple[str, FakePipeline]) -> str:
    """The address of the app."""
    return server[0]


class Visitor:
    """A page in a context of its own. Nothing may be asked of another host, and no script may fail."""

    def __init__(self, browser: Any, base_url: str, options: dict[str, Any] = DESKTOP) -> None:
        context = browser.new_context(base_url=base_url, accept_downloads=True, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base_url)
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("request", lambda asked: self.outside.append(asked.url) if _leaves(asked.url, base_url) else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.text.startswith(FAILED) else None)
        self.page.goto("/", wait_until="commit")

    def ready(self) -> Visitor:
        """The same, once the app can be used."""
        self.page.locator("#text-generate").wait_for(timeout=90_000)  # a busy machine takes its time for the first one
        self.page.wait_for_load_state(timeout=90_000)
        return self

    def __enter__(self) -> Any:
        return self.ready().page

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        self.page.context.close()
        if kind is None:
            assert self.outside == [], "the page asked other hosts"
            assert self.errors == [], "a script failed"


def _leaves(url: str, base_url: str) -> bool:
    return url.startswith(("http:", "https:", "ws:")) and not url.startswith(base_url)


class Door:
    """Lets visitors in: while a test looks after one, the page of the next one is loading."""

    def __init__(self, browser: Any, base_url: str) -> None:
        self._arrive = lambda: Visitor(browser, base_url)
        self.waiting = self._arrive()

    def __call__(self) -> Visitor:
        visitor, self.waiting = self.waiting.ready(), self._arrive()
        return visitor


@pytest.fixture(scope="session")
def door(browser: Any, server: tuple[str, FakePipeline]) -> Iterator[Door]:
    """Where the visitors of all tests come in."""
    door = Door(browser, server[0])
    yield door
    door.waiting.page.context.close()


@pytest.fixture
def page(door: Door) -> Iterator[Any]:
    """A fresh visitor at the app."""
    with door() as page:
        yield page


@pytest.fixture
def other(door: Door) -> Iterator[Any]:
    """Another fresh visitor, in a browser of their own."""
    with door() as page:
        yield page


@pytest.fixture
def phone(browser: Any, base_url: str) -> Iterator[Any]:
    """A visitor with a phone."""
    with Visitor(browser, base_url, PHONE) as page:
        yield page


@pytest.fixture(scope="module")
def seat(browser: Any, server: tuple[str, FakePipeline], inputs: dict[str, Path]) -> Iterator[Hand]:
    """One visitor in front of the painter for a whole module: opening the page takes longer than painting."""
    from tests.ui.hand import sit_down

    with Visitor(browser, server[0]) as page:
        yield sit_down(page, server[1], inputs["sound"])


@pytest.fixture
def hand(seat: Hand) -> Hand:
    """That visitor with an empty mask, everything in view and the box tool."""
    seat.act("Clear")
    seat.act("Whole sound")
    seat.choose("box")
    return seat
