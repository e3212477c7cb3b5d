"""Serving the page: strict limits, nothing fetched from elsewhere, nothing reported to anyone."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import gradio as gr

from maa.ui.examples import ASSETS
from maa.ui.theme import theme

UPLOAD = "100mb"
QUEUE = 32  # requests that may wait; the next one is refused
THREADS = 16
STYLE = Path(__file__).parent / "web" / "page.css"


@dataclass(frozen=True)
class Address:
    """Where to listen. Port None = the first free one from 7860."""

    host: str = "127.0.0.1"
    port: int | None = None


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
        ValueError: MCP is asked for and not installed.
    """
    if mcp and find_spec("mcp") is None:
        raise ValueError("The Model Context Protocol needs an extra: pip install 'gradio[mcp]'.")
    address = address or Address()
    page.queue(max_size=QUEUE, default_concurrency_limit=4)
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
        allowed_paths=[str(assets)] if assets.is_dir() else [],
        blocked_paths=[str(folder) for folder in private],
        footer_links=["api", "settings"],
        theme=theme(),
        css_paths=[STYLE],
    )
    return url.rstrip("/")
