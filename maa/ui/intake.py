"""What may come in: the size of every request is looked at before anything of it is kept, and uploads need room."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import gradio as gr
from anyio import to_thread
from fastapi import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from maa.ui.faults import UNREADABLE, is_own, sorry
from maa.ui.shares import CAME, visitor_of
from maa.ui.storage import NO_ROOM, STORAGE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)
UPLOAD_MB = 100
MOST_UPLOAD = UPLOAD_MB * 2**20 + 2**16  # bytes of a request that uploads, with what stands around the file
MOST_BODY = 2**24  # bytes of any other request: a painted mask of 10 minutes has 5 MB, a file may come as a data: URI
MOST_VALUES = 100_000  # in such a request; each costs up to a hundred times the bytes that it is written in
TOO_LARGE = f"This request is too large; a file may have {UPLOAD_MB} MB."
TOO_MANY = f"This request is too large; it may hold {MOST_VALUES:,} values."


class TooLargeError(HTTPException):
    """More has come than may. FastAPI passes on what is of this kind, and hides any other error of a body."""

    def __init__(self, text: str) -> None:
        super().__init__(413, text)


class Intake:
    """Refuses requests that are too large, and uploads for which there is no room or no share left.

    Gradio's own limit holds for one file; a request may carry a thousand, and those to some routes wait in memory. What
    Gradio cannot read makes it raise; that becomes a refusal, too, and a line of the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        uploads = scope["method"] == "POST" and request.url.path.rstrip("/").endswith("/upload")
        most, size = MOST_UPLOAD if uploads else MOST_BODY, _declared(request)
        visitor, refusal = visitor_of(request), TOO_LARGE if size > most else None
        if uploads and refusal is None:
            refusal = await to_thread.run_sync(STORAGE.refusal, visitor, size)
        if refusal is not None:
            await _drain(receive, min(size, 2 * most))
            await PlainTextResponse(refusal, 413 if refusal == TOO_LARGE else 507)(scope, receive, send)
            return
        came, values, stage, state = 0, 0, "none", scope.setdefault("state", {})

        async def counted() -> Message:
            nonlocal came, values
            message = await receive()
            part = message.get("body", b"")
            came += len(part)
            state[CAME] = came
            values += 0 if uploads else sum(map(part.count, (b",", b"[", b"{")))
            if came > most or values > MOST_VALUES:
                raise TooLargeError(TOO_LARGE if came > most else TOO_MANY)
            return message

        async def sent(message: Message) -> None:
            nonlocal stage
            if message["type"] == "http.response.start":
                stage = "stream" if _is_stream(message) else "answer"
            elif not message.get("more_body"):
                stage = "done"
            await send(message)

        try:
            await self.app(scope, counted, sent)
        except Exception as error:
            if stage in ("answer", "done"):
                raise
            text, code = _refusal(error, request, uploads)
            if stage == "stream":  # which has said already what is wrong, as that a session is not known
                await send({"type": "http.response.body", "body": b""})
            else:
                await PlainTextResponse(text, code)(scope, receive, send)
        finally:
            if uploads:
                STORAGE.add(visitor, came)


def _refusal(error: Exception, request: Request, uploads: bool) -> tuple[str, int]:
    """What is answered where nothing of ours has been asked yet, and the HTTP status."""
    if isinstance(error, TooLargeError):
        return str(error.detail), 413
    if isinstance(error, ClientDisconnect):  # nobody is there to be told
        return UNREADABLE, 400
    if is_own(error):
        return (sorry(error), 500) if not uploads else (sorry(error) and NO_ROOM, 507)
    log.warning("%s %.60r could not be read: %s", request.method, request.url.path, type(error).__name__)
    log.debug("as follows", exc_info=error)
    return UNREADABLE, 400


def guard_inputs(page: gr.Blocks) -> None:
    """What Gradio refuses or cannot read of a job's inputs becomes a sentence, as our own checks' refusals do."""
    preprocess, process = page.preprocess_data, page.process_api

    async def guarded(*given: Any, **named: Any) -> Any:
        try:
            return await preprocess(*given, **named)
        except gr.Error:
            raise
        except Exception as error:
            log.debug("Inputs could not be read", exc_info=error)
            raise gr.Error(sorry(error) if is_own(error) else UNREADABLE, print_exception=False) from error

    async def known(block_fn: Any, *given: Any, **named: Any) -> Any:
        if (page.fns[block_fn] if isinstance(block_fn, int) else block_fn).fn is None:  # the browser's alone
            raise gr.Error(UNREADABLE, print_exception=False)
        return await process(block_fn, *given, **named)

    page.preprocess_data, page.process_api = guarded, known


def _is_stream(start: Message) -> bool:
    """Whether the answer that begins so goes on for as long as a job does."""
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in start["headers"])


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
