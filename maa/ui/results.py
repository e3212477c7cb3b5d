"""What a job made: players, spectrograms, match and seed of each take, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from maa.audio.picture import draw
from maa.pipeline.request import MAX_TAKES
from maa.ui import limits
from maa.ui.files import result_path

if TYPE_CHECKING:
    from maa.config import AudioSpec
    from maa.pipeline import Generation

Updates = dict[Component, Any]
WAVEFORM = gr.WaveformOptions(waveform_color="#8b97a7", waveform_progress_color="#14938a", skip_length=10)


@dataclass(frozen=True)
class Take:
    """One result, ready to be shown."""

    media: Path
    caption: str  # numbers only, no text of the user's
    picture: Path | None = None


@dataclass(frozen=True)
class Card:
    """The place of one take in the page."""

    frame: gr.Column
    caption: gr.Markdown
    picture: gr.Image
    player: gr.Audio | gr.Video


@dataclass(frozen=True)
class Results:
    """The results column of one tab."""

    empty: gr.HTML
    cards: tuple[Card, ...]
    settings: gr.JSON
    details: gr.Accordion

    def outputs(self) -> list[Component]:
        """Every component that `show` may change."""
        cards = [part for card in self.cards for part in (card.frame, card.caption, card.picture, card.player)]
        return [self.empty, *cards, self.settings, self.details]

    def show(self, takes: Sequence[Take], settings: Any) -> Updates:
        """What to change so that these takes, and only these, are seen."""
        updates: Updates = {
            self.empty: gr.update(visible=not takes),
            self.settings: settings,
            self.details: gr.update(visible=bool(takes)),
        }
        for index, card in enumerate(self.cards):
            if index >= len(takes):
                updates[card.frame] = gr.update(visible=False)
                continue
            take = takes[index]
            updates[card.frame] = gr.update(visible=True)
            updates[card.caption] = take.caption
            picture = None if take.picture is None else str(take.picture)
            updates[card.picture] = gr.update(value=picture, visible=picture is not None)
            updates[card.player] = str(take.media)
        return updates


def results(task: str, hint: str, *, video: bool = False) -> Results:
    """Lay out an empty results column.

    Args:
        task: names the elements in the page.
        hint: what to do to get a first result.
        video: players are for clips instead of sounds.
    """
    empty = gr.HTML(f'<div class="maa-empty"><p>{hint}</p></div>', elem_id=f"{task}-empty")
    with gr.Column(elem_classes="maa-takes", elem_id=f"{task}-takes"):
        cards = tuple(_card(task, index, video) for index in range(1, MAX_TAKES + 1))
    with gr.Accordion("All settings of these takes", open=False, visible=False) as details:
        settings = gr.JSON(show_label=False, elem_id=f"{task}-settings")
    return Results(empty, cards, settings, details)


def _card(task: str, index: int, video: bool) -> Card:
    with gr.Column(visible=False, elem_classes="maa-take", elem_id=f"{task}-take-{index}") as frame:
        caption = gr.Markdown(elem_classes="maa-caption")
        picture = gr.Image(
            type="filepath",
            format="png",
            interactive=False,
            show_label=False,
            container=False,
            buttons=["fullscreen"],
            elem_classes="maa-picture",
            alt_text=f"Mel-spectrogram of take {index}: seconds from left to right, low notes at the bottom",
        )
        label = f"Take {index}"
        player: gr.Audio | gr.Video
        if video:
            player = gr.Video(label=label, show_label=False, interactive=False, height=300, buttons=["download"])
        else:
            player = gr.Audio(
                label=label,
                show_label=False,
                type="filepath",
                interactive=False,
                buttons=["download"],
                waveform_options=WAVEFORM,
                elem_classes="maa-player",
            )
    return Card(frame, caption, picture, player)


def caption(index: int, seed: int, score: float | None, best: bool) -> str:
    """The line above a take."""
    parts = [f"**Take {index}**"]
    if score is not None:
        parts.append(f"CLAP match {score:.2f}" + (" (best)" if best else ""))
    parts.append(f"seed {seed}")
    return " · ".join(parts)


def sound_takes(generation: Generation, file_format: limits.FileFormat, spec: AudioSpec) -> list[Take]:
    """Write every take as a sound file and a picture; the order, best first, is kept."""
    takes = []
    for index, seed in enumerate(generation.seeds):
        path = result_path(generation.settings["task"], seed, file_format.suffix)
        generation.save(path, take=index, subtype=_subtype(generation, file_format))
        takes.append(described(generation, index, path, spec))
    return takes


def _subtype(generation: Generation, file_format: limits.FileFormat) -> str | None:
    """FLAC holds integers of up to 24 bit; what has more than that is written with 24."""
    if file_format.suffix == ".flac" and generation.subtype not in ("PCM_U8", "PCM_16", "PCM_24"):
        return "PCM_24"
    return file_format.subtype


def described(generation: Generation, index: int, media: Path, spec: AudioSpec) -> Take:
    """A written take with its picture and its caption."""
    picture = draw(generation.mel[index], spec, media.with_suffix(".png"))
    score = None if generation.scores is None else generation.scores[index]
    best = index == 0 and len(generation.seeds) > 1
    return Take(media, caption(index + 1, generation.seeds[index], score, best), picture)
