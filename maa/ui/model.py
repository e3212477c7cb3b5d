"""The pipeline that a page works with, loaded beside the page so that the page is there first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maa.config import ModelConfig
    from maa.pipeline import MakeAnAudio

log = logging.getLogger(__name__)


class LoadingModel:
    """A pipeline, or the promise of one.

    Args:
        load: makes the pipeline; runs once, in a thread of its own, and starts at once unless `later`.
        config: what is known about the model before it is loaded; None = wait for the pipeline when asked.
        card: the model card (Markdown), if there is one.
        here: load now and in this thread, as a host asks for that lends its GPU.
        later: `begin` starts it, or who asks first; PyTorch then leaves the processor to a page that is being built.
    """

    def __init__(
        self,
        load: Callable[[], MakeAnAudio],
        config: ModelConfig | None = None,
        card: Path | None = None,
        here: bool = False,
        later: bool = False,
    ) -> None:
        self._config = config
        self.card = card
        self._pipeline: Future[MakeAnAudio] = Future()
        self._thread = threading.Thread(target=self._load, args=(load,), name="maa-load", daemon=True)
        self._starting = threading.Lock()
        if here:
            self._load(load)
        elif not later:
            self.begin()

    @classmethod
    def of(cls, pipeline: MakeAnAudio | LoadingModel) -> LoadingModel:
        """A model around a pipeline that is loaded already; a model is returned as it is."""
        return pipeline if isinstance(pipeline, LoadingModel) else cls(lambda: pipeline, pipeline.config)

    def begin(self) -> None:
        """Load now, beside everything else; nothing where that is done or under way."""
        with self._starting:
            if self._thread.ident is None and not self.ready:
                self._thread.start()

    def _load(self, load: Callable[[], MakeAnAudio]) -> None:
        try:
            self._pipeline.set_result(load())
        except ValueError as error:  # a sentence for people: missing or damaged weights
            log.error("%s", error)
            self._pipeline.set_exception(error)
        except Exception as error:
            log.exception("The model could not be loaded")
            self._pipeline.set_exception(error)

    @property
    def ready(self) -> bool:
        """Whether `get` answers at once."""
        return self._pipeline.done()

    @property
    def config(self) -> ModelConfig:
        """The model's configuration."""
        return self._config or self.get().config

    def get(self) -> MakeAnAudio:
        """The pipeline, once it is loaded.

        Raises:
            ValueError: the weights are missing or damaged; the sentence says which.
        """
        self.begin()
        return self._pipeline.result()

    def for_task(self, task: str) -> MakeAnAudio:
        """The pipeline, if it can do `task`; otherwise ValueError with the sentence that says what is missing."""
        pipeline = self.get()
        missing = pipeline.capabilities()[task]
        if missing:
            raise ValueError(missing)
        return pipeline
