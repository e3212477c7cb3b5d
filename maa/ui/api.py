"""The endpoints for programs: one for each task, in seconds and hertz.

Each takes keyword arguments and answers with the best take as a file and with that take's settings. They are
generators, so that a client that cancels or goes away stops the work; on the way they answer
(null, {"step": k, "of": n}).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from maa.audio.finish import AS_MADE
from maa.config import ModelConfig
from maa.diffusion.samplers import SAMPLERS
from maa.pipeline.clip import MIX_DB
from maa.pipeline.request import MAX_SECONDS, MIN_SECONDS
from maa.ui import image, inpaint, limits, personalize, text, video
from maa.ui.jobs import Progress
from maa.ui.tab import Task, Workplace, perform, told

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Argument:
    """One argument of an endpoint. Endpoints are described as data: five of them share most of their arguments."""

    name: str
    kind: Any
    default: Any
    text: str


PROMPT = Argument("prompt", str, REQUIRED, "What should be heard, up to 1,000 characters.")
OPTIONAL_PROMPT = Argument("prompt", str, "", "What should be heard; empty = what the input suggests.")
NEGATIVE = Argument("negative", str, "", "What should not be heard.")
START = Argument("start", float, 0.0, "Second of the input at which the model's window begins.")
T0 = Argument(
    "t0", float, personalize.T0, "0 = the input through the model, 1 ignores it; the paper recommends 0.2 to 0.5."
)
BOXES = Argument("boxes", list[list[float]], (), "Regions to make anew, each [start s, end s, lowest Hz, highest Hz].")
FRAMES = Argument("frames", list[list[float]], (), "Stretches of all frequencies to make anew, each [start s, end s].")
MASK = Argument(
    "mask", gr.FileData, None, "A mask to make anew as PNG (white, low notes at the bottom) or .npy [mels, frames]."
)
FILLING = (
    Argument("strength", float, 1.0, "1 fills from nothing; less keeps a trace of what lies there."),
    Argument("resampling", int, 0, "Rounds of going back half-way for a closer fit, 0 to 4."),
    Argument("blend", float, 0.0, "How far what touches the hole may follow the model in the making, 0 to 1."),
    Argument("level_match", bool, True, "As loud as the neighbours say."),
    Argument("before", float, 0.0, "Seconds to add in front of the sound, 0 to 30."),
    Argument("after", float, 0.0, "Seconds to add behind it, 0 to 30."),
)
STEPS = Argument("steps", int, 25, "Denoising steps, 1 to 1000.")
SAMPLING = (
    Argument("sampler", str, "dpm++", f"{', '.join(SAMPLERS)}."),
    Argument("seed", int, -1, "0 to 4294967295; -1 = a fresh one."),
    Argument("takes", int, 1, "How many to make, 1 to 8; the one that matches the prompt best comes back."),
)
FORMAT = Argument("file_format", str, "wav16", "wav16, wav24 or flac.")
RATE = Argument(
    "rate", int, 0, "Sample rate of the file in Hz: 16000, 22050, 44100, 48000, 96000; 0 = the sound's own."
)
ORIGINAL = (
    Argument("original", str, "replace", "The clip's own sound: replace, mix, or keep it as the first of two tracks."),
    Argument("original_db", float, MIX_DB, "Level of the clip's own sound in a mix, -60 to 12 dB."),
)
LOUDNESS = Argument("loudness", str, AS_MADE, "as-made, -23 or -18 (LUFS), or peak (a true peak of -1 dB).")
KEPT = Argument("loudness", str, AS_MADE, "as-made; no other, because your own samples stay as they are.")
DENSITY = Argument(
    "density", float | None, None, "How much of the time sounds, 0 (one event) to 1 (many); null = the model's choice."
)
MATCHED = Argument("level_match", bool, True, "As loud as your sound, where the loudness is as-made.")
SAME_FORMAT = Argument("file_format", str, "source", "source (WAV with the input's samples), wav16, wav24 or flac.")


def _input(name: str, what: str) -> Argument:
    return Argument(name, gr.FileData, REQUIRED, f"{what}, uploaded (`gradio_client.handle_file`).")


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: its name in the API, what it does, and its arguments in order."""

    name: str
    summary: str
    task: Task
    arguments: tuple[Argument, ...]


def table(config: ModelConfig) -> list[Endpoint]:
    """All endpoints; lengths and guidance default to the model's own."""
    span = f"{MIN_SECONDS:g} to {MAX_SECONDS:g}"
    seconds = Argument("seconds", float, config.audio.seconds, f"Length of the sound in seconds, {span}.")
    guidance = Argument("guidance", float, config.guidance, "Guidance scale, 0 to 20; 1 = none.")
    sampling = (STEPS, guidance, *SAMPLING)
    written = (*sampling, FORMAT, RATE, LOUDNESS, DENSITY)
    picture, clip = _input("image", "A picture"), _input("video", "A clip")
    sound, painted = _input("audio", "A sound"), (BOXES, OPTIONAL_PROMPT, FRAMES, MASK, NEGATIVE, *FILLING)
    return [
        Endpoint("text_to_audio", "Sound from a sentence.", text.TASK, (PROMPT, NEGATIVE, seconds, *written)),
        Endpoint(
            "image_to_audio",
            "Sound from a picture.",
            image.TASK,
            (picture, OPTIONAL_PROMPT, NEGATIVE, seconds, *written),
        ),
        Endpoint(
            "video_to_audio",
            "Sound for a clip, as long as the clip; the file is the clip with that sound.",
            video.TASK,
            (clip, OPTIONAL_PROMPT, NEGATIVE, *sampling, *ORIGINAL, LOUDNESS, DENSITY),
        ),
        Endpoint(
            "personalize",
            "A sound of your own, moved towards a prompt.",
            personalize.TASK,
            (sound, PROMPT, T0, NEGATIVE, START, *written, MATCHED),
        ),
        Endpoint(
            "inpaint",
            "Regions of a sound made anew; outside their time spans its samples stay as they are.",
            inpaint.BOX_TASK,
            (sound, *painted, *sampling, SAME_FORMAT, RATE, KEPT, DENSITY),
        ),
    ]


def endpoints(place: Workplace) -> None:
    """Add every endpoint to the page that is being built."""
    for endpoint in table(place.model.config):
        gr.api(
            function(place, endpoint),
            api_name=endpoint.name,
            api_description=documentation(endpoint),
            concurrency_id="gpu",
            concurrency_limit=1,
        )


def function(place: Workplace, endpoint: Endpoint) -> Callable[..., Iterator[tuple[Any, dict[str, Any]]]]:
    """The endpoint as a function with the signature and the docstring that Gradio publishes."""

    def run(*values: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
        fields = dict(zip((argument.name for argument in endpoint.arguments), values, strict=True))
        try:
            for event in perform(place, endpoint.task, fields, limits.ask(fields)):
                if isinstance(event, Progress):
                    yield None, {"step": event.step, "of": event.total}
                else:
                    made = event.result
                    best = made.takes[0].media
                    yield gr.FileData(path=str(best), orig_name=best.name), made.generation.settings_of(0)
        except Exception as error:
            raise told(error) from error

    place_of = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter(item.name, place_of, default=item.default, annotation=item.kind)
        for item in endpoint.arguments
    ]
    answer = tuple[gr.FileData, dict]
    run.__name__ = endpoint.name
    run.__doc__ = documentation(endpoint)
    run.__annotations__ = {item.name: item.kind for item in endpoint.arguments} | {"return": answer}
    run.__signature__ = inspect.Signature(parameters, return_annotation=answer)  # type: ignore[attr-defined]
    return run


def documentation(endpoint: Endpoint) -> str:
    """The endpoint's docstring, in the form that Gradio reads."""
    arguments = [f"    {item.name}: {item.text}" for item in endpoint.arguments]
    returns = ["    The best take as a file.", "    Its settings."]
    return "\n".join([endpoint.summary, "", "Args:", *arguments, "", "Returns:", *returns])
