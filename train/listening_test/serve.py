"""Serving the page: only what it needs is answered, and sounds are found by their tokens."""

from __future__ import annotations

import contextlib
import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from train.listening_test.blind import Blind
from train.listening_test.desk import RatingDesk
from train.listening_test.page import HERE, build

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)
LOCAL = ("localhost", "127.0.0.1", "::1")
BODY = 2**16  # bytes of a request; a rating has some hundred
QUEUE = 256  # requests that may wait
HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
# What a page of Gradio asks for. Its other routes, those that take and give files above all, are not there.
ANSWERED = ("/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json")
BELOW = (
    "/assets/", "/static/", "/svelte/", "/clip/", "/seen/", "/gradio_api/queue/", "/gradio_api/heartbeat/",
    "/gradio_api/theme.css", "/gradio_api/app_id", "/gradio_api/startup-events", "/gradio_api/info",
)  # fmt: skip


class OnlyThePage:
    """Answers to what the page asks for, in small requests; everything else is not found."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path, sizes = scope["path"], [value for key, value in scope["headers"] if key == b"content-length"]
            if not (path in ANSWERED or path.startswith(BELOW)) or ".." in path:
                await PlainTextResponse("not found", 404)(scope, receive, send)
                return
            declared = sizes[0] if scope["method"] == "POST" and sizes else b"0"
            unsaid = scope["method"] == "POST" and not sizes
            if unsaid or not declared.isdigit() or int(declared) > BODY:
                await PlainTextResponse("too large", 413)(scope, receive, send)
                return
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except Exception:
            if begun or scope["type"] != "http":
                raise
            log.warning("a request that Gradio could not read", exc_info=True)
            await PlainTextResponse("not understood", 400)(scope, receive, send)


def routes(desk: RatingDesk, blind: Blind) -> list[Route]:
    """/clip/<token> and /seen/<token>: the sound and the picture of a question."""

    async def clip(request: Request) -> Response:
        trial = await run_in_threadpool(desk.store.trial, request.path_params["token"])
        path = None if trial is None else await run_in_threadpool(blind.file, trial)
        return _file(path, "audio/wav")

    async def seen(request: Request) -> Response:
        trial = await run_in_threadpool(desk.store.trial, request.path_params["token"])
        return _file(None if trial is None else desk.material.pictures.get(trial.clip))

    return [Route("/clip/{token}", clip), Route("/seen/{token}", seen)]


def _file(path: Path | None, kind: str | None = None) -> Response:
    if path is None or not path.is_file():
        return PlainTextResponse("not found", 404)
    return FileResponse(path, media_type=kind, headers=HEADERS)


@contextmanager
def serving(
    desk: RatingDesk, loudness: float | None, host: str = "127.0.0.1", port: int | None = None
) -> Iterator[str]:
    """The address of the running test; it ends with the block.

    Raises:
        ValueError: a sound cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="listening-test-") as folder:
        blind = Blind(desk.material, Path(folder), loudness)
        blind.check()
        checks = [Middleware(OnlyThePage)]
        if host in LOCAL:  # a page elsewhere can let a name of its own lead here (DNS rebinding)
            checks.insert(0, Middleware(TrustedHostMiddleware, allowed_hosts=list(LOCAL)))
        page = build(desk).queue(max_size=QUEUE, default_concurrency_limit=8)
        hidden = [str(Path.cwd()), str(desk.material.root.resolve()), tempfile.gettempdir()]
        _, url, _ = page.launch(
            server_name=host,
            server_port=port,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            inbrowser=False,
            ssr_mode=False,
            show_error=False,
            strict_cors=True,
            enable_monitoring=False,
            run_history=False,
            pwa=False,
            max_file_size=0,
            blocked_paths=hidden,
            footer_links=[],
            app_kwargs={"middleware": checks, "routes": routes(desk, blind)},
            theme=rater_theme(),
            css_paths=[HERE / "page.css"],
            head=f"<script>{(HERE / 'page.js').read_text(encoding='utf-8')}</script>",
        )
        try:
            yield url.rstrip("/")
        finally:
            with contextlib.suppress(OSError):
                page.close(verbose=False)


def rater_theme() -> gr.themes.Base:
    """Quiet, with the system's own fonts: nothing is fetched from elsewhere."""
    font = ["system-ui", "sans-serif"]
    return gr.themes.Base(
        primary_hue="teal", neutral_hue="slate", font=font, font_mono=["ui-monospace", "monospace"]
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
        input_border_width="1px",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_text_color="white",
        color_accent="*primary_600",
        button_large_padding="12px 18px",
    )


def described_test(url: str, desk: RatingDesk) -> str:
    """What is served where, for the person who started it."""
    systems = json.dumps(sorted(desk.material.sounds))
    raters, given, answered = desk.store.counts()
    return (
        f"{len(desk.material.clips)} clips by {systems} at {url}; answers go to {desk.store.path}.\n"
        f"So far {raters} raters, {answered} of {given} answers. Ctrl-C ends."
    )
