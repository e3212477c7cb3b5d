"""The endpoint for edits without a model: what `python -m maa edit` does, several of them one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from maa.audio.io import Audio, read, write
from maa.pipeline import checks
from maa.pipeline.editing import chain_settings, edited
from maa.pipeline.edits import MOST_STEPS, Edit, Step, check_room
from maa.pipeline.report import report
from maa.pipeline.setting import File, Setting, read_options, settings_of
from maa.ui import files
from maa.ui.chain.store import told_by
from maa.ui.faults import told
from maa.ui.limits import FORMATS, SOURCE, SplicedOutput
from maa.ui.storage import STORAGE, VISITOR, size_of

NAME = "edit"
SUMMARY = "Parts of a sound louder, softer, silent, healed, copied or moved, without a model."
LINE: dict[str, Any] = {"concurrency_id": NAME, "concurrency_limit": 1}  # it needs no GPU, and nobody waits for it
MOST_SECONDS = 600.0  # of sound that all edits of a request work through together
Answer = tuple[Any, dict[str, Any]]


def known() -> dict[str, Setting]:
    """What an edit may say, by name; a mask is a file, and files come by themselves."""
    return {one.name: one for one in settings_of(Edit) if not isinstance(one, File)}


def edits_of(value: Any) -> list[Edit]:
    """A checked list of edits from what a program sent.

    Raises:
        ValueError: it is no list of edits, or one of them is not what it should be.
    """
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_STEPS:
        raise ValueError(
            f"Give a list of 1 to {MOST_STEPS} edits, such as [{{'boxes': [[2, 2.5, 1000, 4000]], 'gain': -12}}]."
        )
    found = []
    for number, said in enumerate(value, 1):
        if not isinstance(said, Mapping):
            raise ValueError(f"Edit {number} must be named values, not {checks.shown(said)}.")
        unknown = [name for name in said if name not in known()]
        if unknown:
            named = ", ".join(known())
            raise ValueError(f"Edit {number}: {checks.shown(unknown[0])} is nothing that an edit has; it has {named}.")
        try:
            found.append(read_options(Edit, said))
        except ValueError as error:
            raise ValueError(f"Edit {number}: {error}") from error
    return found


def edit_sound(audio: Any, edits: Any, file_format: Any) -> Iterator[Answer]:
    """Do the edits; on the way (None, {"step": k, "of": n}), at the end the file and its settings.

    Raises:
        ValueError: something is wrong, or too much.
    """
    path, wanted = files.uploaded(audio, "a sound"), edits_of(edits)
    output = read_options(SplicedOutput, {"file_format": file_format})
    refusal = STORAGE.refusal(VISITOR.get(), 0)
    if refusal:
        raise ValueError(refusal)
    source = read(path)
    if source.seconds * len(wanted) > MOST_SECONDS:
        raise ValueError(
            f"{len(wanted)} edits of {source.seconds:.0f} s are too much at once; all edits of a request may work "
            f"through {MOST_SECONDS:.0f} s together. `python -m maa edit` has no such limit."
        )
    sound: Audio = source
    steps: list[Step] = list(told_by(path))
    spans: list[tuple[float, float]] = []
    for number, edit in enumerate(wanted, 1):
        check_room(steps)
        made = edited(sound, edit)
        sound, steps, spans = made.audio, [*steps, made.step], sorted([*spans, *made.spans])
        yield None, {"step": number, "of": len(wanted)}
    settings = chain_settings(steps, report=report(source, sound.samples, spans).to_settings())
    target = written(sound, settings, output)
    STORAGE.add(VISITOR.get(), size_of(target.parent))
    yield gr.FileData(path=str(target), orig_name=target.name), settings


def written(sound: Audio, settings: dict[str, Any], output: SplicedOutput) -> Path:
    """The file of an edited sound; as its source was, unless another format is asked for."""
    form = (FORMATS | SOURCE)[output.file_format]
    subtype = form.subtype or sound.subtype
    if form.suffix == ".flac" and subtype not in ("PCM_U8", "PCM_16", "PCM_24"):
        subtype = "PCM_24"  # FLAC holds no more
    target = files.result_path(NAME, len(settings["chain"]), form.suffix)
    return write(target, sound.samples, sound.sample_rate, subtype, settings, sound.carried)


def publish() -> None:
    """Add the endpoint to the page that is being built."""

    def edit(audio: Any, edits: Any, file_format: Any = SplicedOutput.file_format) -> Iterator[Answer]:
        try:
            yield from edit_sound(audio, edits, file_format)
        except Exception as error:
            raise told(error) from error

    kinds = {"audio": gr.FileData, "edits": list[dict[str, Any]], "file_format": str}
    edit.__annotations__ = {**kinds, "return": tuple[gr.FileData, dict]}
    edit.__doc__ = documentation()
    gr.api(edit, api_name=NAME, api_description=edit.__doc__, **LINE)


def documentation() -> str:
    """The endpoint's docstring, in the form that Gradio reads."""
    said = "; ".join(f"{name}: {one.text}" for name, one in known().items())
    lines = [
        SUMMARY, "", "Args:",
        "    audio: A sound, uploaded (`gradio_client.handle_file`).",
        f"    edits: Done one after the other, each named values with exactly one thing to do. {said}.",
        "    file_format: How the file is written: source, wav16, wav24, wav32f, flac, ogg or mp3.",
        "", "Returns:", "    The edited sound as a file.", "    Its settings, with the chain of edits.",
    ]  # fmt: skip
    return "\n".join(lines)
