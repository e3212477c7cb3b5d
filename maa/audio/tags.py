"""Settings inside the sound they made: one JSON block that reads back whole, and plain fields for other programs.

WAV carries them twice, as RIFF LIST/INFO (title INAM, comment ICMT = the JSON block, software ISFT) and as an ID3v2.4
chunk; MP3 as an ID3v2.4 tag, FLAC and Ogg as Vorbis comments. Nothing here holds a time, so equal settings give equal
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from maa.audio.files import Chunk, chunks, form, replacing, write_wave
from maa.foreign import MAX_SEGMENTS, foreign, hides_its_size
from maa.version import VERSION

BLOCK = "make-an-audio"  # name of the JSON block: {"make-an-audio": {settings}}
SOFTWARE = f"Make-An-Audio {VERSION}"
_ID3 = (b"id3 ", b"ID3 ")
_MAX_BLOCK = 2**24  # bytes of a block of tags that are worth reading
_MAX_TEXT = 2**22  # characters of settings; as many as are written
_PACKED = {3: 0x00C0, 4: 0x000C}  # flags of ID3 frames that are compressed or encrypted, by version
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")  # of ID3 texts, by their number


def write_tags(path: str | Path, settings: Mapping[str, Any]) -> None:
    """Put settings (anything that JSON holds) into a sound file in one step; the samples stay as they are.

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
        write_wave(path, kept + wave_tags(settings))
    elif kind in (b"fLaC", b"OggS"):
        _embed_comments(path, settings, kind)
    elif _is_mp3(kind):
        (_, tag), rest = wave_tags(settings)[1], _untagged(path)
        path.write_bytes(tag + rest)
    else:
        raise ValueError(f"{path.name!r} is no WAV, FLAC, Ogg or MP3 file; settings can be written into these only.")


def read_tags(path: str | Path) -> dict[str, Any] | None:
    """The settings inside a sound or video file, or None when there are none (or the file is of another kind)."""
    path = Path(path)
    with path.open("rb") as file:
        kind = _kind(file)
        if kind == b"WAVE":
            return _read_wave(file)
        if kind == b"fLaC":
            return _read_flac(file)
        if kind == b"OggS":
            return _read_ogg(file)
        if kind[:3] == b"ID3":
            head = file.read(10)
            return _parse(_id3_text(head + file.read(min(_id3_size(head[6:10], 4), _MAX_BLOCK))))
    return _read_container(path)


def _is_mp3(kind: bytes) -> bool:
    return kind[:3] == b"ID3" or (len(kind) > 1 and kind[0] == 0xFF and kind[1] & 0xE0 == 0xE0)


def _untagged(path: Path) -> bytes:
    """An MP3 file without the ID3v2 tag in front of its sound."""
    data = path.read_bytes()
    return data[10 + _id3_size(data[6:10], 4) :] if data[:3] == b"ID3" else data


def _kind(file: BinaryIO) -> bytes:
    """b"WAVE", b"fLaC", b"OggS", or something else, at most four bytes."""
    kind = form(file)
    file.seek(0)
    kind = kind or file.read(4)
    file.seek(0)
    return kind


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


def _embed_comments(path: Path, settings: Mapping[str, Any], kind: bytes) -> None:
    from mutagen.flac import FLAC
    from mutagen.oggvorbis import OggVorbis

    texts = _fields(settings) | {BLOCK: block(settings), "encoder": SOFTWARE}
    with foreign(f"{path.name!r} is damaged, so that no settings can be written into it; export it again."):
        file = FLAC(path) if kind == b"fLaC" else OggVorbis(path)
        for name, text in texts.items():
            file[name] = text
        file.save()


def block(settings: Mapping[str, Any]) -> str:
    """The JSON block, in ASCII so that no program's idea of an encoding can spoil it."""
    text = json.dumps({BLOCK: dict(settings)}, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if len(text) > _MAX_TEXT:  # a FLAC comment block has 24 bits of length for everything
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
    for _ in range(MAX_SEGMENTS):
        if position + 8 > len(payload):
            break
        size = int.from_bytes(payload[position + 4 : position + 8], "little")
        if payload[position : position + 4] == b"ICMT":
            return payload[position + 8 : position + 8 + size].split(b"\0")[0].decode("utf-8", "replace")
        position += 8 + size + size % 2
    return ""


def _id3_text(payload: bytes) -> str:
    """The text of our TXXX frame in an ID3v2.3 or 2.4 tag, "" when there is none.

    Read here, as nothing of it may be inflated: a megabyte of a compressed frame can be a gigabyte. Such frames are
    never written here, and are passed over.
    """
    if len(payload) < 10 or payload[:3] != b"ID3" or payload[3] not in (3, 4):
        return ""
    version, flags = payload[3], payload[5]
    body = payload[10 : 10 + _id3_size(payload[6:10], 4)]
    if flags & 0x80 and version == 3:
        body = body.replace(b"\xff\0", b"\xff")
    position = 0
    if flags & 0x40:  # an extended header, which in 2.3 does not count its own length
        position = _id3_size(body[:4], version) + (4 if version == 3 else 0)
    for _ in range(MAX_SEGMENTS):
        head = body[position : position + 10]
        if len(head) < 10 or head[0] == 0:
            break
        size = _id3_size(head[4:8], version)
        frame = body[position + 10 : position + 10 + size]
        position += 10 + size
        marks = int.from_bytes(head[8:10], "big")
        if head[:4] != b"TXXX" or marks & _PACKED[version] or not frame:
            continue
        if version == 4 and marks & 1:  # its length once more
            frame = frame[4:]
        if version == 4 and (marks & 2 or flags & 0x80):
            frame = frame.replace(b"\xff\0", b"\xff")
        name, text = _id3_pair(frame)
        if name == BLOCK:
            return text
    return ""


def _id3_size(digits: bytes, version: int) -> int:
    """Four bytes of a length: of 7 bits each in ID3v2.4, of 8 in 2.3."""
    bits = 7 if version == 4 else 8
    return sum((digit & (2**bits - 1)) << (bits * place) for place, digit in enumerate(reversed(digits)))


def _id3_pair(frame: bytes) -> tuple[str, str]:
    """Name and text of a TXXX frame."""
    if not frame or frame[0] >= len(_ENCODINGS):
        return "", ""
    kind, data = _ENCODINGS[frame[0]], frame[1:]
    width = 2 if kind.startswith("utf-16") else 1
    end = next((at for at in range(0, min(len(data), 200), width) if not any(data[at : at + width])), None)
    if end is None or end + width > len(data):
        return "", ""
    text = data[end + width :].decode(kind, "replace")
    return data[:end].decode(kind, "replace"), text.split("\0")[0]


def _read_flac(file: BinaryIO) -> dict[str, Any] | None:
    """From the Vorbis comments, the block of type 4 of a FLAC file; other blocks are passed over."""
    position = 4
    for _ in range(MAX_SEGMENTS):
        file.seek(position)
        head = file.read(4)
        if len(head) < 4:
            break
        size = int.from_bytes(head[1:], "big")
        if head[0] & 0x7F == 4:
            return _parse(_vorbis_comment(file.read(size)))
        if head[0] & 0x80:  # the last one
            break
        position += 4 + size
    return None


def _read_ogg(file: BinaryIO) -> dict[str, Any] | None:
    """From the comment header, the second packet of an Ogg Vorbis file; its pages are joined here."""
    packets, packet = 0, b""
    for _ in range(MAX_SEGMENTS):
        head = file.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            break
        for size in (lacing := file.read(head[26])):
            packet += file.read(size)
            if size == 255:
                continue
            packets += 1
            if packets == 2:
                return _parse(_vorbis_comment(packet[7:])) if packet[:7] == b"\x03vorbis" else None
            packet = b""
        if len(packet) > _MAX_BLOCK or not lacing:
            break
    return None


def _vorbis_comment(payload: bytes) -> str:
    """Our comment, "" when there is none."""
    position = 4 + int.from_bytes(payload[:4], "little")
    count, position = int.from_bytes(payload[position : position + 4], "little"), position + 4
    for _ in range(min(count, MAX_SEGMENTS)):
        size = int.from_bytes(payload[position : position + 4], "little")
        entry = payload[position + 4 : position + 4 + size]
        if entry[: len(BLOCK) + 1].lower() == BLOCK.encode() + b"=":
            return entry[len(BLOCK) + 1 :].decode("utf-8", "replace")
        position += 4 + size
        if position >= len(payload):
            break
    return ""


def _read_container(path: Path) -> dict[str, Any] | None:
    """From the comment of an MP4, MOV, Matroska or WebM file."""
    import av

    limits = {"format_whitelist": "mov,mp4,m4a,3gp,matroska,webm", "protocol_whitelist": "file"}
    if hides_its_size(path):
        return None
    try:
        with foreign("no container"), av.open(f"file:{path}", options=limits) as container:
            words = {key.lower(): text for key, text in container.metadata.items()}
    except ValueError:
        return None
    return _parse(words.get("comment", ""))


def _parse(text: str) -> dict[str, Any] | None:
    """The settings of a JSON block; None for anything else, because files come from everywhere."""
    if len(text) > _MAX_TEXT:
        return None
    try:
        with foreign("no JSON"):
            data = json.loads(text)
    except ValueError:
        return None
    settings = data.get(BLOCK) if isinstance(data, dict) else None
    return settings if isinstance(settings, dict) else None
