"""Settings inside the sound they made: one JSON block that reads back whole, and plain fields for other programs.

WAV carries them twice, as RIFF LIST/INFO (title INAM, comment ICMT = the JSON block, software ISFT) and as an ID3v2.4
chunk; FLAC as Vorbis comments. Nothing here holds a time, so equal settings give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from maa.audio.files import Chunk, chunks, form, pack_wave, replacing
from maa.version import VERSION

BLOCK = "make-an-audio"  # name of the JSON block: {"make-an-audio": {settings}}
SOFTWARE = f"Make-An-Audio {VERSION}"
_ID3 = (b"id3 ", b"ID3 ")
_MAX_BLOCK = 2**24  # bytes of a comment that are worth reading


def write_tags(path: str | Path, settings: Mapping[str, Any]) -> None:
    """Put settings (anything that JSON holds) into a .wav or .flac file in one step; the samples stay as they are.

    Settings already inside are replaced, and so are other LIST/INFO and ID3 texts of a WAV file.
    """
    path = Path(path)
    with replacing(path) as temporary:
        temporary.write_bytes(path.read_bytes())
        embed(temporary, settings)


def embed(path: Path, settings: Mapping[str, Any]) -> None:
    """As `write_tags`, changing the file where it lies (for files that are still in the making)."""
    with path.open("rb") as file:
        kind = _kind(file)
        if kind == b"WAVE":
            kept = [(chunk.name, chunk.read(file)) for chunk in chunks(file) if not _holds_tags(chunk, file)]
    if kind == b"WAVE":
        path.write_bytes(pack_wave(kept + wave_tags(settings)))
    elif kind == b"fLaC":
        _embed_flac(path, settings)
    else:
        raise ValueError(f"{path.name!r} is neither WAV nor FLAC; settings can be written into these two only.")


def read_tags(path: str | Path) -> dict[str, Any] | None:
    """The settings inside a WAV, FLAC or video file, or None when there are none (or the file is of another kind)."""
    path = Path(path)
    with path.open("rb") as file:
        kind = _kind(file)
        if kind == b"WAVE":
            return _read_wave(file)
    return _read_flac(path) if kind == b"fLaC" else _read_container(path)


def _kind(file: BinaryIO) -> bytes:
    """b"WAVE", b"fLaC", or something else."""
    kind = form(file)
    file.seek(0)
    return kind or file.read(4)


def wave_tags(settings: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """The LIST and ID3 chunks, as (name, payload) pairs, that carry settings in a WAV file."""
    from mutagen.id3 import ID3, TIT2, TSSE, TXXX

    whole, fields = block(settings), _fields(settings)
    texts = ((b"INAM", fields["title"]), (b"ICMT", whole), (b"ISFT", SOFTWARE))
    info = b"INFO" + b"".join(_info_text(name, text) for name, text in texts)
    tag = ID3()
    tag.add(TIT2(encoding=3, text=fields["title"]))  # encoding 3 is UTF-8
    tag.add(TSSE(encoding=3, text=SOFTWARE))
    for name, text in (fields | {BLOCK: whole}).items():
        tag.add(TXXX(encoding=3, desc=name, text=text))
    rendered = BytesIO()
    tag.save(rendered, padding=lambda _: 0)
    return [(b"LIST", info), (b"id3 ", rendered.getvalue())]


def _info_text(name: bytes, text: str) -> bytes:
    payload = text.encode() + b"\0"
    return name + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) % 2)


def _embed_flac(path: Path, settings: Mapping[str, Any]) -> None:
    from mutagen.flac import FLAC

    file = FLAC(path)
    for name, text in (_fields(settings) | {BLOCK: block(settings), "encoder": SOFTWARE}).items():
        file[name] = text
    file.save()


def block(settings: Mapping[str, Any]) -> str:
    """The JSON block, in ASCII so that no program's idea of an encoding can spoil it."""
    text = json.dumps({BLOCK: dict(settings)}, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if len(text) > _MAX_BLOCK // 4:  # a FLAC comment block has 24 bits of length for everything
        raise ValueError("The settings are too long to be written into a sound file; use a shorter prompt.")
    return text


def _fields(settings: Mapping[str, Any]) -> dict[str, str]:
    """Plain texts: every setting that is one word or number, and a title."""
    fields = {
        key: _clean(str(value))
        for key, value in settings.items()
        if isinstance(value, str | int | float) and str(value) and key.isascii() and key.isidentifier()
    }
    return fields | {"title": (fields.get("prompt") or SOFTWARE)[:200]}


def _clean(text: str) -> str:
    """Without what text fields cannot hold: NUL ends them, and lone surrogates are not UTF-8."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()


def _holds_tags(chunk: Chunk, file: BinaryIO) -> bool:
    if chunk.name in _ID3:
        return True
    file.seek(chunk.offset)
    return chunk.name == b"LIST" and file.read(4) == b"INFO"


def _read_wave(file: BinaryIO) -> dict[str, Any] | None:
    tagged = [chunk for chunk in chunks(file) if chunk.size <= _MAX_BLOCK and _holds_tags(chunk, file)]
    for chunk in tagged:
        payload = chunk.read(file)
        settings = _parse(_id3_text(payload) if chunk.name in _ID3 else _info_comment(payload))
        if settings is not None:
            return settings
    return None


def _info_comment(payload: bytes) -> str:
    """The ICMT text of a LIST/INFO payload, "" when there is none."""
    position = 4
    while position + 8 <= len(payload):
        size = int.from_bytes(payload[position + 4 : position + 8], "little")
        if payload[position : position + 4] == b"ICMT":
            return payload[position + 8 : position + 8 + size].split(b"\0")[0].decode("utf-8", "replace")
        position += 8 + size + size % 2
    return ""


def _id3_text(payload: bytes) -> str:
    from mutagen import MutagenError
    from mutagen.id3 import ID3

    try:
        frames = ID3(BytesIO(payload)).getall(f"TXXX:{BLOCK}")
    except MutagenError:
        return ""
    return str(frames[0].text[0]) if frames and frames[0].text else ""


def _read_flac(path: Path) -> dict[str, Any] | None:
    from mutagen import MutagenError
    from mutagen.flac import FLAC

    try:
        comments = FLAC(path).tags
    except MutagenError:
        return None
    return _parse((comments.get(BLOCK) or [""])[0] if comments else "")


def _read_container(path: Path) -> dict[str, Any] | None:
    """From the comment of an MP4, MOV, Matroska or WebM file."""
    import av
    from av.error import FFmpegError

    limits = {"format_whitelist": "mov,mp4,m4a,3gp,matroska,webm", "protocol_whitelist": "file"}
    try:
        with av.open(f"file:{path}", options=limits) as container:
            words = {key.lower(): text for key, text in container.metadata.items()}
    except (FFmpegError, OSError, ValueError):
        return None
    return _parse(words.get("comment", "")[:_MAX_BLOCK])


def _parse(text: str) -> dict[str, Any] | None:
    """The settings of a JSON block; None for anything else, because files come from everywhere."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    settings = data.get(BLOCK) if isinstance(data, dict) else None
    return settings if isinstance(settings, dict) else None
