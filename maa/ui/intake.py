"""What may come in: the size of every request is looked at before anything of it is kept, and uploads need room."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from maa.ui.shares import visitor_of
from maa.ui.storage import NO_ROOM, STORAGE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)
UPLOAD_MB = 100
MOST_UPLOAD = UPLOAD_MB * 2**20 + 2**16  # bytes of a request that uploads, with what stands around the file
MOST_BODY = 2**24  # bytes of any other request; the largest that a page sends is a painted mask
TOO_LARGE = f"This request is too large; a file may have {UPLOAD_MB} MB."
NO_UPLOAD = "This upload cannot be read; send a file with its name."


class TooLargeError(Exception):
    """More has come than may."""


class Intake:
    """Refuses requests that are too large, and uploads for which there is no room or no share left.

    Gradio's own limit holds for one file; a request may carry a thousand, and those to some routes wait in memory.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        uploads = request.url.path.rstrip("/").endswith("/upload")
        most, declared = MOST_UPLOAD if uploads else MOST_BODY, _declared(request)
        visitor, refusal = visitor_of(request), TOO_LARGE if declared > most else None
        if uploads and refusal is None:
            refusal = await to_thread.run_sync(STORAGE.refusal, visitor, declared)
        if refusal is not None:
            await _drain(receive, min(declared, 2 * most))
            await PlainTextResponse(refusal, 413 if refusal == TOO_LARGE else 507)(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise TooLargeError
            return message

        try:
            await self.app(scope, counted, send)
        except TooLargeError:
            await PlainTextResponse(TOO_LARGE, 413)(scope, receive, send)
        except ClientDisconnect:
            pass  # nobody is there to be told
        except Exception as error:
            if not uploads:
                raise
            full = isinstance(error, OSError)
            log.log(logging.ERROR if full else logging.INFO, "An upload failed", exc_info=error)
            await PlainTextResponse(NO_ROOM if full else NO_UPLOAD, 507 if full else 400)(scope, receive, send)
        finally:
            if uploads:
                STORAGE.add(visitor, came)


def _declared(request: Request) -> int:
    """Bytes of the body as the request says it; 0 = it does not say."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isdecimal() and len(text) < 20 else 0


async def _drain(receive: Receive, most: int) -> None:
    """Read what is on its way, so that the sender gets to read the answer."""
    while most > 0:
        message = await receive()
        most -= len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return
