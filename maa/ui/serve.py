"""Serving the page: strict limits, nothing fetched from elsewhere, nothing reported to anyone."""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import gradio as gr
from gradio.utils import get_cache_folder
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from maa.ui.examples import ASSETS
from maa.ui.intake import UPLOAD_MB, Intake, guard_inputs
from maa.ui.outgo import Outgo
from maa.ui.reach import hand_out_only
from maa.ui.sessions import remember_little
from maa.ui.shares import share_out
from maa.ui.storage import limit
from maa.ui.theme import theme

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

UPLOAD = f"{UPLOAD_MB}mb"
QUEUE = 32  # requests that may wait in each line, half of them of one visitor; the next one is refused
SESSIONS = 250  # of the last visitors, which are remembered
THREADS = 16
STYLE = Path(__file__).parent / "web" / "page.css"
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Address:
    """Where to listen. Port None = the first free one from 7860."""

    host: str = "127.0.0.1"
    port: int | None = None


class HostCheck:
    """Answers only to requests that name one of `hosts`; others are told so and see nothing of it.

    A web page elsewhere can let a name of its own point to 127.0.0.1 (DNS rebinding) and then reads what this app
    serves, as if it were its own. The name in the request gives it away. What such a page may send without asking, an
    upload for one, is refused, too.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            named = [value.decode("latin-1") for key, value in scope["headers"] if key == b"host"]
            if len(named) != 1 or host_of(named[0]) not in self.hosts:
                text = "This app was started for this computer alone; MAA_HOSTS names other hosts that may ask."
                await PlainTextResponse(text, status_code=421)(scope, receive, send)
                return
            if scope.get("method") not in ("GET", "HEAD", "OPTIONS") and self._comes_from_elsewhere(scope["headers"]):
                text = "Another web page has sent this; this app was started for its own page and for programs."
                await PlainTextResponse(text, status_code=403)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _comes_from_elsewhere(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether the browser says so. Where it compares the sites itself it knows better than we do behind a proxy."""
        said = {key: value.decode("latin-1") for key, value in headers}
        if b"sec-fetch-site" in said:
            return said[b"sec-fetch-site"] == "cross-site"
        return b"origin" in said and host_of(said[b"origin"].rpartition("//")[2]) not in self.hosts


def host_of(header: str) -> str | None:
    """The name in a Host header, without its port; None where there is none."""
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def hosts_of(address: Address) -> set[str] | None:
    """The names that may be asked for; None = any, as a start for others must not know under which name it is found.

    A proxy in front of a local start hands the outer name on: `GRADIO_ROOT_PATH` or `MAA_HOSTS` (with commas) say it.
    """
    if address.host not in LOCAL or os.environ.get("SPACE_ID"):
        return None
    given = os.environ.get("MAA_HOSTS", "").split(",")
    outer = urlsplit(os.environ.get("GRADIO_ROOT_PATH", "")).hostname
    return {*LOCAL, *(name.strip().lower() for name in given if name.strip()), *([outer] if outer else [])}


def use_own_folder() -> None:
    """Uploads and results go into a folder of this user and this program, unless `GRADIO_TEMP_DIR` says where.

    Gradio's own choice is one folder for all its apps on a machine, and each of them serves all that lies in it.
    """
    if os.environ.get("GRADIO_TEMP_DIR"):
        return
    folder = Path(tempfile.gettempdir()).resolve() / f"make-an-audio-{getpass.getuser()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        mine = not folder.is_symlink() and (not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid())
    except OSError:
        mine = False
    os.environ["GRADIO_TEMP_DIR"] = str(folder) if mine else tempfile.mkdtemp(prefix="make-an-audio-")


@contextmanager
def _port_said(address: Address) -> Iterator[None]:
    """Say it in our words where Gradio finds no free port."""
    try:
        yield
    except OSError as error:
        if "empty port" not in str(error):
            raise
        raise ValueError(f"Port {address.port or 7860} is in use; choose another one.") from error


def launch(
    page: gr.Blocks,
    address: Address | None = None,
    *,
    assets: Path = ASSETS,
    private: tuple[Path, ...] = (),
    mcp: bool = False,
) -> str:
    """Serve a page from `build` in the background and return its URL; `page.block_thread()` waits for the end.

    Args:
        page: what to serve.
        address: where.
        assets: folder whose files every visitor may read.
        private: folders that no visitor may read, weights above all.
        mcp: offer the endpoints as tools of the Model Context Protocol, too; needs `gradio[mcp]`.

    Raises:
        ValueError: MCP is asked for and not installed, or the port is in use.
    """
    if mcp and find_spec("mcp") is None:
        raise ValueError("The Model Context Protocol needs an extra: pip install 'gradio[mcp]'.")
    address = address or Address()
    hosts = hosts_of(address)
    checks = [] if hosts is None else [Middleware(HostCheck, hosts=hosts)]
    limit()  # says at once where it cannot be read
    hidden = [*private, get_cache_folder().resolve()]  # of examples, which other apps of Gradio keep beside us
    hand_out_only(page)
    page.queue(max_size=QUEUE, default_concurrency_limit=4)
    share_out(page, QUEUE)
    guard_inputs(page)
    with _port_said(address):
        _, url, _ = page.launch(
            server_name=address.host,
            server_port=address.port,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            inbrowser=False,
            ssr_mode=False,
            show_error=False,
            strict_cors=True,
            enable_monitoring=False,
            run_history=False,
            mcp_server=mcp,
            pwa=False,
            max_file_size=UPLOAD,
            max_threads=THREADS,
            state_session_capacity=SESSIONS,
            allowed_paths=[str(assets)] if assets.is_dir() else [],
            blocked_paths=[str(folder) for folder in hidden],
            app_kwargs={"middleware": [*checks, Middleware(Intake), Middleware(Outgo)]},
            footer_links=["api", "settings"],
            theme=theme(),
            css_paths=[STYLE],
            _frontend=False,  # else Gradio looks at its page once more, and gives up on a busy machine after 3 s
        )
    remember_little(page)
    return url.rstrip("/")
