"""Whose fault an error is: the visitor's is told to them in a sentence, the server's own goes into the log."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator

import gradio as gr

from maa.ui.storage import upload_root

log = logging.getLogger(__name__)
SORRY = "Something went wrong on the server, and its log says what. Please try again."
UNREADABLE = "This request cannot be read; files have to be uploaded, and every value must be of its kind."
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}  # nothing that a visitor sends has these
_MACHINE = {errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE}


def told(error: Exception) -> gr.Error:
    """The error as a message to the visitor. What was not their mistake goes into the log instead."""
    if isinstance(error, ValueError) and not is_own(error):
        return gr.Error(without_paths(str(error)), print_exception=False)
    return gr.Error(sorry(error), print_exception=False)


def sorry(error: Exception) -> str:
    """Write an error of ours into the log; the sentence that the visitor reads instead."""
    log.error("A request failed", exc_info=error)
    return SORRY


def is_own(error: BaseException) -> bool:
    """Whether an error comes from the server's own disk or limits, whatever it was made into on its way.

    FFmpeg has the machine's numbers for damaged files, too; those of a full disk it has for a full disk alone.
    """
    for one in _chain(error):
        if isinstance(one, OSError):
            foreign = type(one).__module__.partition(".")[0] == "av"
            if one.errno in (_DISK if foreign else _DISK | _MACHINE):
                return True
    return False


def without_paths(text: str) -> str:
    """A message in which the files of the server are called by their names alone."""
    return re.sub(re.escape(str(upload_root())) + r"(/[^/'\"\s]+)*/", "", text)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and what it came from."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        yield current
        current = current.__cause__ or current.__context__
