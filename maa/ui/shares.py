"""Who may wait, and for how long: a share of the queue for every visitor, and none for jobs that nobody listens to.

Looking (the spectrogram of an upload, the words of a picture, the window on a sound) waits in a line of its own, so it
never stands behind somebody's generation.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from asyncio import Queue as AsyncQueue
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import gradio as gr
from gradio import route_utils
from gradio.processing_utils import check_all_files_in_cache
from gradio.queueing import Queue
from gradio.server_messages import ProcessCompletedMessage
from gradio.utils import LRUCache

from maa.ui.faults import UNREADABLE
from maa.ui.memory import HEAP
from maa.ui.storage import VISITOR

if TYPE_CHECKING:
    from fastapi import Request
    from gradio.block_function import BlockFunction
    from gradio.data_classes import PredictBodyInternal
    from gradio.queueing import Event
    from gradio.server_messages import EventMessage

LOOK: dict[str, Any] = {"concurrency_id": "look", "concurrency_limit": 2}  # for events that look and do not generate
MAILBOXES = 500  # of sessions whose last messages are kept
COUNTED_EVENTS = 100  # ended jobs that Gradio's statistics remember
IDLE = 0.01  # seconds between two looks for waiting jobs; Gradio's thousand a second keep a core busy
MOST_WAITING = 2**26  # bytes of the requests of the jobs that wait in a line; they are kept several times over
CAME = "maa_came"  # what has come of a request, by name in its state
GRACE = 20.0  # seconds until a job must have a listener; an open stream asks for news at least every 10 s
UNHEARD = "Nobody listened to this job, so it was dropped; open its stream soon after asking."
Pushed = tuple[bool, str | list[dict[str, Any]], Literal["success", "error", "queue_full", "validator_error"]]


class Mailbox(AsyncQueue[Any]):
    """Messages for one session, and when they were last asked for."""

    heard = 0.0  # seconds of `time.monotonic`; 0 = nobody ever listened

    def __init__(self) -> None:
        super().__init__()
        self.made = time.monotonic()

    async def get(self) -> Any:
        """The next message."""
        self.heard = time.monotonic()
        return await super().get()


class Mailboxes(LRUCache[str, AsyncQueue[Any]]):
    """A mailbox for every session; Gradio makes the place for one when the session's first job arrives.

    Where there are too many, the one goes that has been quiet for the longest time; sessions with a job stay as long as
    there are others.

    Args:
        most: how many.
        busy: the sessions with jobs that wait or run.
        forget: is told which session has lost its own.
    """

    def __init__(self, most: int, busy: Callable[[], set[str]], forget: Callable[[str], None]) -> None:
        super().__init__(most)
        self.busy, self.forget = busy, forget

    def __setitem__(self, session: str, box: AsyncQueue[Any]) -> None:
        if session not in self and len(self) >= self.max_size:
            busy = self.busy()
            quiet = min(self, key=lambda one: (one in busy, self._news(one)))
            del self[quiet]
            self.forget(quiet)
        super().__setitem__(session, box if isinstance(box, Mailbox) else Mailbox())

    def _news(self, session: str) -> float:
        box = self[session]
        return max(box.made, box.heard) if isinstance(box, Mailbox) else 0.0


class FairQueue(Queue):
    """Gradio's queue with a limit for each line, and half of a line at most for one visitor.

    Args:
        of: the queue that Gradio has made for a page; its settings stay.
        size: jobs that may wait in each line.
    """

    def __init__(self, of: Queue, size: int) -> None:
        super().__init__(
            live_updates=of.live_updates,
            concurrency_count=of.max_thread_count,
            update_intervals=of.update_intervals,
            max_size=None,  # one limit over all lines would let generating shut out looking
            blocks=of.blocks,
            default_concurrency_limit=of.default_concurrency_limit,
        )
        self.size = size
        self.server_app = of.server_app
        self.sleep_when_free = IDLE
        self.ANALYTICS_MAX_EVENTS = COUNTED_EVENTS
        self.pending_messages_per_session = Mailboxes(MAILBOXES, self._busy, self._forget)

    async def push(self, body: PredictBodyInternal, request: Request, username: str | None) -> Pushed:
        """Take a job in, or refuse it in a sentence."""
        try:
            check_all_files_in_cache(body.event_data)  # Gradio asks that later, and then raises
        except Exception:  # noqa: BLE001 - whatever junk makes of it
            return False, UNREADABLE, "error"
        if body.fn_index is not None:
            fn = route_utils.get_fn(self.blocks, None, body)
            line = self.event_queue_per_concurrency_id.get(fn.concurrency_id)
            refusal = self.refusal(line.queue if line else [], visitor_of(request), came(request))
            if refusal:  # a page shows words of its own for a full queue, and ours for an error
                return False, refusal, "error" if _is_page(request) else "queue_full"
        return await super().push(body, request, username)

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        """Put a message into a job's mailbox; where that is gone, nobody waits for it.

        Gradio would raise there, in the loop that starts all jobs.
        """
        if event.session_hash in self.pending_messages_per_session:
            super().send_message(event, event_message)

    def refusal(self, waiting: list[Event], visitor: str, size: int = 0) -> str | None:
        """Why a visitor may not join a line now with a request of `size` bytes; None where they may."""
        own = [event for event in waiting if visitor_of(event.request) == visitor]
        share = max(1, self.size // 2)
        if len(waiting) >= self.size or _bytes_of(waiting) + size > MOST_WAITING:
            return f"The queue is full: {len(waiting)} jobs are waiting. Please try again in a minute."
        if len(own) >= share or (own and _bytes_of(own) + size > MOST_WAITING // 2):
            return f"{len(own)} jobs of yours are waiting, your share of the queue. Please let one of them end first."
        return None

    def compute_analytics_summary(self, records: Any) -> dict[str, Any]:
        """Nothing: Gradio would make tables of all ended jobs after each of them, for a page that is not served."""
        return self.cached_event_analytics_summary

    async def process_events(self, events: list[Event], batch: bool, begin_time: float, fn: BlockFunction) -> None:
        """Run jobs whose turn has come, save those that nobody waits for, and for as long as somebody does."""
        for event in events:
            self._drop_unheard(event)
        VISITOR.set(visitor_of(events[0].request))  # of this task alone
        watch = asyncio.create_task(self._watch(events))
        try:
            await super().process_events(events, batch, begin_time, fn)
        finally:
            watch.cancel()
            asyncio.get_running_loop().run_in_executor(None, HEAP.give_back)

    async def _watch(self, events: list[Event]) -> None:
        """Let jobs end within a step that began before their time to listen was over, when it is over."""
        while any(event.alive and self._never_heard(event) for event in events):
            await asyncio.sleep(GRACE / 10)
            for event in events:
                self._drop_unheard(event)

    def _drop_unheard(self, event: Event) -> None:
        if self.unheard(event):
            # whoever comes late after all is told
            self.send_message(event, ProcessCompletedMessage(output={"error": UNHEARD}, success=False))
            event.alive = False

    def unheard(self, event: Event) -> bool:
        """Whether nobody has listened since a job was asked for, though there was time."""
        return time.monotonic() - event.enqueue_time > GRACE and self._never_heard(event)

    def _never_heard(self, event: Event) -> bool:
        box = self.pending_messages_per_session.get(event.session_hash)
        return (box.heard if isinstance(box, Mailbox) else 0.0) < event.enqueue_time

    def _busy(self) -> set[str]:
        return {event.session_hash for event in self.event_ids_to_events.values()}

    def _forget(self, session: str) -> None:
        self.pending_event_ids_session.pop(session, None)


def came(request: Request) -> int:
    """Bytes of a request's body, as `maa.ui.intake` has counted them."""
    return int(request.scope.get("state", {}).get(CAME, 0))


def _bytes_of(events: list[Event]) -> int:
    return sum(came(event.request) for event in events)


def _is_page(request: Request) -> bool:
    """Whether a job comes from a page and not from a program."""
    return request.url.path.endswith("/queue/join") and request.headers.get("x-gradio-user") == "app"


def visitor_of(request: Request) -> str:
    """The address of whoever asks. Behind a proxy it is the one that the proxy names.

    Sessions do not tell visitors apart: a program has a new one for each call. The header counts only when the
    connection comes from a private network, as a proxy's does; its last entry is the proxy's own.
    """
    direct = request.client.host if request.client else ""
    named = request.headers.get("x-forwarded-for", "").split(",")[-1].strip()
    try:
        near = ipaddress.ip_address(direct).is_private
    except ValueError:
        near = False
    return named if near and named else direct


def share_out(page: gr.Blocks, size: int) -> None:
    """Give a page's queue these rules; to be called after `page.queue()` and before it is served."""
    page._queue = FairQueue(page._queue, size)
