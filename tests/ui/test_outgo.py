"""What the page costs on its way: compressed where it can be read so, and not asked for twice."""

from __future__ import annotations

import asyncio
import gzip
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import brotli
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route

from maa.ui.outgo import FOR_A_WEEK, FOR_GOOD, Outgo

LONG = "<p>ä long page</p>" * 1_000


async def page(request: Any) -> HTMLResponse:
    return HTMLResponse(LONG)


async def gone(request: Any) -> HTMLResponse:
    return HTMLResponse(LONG, 404)


async def facts(request: Any) -> JSONResponse:
    return JSONResponse({"text": LONG})


async def short(request: Any) -> JSONResponse:
    return JSONResponse({"text": "short"})


async def stream(request: Any) -> StreamingResponse:
    return StreamingResponse((f"data: {LONG}\n\n" for _ in range(2)), media_type="text/event-stream")


async def packed(request: Any) -> HTMLResponse:
    return HTMLResponse(gzip.compress(b"x" * 100_000, 0), headers={"Content-Encoding": "gzip"})


ROUTES = {"/": page, "/gone": gone, "/config": facts, "/short": short, "/stream": stream, "/packed": packed,
          "/assets/a.js": page, "/static/a.woff2": short, "/assets/gone": gone}  # fmt: skip


def ask(path: str, encoding: str = "gzip, deflate, br", method: str = "GET") -> tuple[httpx.Headers, bytes]:
    """The headers and the bytes of an answer as they travel."""

    async def asked() -> tuple[httpx.Response, bytes]:
        app = Outgo(Starlette(routes=[Route(name, serve, methods=["GET", "POST"]) for name, serve in ROUTES.items()]))
        way = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")
        async with way as client, client.stream(method, path, headers={"Accept-Encoding": encoding}) as answer:
            return answer, b"".join([part async for part in answer.aiter_raw()])

    with ThreadPoolExecutor(1) as apart:  # a browser of other tests may keep a loop in this thread
        answer, raw = apart.submit(asyncio.run, asked()).result()
    assert answer.status_code == (404 if path.endswith("gone") else 200)
    return answer.headers, raw


@pytest.mark.parametrize(("encoding", "named"), [("gzip, deflate, br, zstd", "br"), ("gzip;q=0.5, x", "gzip")])
def test_a_page_is_compressed(encoding: str, named: str) -> None:
    read = {"br": brotli.decompress, "gzip": gzip.decompress}[named]
    for path in ("/", "/config"):
        headers, raw = ask(path, encoding)
        assert (headers["content-encoding"], headers["vary"]) == (named, "Accept-Encoding")
        assert headers["content-length"] == str(len(raw)) and len(raw) < len(LONG) / 20
        assert LONG in read(raw).decode()


def test_what_cannot_be_or_is_not_worth_it_stays_as_it_is() -> None:
    for path, encoding in (("/", ""), ("/", "identity"), ("/gone", "br"), ("/short", "br"), ("/stream", "br")):
        headers, raw = ask(path, encoding)
        assert "content-encoding" not in headers and len(raw) > 10, path
    assert "content-encoding" not in ask("/", "br", "POST")[0]
    assert gzip.decompress(ask("/packed")[1]) == b"x" * 100_000


def test_what_never_changes_is_kept() -> None:
    kept = {path: ask(path)[0].get("cache-control") for path in ROUTES}
    assert kept.pop("/assets/a.js") == FOR_GOOD and kept.pop("/static/a.woff2") == FOR_A_WEEK
    assert set(kept.values()) == {None}


@pytest.mark.browser
def test_opening_the_page_costs_little_and_again_next_to_nothing(browser: Any, base_url: str) -> None:
    """It was 2.3 MB until the page could be used, and 1.8 MB when it was opened again."""
    context = browser.new_context(base_url=base_url)
    bytes_of = []
    for _ in range(2):
        page, came = context.new_page(), list[float]()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda event, came=came: came.append(event["encodedDataLength"]))
        page.goto("/", wait_until="commit")
        page.locator("#text-generate").wait_for(timeout=90_000)
        bytes_of.append(sum(came))
        page.wait_for_load_state(timeout=90_000)
    context.close()
    assert 200_000 < bytes_of[0] < 900_000 and 20_000 < bytes_of[1] < 250_000, bytes_of
