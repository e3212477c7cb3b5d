"""Jobs that outlive a page's connection: a page that is loaded anew finds its job again, running or done.

A page hears the news of its job through a stream. When that breaks (a reload, a lost line), the job goes on for a
while; whoever comes back with its key hears the rest. Nobody else can know the key, and where nobody comes, the job is
stopped.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from contextvars import copy_context
from typing import Any

News = dict[Any, Any]  # what changed, by what it changed in
AWAY = 20.0  # seconds that a job goes on while nobody listens
ENDED = 3600.0  # seconds that the end of a job is told
MOST = 200  # jobs that are remembered
LONELY = 4  # jobs that go on while nobody listens
BEAT = 0.25  # seconds between two looks whether somebody still listens


class Errand:
    """One job, in a thread of its own.

    Args:
        news: does the work; what it yields replaces what it said before, key by key. Closing it stops the work.
    """

    def __init__(self, news: Generator[News, None, None]) -> None:
        self.left = time.monotonic()  # when the last listener went, or the end
        self.over = False
        self._news = news
        self._state: News = {}
        self._fresh: News = {}  # not told yet
        self._error: BaseException | None = None
        self._listener = 0  # the number of the one who listens; 0 = nobody does
        self._listeners = 0  # so far
        self._stopped = False
        self._changed = threading.Condition()
        threading.Thread(target=copy_context().run, args=(self._run,), name="maa-errand", daemon=True).start()

    @property
    def lonely(self) -> bool:
        """Whether it goes on and nobody listens."""
        return not self.over and not self._listener

    @property
    def stopped(self) -> bool:
        """Whether it was stopped, by a person or because nobody came back."""
        return self._stopped

    def stop(self) -> None:
        """End the work within a step."""
        self._stopped = True

    def listen(self) -> Iterator[News]:
        """Everything that was said so far as one piece, then what is new, until the end; what failed is raised.

        Only the last one who came hears more: a page that was loaded anew takes the place of the one before.
        """
        with self._changed:
            self._listeners += 1
            mine = self._listener = self._listeners
            self._fresh = dict(self._state)
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._fresh or self.over or self._listener != mine, BEAT)
                    if self._listener != mine:
                        return
                    fresh, self._fresh, over = self._fresh, {}, self.over
                if fresh:
                    yield fresh
                elif over:
                    break
            if self._error is not None:
                raise self._error
        finally:
            with self._changed:
                if self._listener == mine:
                    self._listener, self.left = 0, time.monotonic()

    def _run(self) -> None:
        try:
            for news in self._news:
                with self._changed:
                    self._state |= news
                    self._fresh |= news
                    self._changed.notify_all()
                    alone = not self._listener and time.monotonic() - self.left > AWAY
                if alone or self._stopped:
                    self._stopped = True
                    break
        except Exception as error:  # noqa: BLE001 - raised again where the job is waited for
            self._error = error
        finally:
            self._news.close()
            with self._changed:
                self.over, self.left = True, time.monotonic()
                self._changed.notify_all()


class Errands:
    """The jobs of all pages. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Errand] = OrderedDict()  # by key
        self._of: dict[tuple[str, str], str] = {}  # (session, task) -> key

    def start(self, session: str, task: str, news: Callable[[str], Generator[News, None, None]]) -> Errand:
        """Begin a job for a page; `news` makes it from the key that the page should keep."""
        key = secrets.token_hex(16)
        errand = Errand(news(key))
        with self._lock:
            self._known[key] = errand
            self._of[session, task] = key
            self._forget()
        return errand

    def find(self, session: str, task: str, key: object) -> Errand | None:
        """A job by its key, which is that page's from now on; None where it is not known, or was stopped."""
        with self._lock:
            errand = self._known.get(key) if isinstance(key, str) else None
            if errand is None or errand.stopped:
                return None
            self._of[session, task] = str(key)
            return errand

    def stop(self, session: str, task: str) -> None:
        """End the job that a page has in a tab, if it has one."""
        with self._lock:
            errand = self._known.get(self._of.get((session, task), ""))
        if errand is not None:
            errand.stop()

    def _forget(self) -> None:
        """Let go of what ended long ago, and of the oldest where there are too many."""
        now = time.monotonic()
        lonely = [one for one in self._known.values() if one.lonely]
        for errand in lonely[: max(0, len(lonely) - LONELY - 1)]:  # the last one has just begun
            errand.stop()
        ended = [key for key, one in self._known.items() if one.over]
        extra = len(self._known) - MOST
        for number, key in enumerate(ended):
            if number < extra or now - self._known[key].left > ENDED:
                del self._known[key]
        self._of = {page: key for page, key in self._of.items() if key in self._known}
