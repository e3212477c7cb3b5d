"""Files that come from the page and files that go to it."""

from __future__ import annotations

import re
import shutil
import time
import uuid
from pathlib import Path
from urllib.parse import quote

from gradio.utils import get_upload_folder, is_in_or_equal

SPARE = 2**29  # bytes that stay free on the disk, for jobs that are on their way
NO_ROOM = "The server's disk is nearly full. Please try again later; what is kept goes after a day."


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
    if not is_in_or_equal(path, get_upload_folder()) or not Path(path).is_file():
        raise ValueError(f"Please upload {what}; only uploaded files can be read.")
    return Path(path)


def result_path(task: str, seed: int, suffix: str) -> Path:
    """A new place for one result, inside the folder that Gradio serves and cleans up.

    The folder's random name is what keeps one visitor's results from another; the file's name never holds a prompt.
    """
    folder = shelf() / uuid.uuid4().hex
    folder.mkdir(parents=True)
    return folder / f"make-an-audio_{task}_{seed}{suffix}"


def room_for(size: int) -> bool:
    """Whether the disk of uploads and results has `size` bytes to spare."""
    shelf().mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(shelf()).free > size + SPARE


def shelf() -> Path:
    """The folder that holds a folder for every take."""
    return Path(get_upload_folder()) / "takes"


def folder_of(take: object) -> Path | None:
    """The folder of a take by its id, which is hard to guess and all that is needed to see it; None when it is gone."""
    if not isinstance(take, str) or not re.fullmatch(r"[0-9a-f]{32}", take):
        return None
    folder = shelf() / take
    return folder if folder.is_dir() else None


def sweep(age: float) -> None:
    """Delete the takes that are older than `age` seconds."""
    for folder in shelf().glob("*"):
        try:
            if folder.is_dir() and time.time() - folder.stat().st_mtime > age:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # another sweep was quicker


def url_of(path: Path) -> str:
    """Where the browser finds a file that Gradio serves, relative to the page."""
    return "gradio_api/file=" + quote(str(path))
