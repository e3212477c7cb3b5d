"""Which files of the server an answer may hand out: what is offered, and what uploads and jobs have left."""

from __future__ import annotations

from pathlib import Path
from weakref import WeakSet

import gradio as gr
from gradio import processing_utils
from gradio.context import LocalContext
from gradio.exceptions import InvalidPathError
from gradio.utils import abspath, get_upload_folder, is_allowed_file

_pages: WeakSet[gr.Blocks] = WeakSet()
_usual = processing_utils._check_allowed


def hand_out_only(page: gr.Blocks) -> None:
    """Let the answers of a page name no files but those in its allowed paths and in Gradio's upload folder.

    Gradio alone would hand out anything in the working folder and in the system's temporary one, too. To block all that
    lies there one by one misses what comes later, and costs every request a look at each of the neighbours.
    """
    _pages.add(page)
    processing_utils._check_allowed = _checked


def _checked(path: str | Path, check_in_upload_folder: bool) -> None:
    """As Gradio calls it for every file of a request (which lies in the upload folder) and of an answer.

    Raises:
        InvalidPathError: the file is out of reach.
    """
    page = LocalContext.blocks.get(None)
    if page not in _pages:
        _usual(path, check_in_upload_folder)
        return
    offered = [] if check_in_upload_folder else page.allowed_paths
    allowed, _ = is_allowed_file(abspath(path), page.blocked_paths, offered, [get_upload_folder()])
    if not allowed:
        raise InvalidPathError("This file is neither offered here nor was it uploaded or made here.")
