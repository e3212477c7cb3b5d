"""Sounds as Ogg Vorbis and MP3: small files that lose what is hardly heard. Equal sounds give equal bytes."""

from __future__ import annotations

from pathlib import Path

import soundfile

from maa.audio.files import native
from maa.audio.sound import Audio

KINDS = {".ogg": ("OGG", "VORBIS"), ".mp3": ("MP3", "MPEG_LAYER_III")}  # libsndfile's names, by ending
QUALITY = {".ogg": 0.2, ".mp3": 0.1}  # libsndfile's level of compression, 0 = the best
SERIAL = 0x6D6161  # of an Ogg stream; libsndfile draws one by the clock


def write_compressed(path: Path, audio: Audio, suffix: str) -> None:
    """Write a sound without settings.

    Args:
        path: of the file.
        suffix: one of `KINDS`.

    Raises:
        ValueError: the format cannot hold that rate or so many channels.
    """
    form, subtype = KINDS[suffix]
    try:
        soundfile.write(
            native(path), audio.samples.T, audio.sample_rate, format=form, subtype=subtype,
            compression_level=QUALITY[suffix], **({"bitrate_mode": "VARIABLE"} if suffix == ".mp3" else {}),
        )  # fmt: skip
    except soundfile.LibsndfileError as error:
        raise ValueError(
            f"A {suffix} file cannot hold {audio.channels} channels at {audio.sample_rate} Hz; write a WAV file, or "
            "choose a rate of 44,100 Hz."
        ) from error


def numbered(path: Path) -> None:
    """Give the pages of a finished Ogg file the serial number that all of ours have."""
    from mutagen.ogg import OggPage

    pages = []
    size = path.stat().st_size
    with path.open("rb") as file:
        while file.tell() < size:
            page = OggPage(file)
            page.serial = SERIAL
            pages.append(page.write())  # with its checksum
    path.write_bytes(b"".join(pages))
