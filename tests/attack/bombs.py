"""Small files that cost much: each is read in a process of its own, whose memory and seconds are the result.

`python -m tests.attack.bombs FOLDER NAME` makes and reads one.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack.table import Row

MOST_MB, MOST_SECONDS = 1536, 30  # of any file up to 100 MB
ADDRESS_GB = 7
ROOT = Path(__file__).resolve().parents[2]
FORM = (b"fmt ", struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16))
DATA = (b"data", b"\1\0" * 8000)
Case = tuple[Callable[[Path], Path], Callable[[Path], Any]]


# ---------------------------------------------------------------- files


def written(path: Path, data: bytes) -> Path:
    """A file with these bytes."""
    path.write_bytes(data)
    return path


def riff(parts: list[tuple[bytes, bytes]]) -> bytes:
    """A WAV of chunks."""
    body = b"".join(name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in parts)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def seven(number: int) -> bytes:
    """Four bytes of seven bits."""
    return bytes((number >> shift) & 127 for shift in (21, 14, 7, 0))


def packed_tag(folder: Path, megabytes: int) -> Path:
    """A WAV whose ID3 frame inflates to so many MB."""
    blob = zlib.compress(b"\3make-an-audio\0" + b"x" * (megabytes << 20), 9)
    frame = b"TXXX" + seven(len(blob) + 4) + b"\0\x09" + seven(min(megabytes << 20, (1 << 28) - 1)) + blob
    tag = b"ID3\4\0\0" + seven(len(frame)) + frame
    return written(folder / f"tag-{megabytes}.wav", riff([FORM, DATA, (b"id3 ", tag)]))


def png(size: tuple[int, int], colour: int, row: bytes, text: str | None = None, bits: int = 8) -> bytes:
    """A PNG of equal rows."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(size[1])) + packer.flush()
    said = chunk(b"tEXt", b"make-an-audio-mask\0" + text.encode("latin-1")) if text is not None else b""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + said + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def scale(width: int, height: int, **more: Any) -> str:
    """The text that says what rows and columns of a mask mean."""
    return json.dumps({"sample_rate": 16_000, "n_fft": 1024, "hop": 256, "mels": height, "convention": "A",
                       "frames": width, **more})  # fmt: skip


def white(folder: Path, size: tuple[int, int], text: str | None) -> Path:
    """A mask where everything is painted."""
    return written(folder / "white.png", png(size, 0, b"\0" + b"\xff" * size[0], text))


def black(folder: Path, size: int, colour: int, width: int, bits: int = 8) -> Path:
    """A square picture with `width` bytes a row."""
    return written(folder / "black.png", png((size, size), colour, b"\0" * (width + 1), bits=bits))


def growing(folder: Path, name: str, codec: str, sizes: tuple[int, int]) -> Path:
    """A clip whose later pictures are larger than its header says."""
    import av

    kind = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    packets: list[bytes] = []
    for size, count in zip(sizes, (1, 3), strict=True):
        encoder = av.CodecContext.create(codec, "w")
        encoder.width = encoder.height = size
        encoder.pix_fmt, encoder.time_base, encoder.framerate = kind, Fraction(1, 10), Fraction(10)
        encoder.options = {"cpu-used": "16", "deadline": "realtime"} if codec == "libvpx" else {}
        for number in range(count):
            frame = av.VideoFrame(size, size, kind)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.pts = number
            packets += [bytes(packet) for packet in encoder.encode(frame)]
        packets += [bytes(packet) for packet in encoder.encode(None)]
    with av.open(str(folder / name), "w") as file:
        stream = file.add_stream(codec, rate=10)
        stream.width = stream.height = sizes[0]
        stream.pix_fmt = kind
        file.start_encoding()
        for number, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.is_keyframe, packet.time_base = stream, True, stream.time_base
            packet.pts = packet.dts = int(number / 10 / stream.time_base)
            file.mux(packet)
    return folder / name


def long_sound(folder: Path, hours: float) -> Path:
    """Two seconds of picture, and hours of sound."""
    import av

    path = folder / "long.mkv"
    with av.open(str(path), "w") as file:
        video, sound = file.add_stream("libx264", rate=10), file.add_stream("flac", rate=48_000, layout="mono")
        video.width, video.height, video.pix_fmt, sound.format = 64, 48, "yuv420p", "s16"
        for _ in range(20):
            file.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        file.mux(video.encode(None))
        clicks = np.zeros((1, 48_000), np.int16)
        clicks[0, ::4800] = 2000
        for second in range(int(hours * 3600)):
            frame = av.AudioFrame.from_ndarray(clicks, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48_000, second * 48_000
            file.mux(sound.encode(frame))
        file.mux(sound.encode(None))
    return path


def quiet(folder: Path, rate: int, channels: int, seconds: int = 600) -> Path:
    """A FLAC of clicks in silence, which packs well."""
    import soundfile

    path = folder / "quiet.flac"
    with soundfile.SoundFile(path, "w", rate, channels, "PCM_16", format="FLAC") as file:
        second = np.zeros((rate, channels), np.int16)
        second[0] = 5000
        for _ in range(seconds):
            file.write(second)
    return path


def one_key(folder: Path, seconds: int, size: tuple[int, int]) -> Path:
    """A clip that can only be decoded from its beginning."""
    import av

    path = folder / "key.mp4"
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.options = {"g": "100000", "preset": "ultrafast", "sc_threshold": "0", "keyint_min": "100000"}
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        for number in range(seconds * 30):
            picture[(number // size[0]) % size[1], number % size[0]] = 255
            file.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(video.encode(None))
    return path


# ---------------------------------------------------------------- readers


def frames(path: Path) -> Any:
    """Pictures of a clip."""
    from maa.vision.frames import video_frames

    return [one.shape for one in video_frames(path)[0]]


def mask(path: Path) -> Any:
    """A mask."""
    from maa.audio.maskfile import read_mask
    from maa.config import TINY

    return read_mask(path, TINY.audio, 40).shape


def tags(path: Path) -> Any:
    """The settings inside a file."""
    from maa.audio.tags import read_tags

    return read_tags(path) is not None


def sound(path: Path) -> Any:
    """A sound."""
    from maa.audio.io import read

    return read(path).samples.shape


def picture(path: Path) -> Any:
    """A picture."""
    from maa.vision.frames import load_image

    return load_image(path).shape


def mixed(path: Path) -> Any:
    """A clip's own sound under a new one."""
    from maa.vision.mux import mux

    return mux(path, np.zeros(32_000, np.float32), 16_000, path.with_name("mixed.mkv"), original="mix").stat().st_size


def window(path: Path) -> Any:
    """The waveform of a sound."""
    from maa.audio.io import read
    from maa.ui.views import peaks_of

    return len(peaks_of(read(path).samples))


def view(path: Path) -> Any:
    """The spectrogram of a sound."""
    from maa.audio.io import read
    from maa.config import TINY
    from maa.ui.views import mel_of

    return mel_of(read(path), TINY.audio).shape


def npy(shape: str, data: bytes = b"") -> bytes:
    """A .npy file whose header claims a shape."""
    head = f"{{'descr': '|b1', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0v\0" + head + data


def claimed(size: int) -> bytes:
    """A WAV that claims so many bytes of sound."""
    head = b"RIFF\xff\xff\xff\xffWAVE" + FORM[0] + struct.pack("<I", 16) + FORM[1]
    return head + b"data" + struct.pack("<I", size) + DATA[1]


CASES: dict[str, Case] = {
    "ID3 frame of 64 MB": (lambda to: packed_tag(to, 64), tags),
    "ID3 frame of 1 GB": (lambda to: packed_tag(to, 1024), tags),
    "PNG 60000 x 60000": (lambda to: black(to, 60_000, 0, 7500, 1), picture),
    "PNG 60000 x 60000 as a mask": (lambda to: black(to, 60_000, 0, 7500, 1), mask),
    "PNG 6300 x 6300, 16 bit RGBA": (lambda to: black(to, 6300, 6, 6300 * 8, 16), picture),
    "PNG 6300 x 6300, 16 bit grey": (lambda to: black(to, 6300, 0, 6300 * 2, 16), picture),
    "mask 6300 x 6300 white with a scale": (lambda to: white(to, (6300, 6300), scale(6300, 6300)), mask),
    "mask 6240 x 6240 white": (lambda to: white(to, (40 * 156, 80 * 78), None), mask),
    "mask with a text in lists in lists": (lambda to: white(to, (40, 80), "[" * 200_000), mask),
    "mask with a text of 5 MB": (lambda to: white(to, (40, 80), "x" * 5_000_000), mask),
    "mask with hop 10^400": (lambda to: white(to, (40, 80), scale(40, 80, hop=10**400)), mask),
    "npy that claims 10^15": (lambda to: written(to / "a.npy", npy("(1000000, 1000000000)")), mask),
    "npy with a deep header": (
        lambda to: written(to / "a.npy", b"\x93NUMPY\2\0" + struct.pack("<I", 9000) + b"(" * 8999 + b"\n"), mask),
    "WAV that claims 2 GB": (lambda to: written(to / "a.wav", claimed(0x7FFF_FF00)), sound),
    "FLAC 10 min 192 kHz stereo": (lambda to: quiet(to, 192_000, 2), sound),
    "FLAC 10 min 48 kHz 8 channels": (lambda to: quiet(to, 48_000, 8), sound),
    "waveform of 10 min 48 kHz stereo": (lambda to: quiet(to, 48_000, 2), window),
    "spectrogram of 10 min 48 kHz stereo": (lambda to: quiet(to, 48_000, 2), view),
    "VP8 that grows to 16000 x 16000": (lambda to: growing(to, "a.webm", "libvpx", (64, 16_000)), frames),
    "MJPEG that grows to 12000 x 12000": (lambda to: growing(to, "a.avi", "mjpeg", (64, 12_000)), frames),
    "mix: 2 s of picture, 3 h of sound": (lambda to: long_sound(to, 3), mixed),
    "3 minutes with one key frame": (lambda to: one_key(to, 175, (640, 360)), frames),
}  # fmt: skip
QUICK = ("ID3 frame of 64 MB", "PNG 60000 x 60000", "mask with a text in lists in lists", "npy that claims 10^15",
         "npy with a deep header", "WAV that claims 2 GB", "mask with hop 10^400")  # fmt: skip


def run(folder: Path, until: float, names: tuple[str, ...] = tuple(CASES)) -> list[Row]:
    """A row for each, as far as there is time."""
    rows = []
    for name in names:
        if time.monotonic() > until:
            break
        row = Row(f"bomb: {name}", tries=1)
        rows.append(row)
        place = folder / f"bomb{len(rows)}"
        place.mkdir(parents=True)
        command = [sys.executable, "-m", "tests.attack.bombs", str(place), name]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        for step in ("make", "read"):
            done = subprocess.run([*command, step], capture_output=True, text=True, env=environ, cwd=ROOT, check=False)
            if done.returncode:
                row.crashes += 1
                row.found(f"{step}: rc {done.returncode} {done.stderr[-300:]}")
                break
        else:
            judge(row, json.loads(done.stdout.splitlines()[-1]))
    return rows


def judge(row: Row, told: dict[str, Any]) -> None:
    """What a read has cost, and whether its end is a result or a sentence."""
    row.peak, row.worst = told["peak"], told["busy"]
    row.kind += f" ({told['size']:,} B)"
    if told["end"] not in ("ok", "ValueError"):
        row.tracebacks += 1
        row.found(f"{told['end']}: {told['said']}")
    if told["peak"] > MOST_MB or told["busy"] > MOST_SECONDS:
        row.leaks += 1
        row.found(f"{told['peak']} MB, {told['busy']} s of work")


def main() -> None:
    """Make one, or read it."""
    folder, name, step = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    make, act = CASES[name]
    if step == "make":
        make(folder)
        return
    path = next(one for one in folder.iterdir() if one.is_file())
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_GB << 30,) * 2)
    begun, busy, end, said = time.monotonic(), time.process_time(), "ok", ""
    try:
        said = str(act(path))
    except ValueError as error:
        end, said = "ValueError", str(error)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        end, said = type(error).__name__, str(error)
    print(json.dumps({
        "end": end, "said": said[:200], "size": path.stat().st_size, "seconds": round(time.monotonic() - begun, 1),
        "busy": round(time.process_time() - busy, 1),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
