"""The listening test in a browser, by keyboard alone; and what its server does not answer."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.train.listening import rehearsal
from tests.ui.conftest import PHONE
from train.listening_test.desk import RatingDesk
from train.listening_test.material import open_material
from train.listening_test.serve import serving
from train.listening_test.store import FILE, Store

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, RatingDesk]]:
    """A running test of three clips by two systems, two of them for each rater, and what is behind it."""
    root = rehearsal(tmp_path_factory.mktemp("test"), 3)
    desk = RatingDesk(open_material(root), Store(root / FILE), 2, 5)
    with serving(desk, -23.0) as url:
        yield url, desk


@pytest.fixture
def page(test: tuple[str, RatingDesk], browser: Any) -> Iterator[Any]:
    """A rater with a phone. Nothing may be asked of another host, be refused, or fail."""
    wrong: list[str] = []
    page = browser.new_context(base_url=test[0], **PHONE).new_page()
    page.set_default_timeout(60_000)
    page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    page.on("request", lambda asked: wrong.append(asked.url) if "127.0.0.1" not in urlsplit(asked.url).netloc else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto("/")
    yield page
    page.context.close()
    assert [one for one in wrong if not one.startswith(("data:", "blob:"))] == []


def test_a_rater_answers_by_keyboard_stops_and_goes_on(test: tuple[str, RatingDesk], page: Any) -> None:
    """Every question by keys; a rating without listening is refused; after a new start of the page it goes on."""
    _, desk = test
    page.locator("#code input, #code textarea").focus()
    page.keyboard.type("rater by keys")
    page.keyboard.press("Enter")
    card = page.locator(".lt-card")
    card.wait_for()
    assert not page.locator("#token").is_visible(), "what an answer carries along is not shown"
    page.keyboard.press("Enter")
    page.get_by_text("Choose a score first").wait_for()
    total = desk.enter("rater by keys").total
    for k in range(total):
        token = card.get_attribute("data-token")
        shown = page.locator("#test").inner_html()
        assert "madeby" not in shown and "reference" not in shown and "clip0" not in shown, "blind"
        if k == 3:
            page.reload()
            card.wait_for()
            assert card.get_attribute("data-token") == token
        page.wait_for_function("window.listeningTest.heard() > 0.95")
        if k == 1:
            page.wait_for_function("document.getElementById('lt-sound').ended")
            page.keyboard.press("Space")
            page.wait_for_function("!document.getElementById('lt-sound').ended")
        page.keyboard.press(str(1 + k % 5))
        page.keyboard.press("Enter")
        page.wait_for_function("(old) => document.querySelector('.lt-card')?.dataset.token !== old", arg=token)
    page.get_by_text("All your answers are saved").wait_for()
    assert [one.score for one in desk.store.ratings()] == [20 * (1 + k % 5) for k in range(total)]
    assert all(one.heard > 0.9 for one in desk.store.ratings())


def asked(url: str, method: str, path: str, body: bytes | None = None, host: str | None = None) -> tuple[int, bytes]:
    """Status and beginning of an answer; the path goes as it is."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.putrequest(method, path, skip_host=host is not None)
    if host is not None:
        connection.putheader("Host", host)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Content-Type", "application/json")
    connection.endheaders(body)
    answer = connection.getresponse()
    found = answer.status, answer.read(200)
    connection.close()
    return found


def test_only_the_page_and_sounds_by_token_are_served(test: tuple[str, RatingDesk]) -> None:
    url, desk = test
    standing = desk.enter("someone")
    assert standing.trial
    status, head = asked(url, "GET", f"/clip/{standing.trial.token}")
    assert status == 200 and head[:4] == b"RIFF"
    root = desk.material.root
    sound = root / "madeby" / "clip0.wav"
    for path in (
        f"/gradio_api/file={sound}", f"/file={sound}", f"/gradio_api/file={root / FILE}", "/gradio_api/file=README.md",
        "/clip/../madeby/clip0.wav", "/clip/..%2fours%2fclip0.wav", f"/clip/{sound}", "/clip/clip0", "/seen/clip2.png",
        "/static/../../../../etc/passwd", "/assets/..%2f..%2f..%2fetc/passwd", "/docs", "/openapi.json",
        f"/seen/{standing.trial.token}x", "/gradio_api/proxy=http://127.0.0.1/",
    ):  # fmt: skip
        status, head = asked(url, "GET", path)
        assert status in (403, 404) and b"RIFF" not in head and b"root:" not in head, path
    assert asked(url, "POST", "/gradio_api/upload", b"x")[0] == 404
    assert asked(url, "POST", "/gradio_api/queue/join", b"{" * 100_000)[0] == 413
    assert asked(url, "POST", "/gradio_api/queue/join")[0] == 413
    assert asked(url, "GET", "/", host="evil.example")[0] == 400


def test_an_event_that_no_page_sends_changes_nothing(test: tuple[str, RatingDesk]) -> None:
    """Wrong types and other people's tokens in a rating's event are refused, and the server goes on."""
    url, desk = test
    before = len(desk.store.ratings())
    _, config = asked(url, "GET", "/config")
    assert config
    for data in (
        [{"path": "/etc/passwd"}, "x", 60, 1],
        ["nobody", "x" * 1000, 60, 1],
        [None] * 4,
        [[], {}, "60", "inf"],
    ):
        for index in range(5):
            body = json.dumps({"data": data, "fn_index": index, "session_hash": "s", "trigger_id": 1}).encode()
            assert asked(url, "POST", "/gradio_api/queue/join", body)[0] < 500
    assert len(desk.store.ratings()) == before and asked(url, "GET", "/")[0] == 200
    assert Path(desk.store.path).is_file()
