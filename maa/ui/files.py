"""Files that come from the page and files that go to it."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from urllib.parse import quote

from gradio.utils import get_upload_folder, is_in_or_equal


def uploaded(value: object, what: str) -> Path:
    """The path of an upload as Gradio sends it: {"path": ..., ...}.

    Only files in Gradio's own upload folder are taken: a request can name any path, and must not read with it.

    Args:
        value: what the page or a program sent.
        what: the thing in the user's words, with its article: "a sound".

    Raises:
        ValueError: there is no file.
    """
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str) or not path:
        raise ValueError(f"Please give {what} first.")
    try:
        if is_in_or_equal(path, get_upload_folder()) and Path(path).is_file():
            return Path(path)
    except (OSError, ValueError):  # a name that no file can have
        pass
    raise ValueError(f"Please upload {what}; only uploaded files can be read.")


def result_path(task: str, seed: int, suffix: str) -> Path:
    """A new place for one result, inside the folder that Gradio serves and cleans up.

    The folder's random name is what keeps one visitor's results from another; the file's name never holds a prompt.
    """
    folder = shelf() / uuid.uuid4().hex
    folder.mkdir(parents=True)
    return folder / f"make-an-audio_{task}_{seed}{suffix}"


def shelf() -> Path:
    """The folder that holds a folder for every take."""
    return Path(get_upload_folder()) / "takes"


def folder_of(take: object) -> Path | None:
    """The folder of a take by its id, which is hard to guess and all that is needed to see it; None when it is gone."""
    if not isinstance(take, str) or not re.fullmatch(r"[0-9a-f]{32}", take):
        return None
    folder = shelf() / take
    return folder if folder.is_dir() else None


def url_of(path: Path) -> str:
    """Where the browser finds a file that Gradio serves, relative to the page."""
    return "gradio_api/file=" + quote(str(path))
