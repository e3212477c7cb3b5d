"""What goes out: pages are sent compressed, and browsers keep what never changes.

Gradio compresses files by the ending of their names, and its page, in which all components lie with their scripts, has
none: 1.8 MB, of which brotli leaves 0.1. And it lets browsers ask again for every script, each time the page is opened.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import brotli
from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

WORTH = 2_000, 2**24  # bytes of a page that is compressed
KINDS = ("text/html", "application/json")
BROTLI, GZIP = 5, 6  # quality; more takes longer than it saves
FOR_GOOD = "public, max-age=31536000, immutable"  # names of Gradio's scripts and styles change with what is in them
FOR_A_WEEK = "public, max-age=604800"


class Outgo:
    """Compresses pages for those who can read that, and says how long an answer may be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        encoding, keep = _encoding(Headers(scope=scope)), _keep(scope["path"])
        start: Message | None = None  # held back while its page is collected
        body = b""

        async def sent(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if keep and message["status"] == 200:
                    headers["Cache-Control"] = keep
                if encoding and message["status"] == 200 and _is_page(headers):
                    start = message
                    return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            small = await to_thread.run_sync(_compressed, body, encoding)
            headers = MutableHeaders(scope=start)
            headers["Content-Encoding"], headers["Content-Length"] = encoding, str(len(small))
            headers.add_vary_header("Accept-Encoding")
            await send(start)
            await send({"type": "http.response.body", "body": small})

        await self.app(scope, receive, sent)


def _encoding(headers: Headers) -> str:
    """The best one that the browser reads; "" = none."""
    told = {part.partition(";")[0].strip() for part in headers.get("Accept-Encoding", "").lower().split(",")}
    return "br" if "br" in told else "gzip" if "gzip" in told else ""


def _keep(path: str) -> str:
    """How long browsers may keep what lies there without asking; "" = that is left to Gradio."""
    if path.startswith("/assets/"):
        return FOR_GOOD
    return FOR_A_WEEK if path.startswith("/static/") else ""


def _is_page(headers: MutableHeaders) -> bool:
    """Whether an answer is worth to be compressed, and not so already. Streams do not say their length."""
    length = headers.get("Content-Length", "")
    known = length.isdecimal() and WORTH[0] <= int(length) <= WORTH[1]
    return known and headers.get("Content-Type", "").startswith(KINDS) and "Content-Encoding" not in headers


def _compressed(body: bytes, encoding: str) -> bytes:
    if encoding == "br":
        return brotli.compress(body, mode=brotli.MODE_TEXT, quality=BROTLI)
    return gzip.compress(body, GZIP, mtime=0)
