"""Sound files: exact integers, limits read from the header, and one sentence for everything that is wrong."""

from __future__ import annotations

import struct
import time
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from maa.audio import sound
from maa.audio.io import read, write
from maa.audio.pcm import to_integers
from tests.sounds import assert_audio_valid, sine_wave

EXACT = [(".wav", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")] + [
    (".flac", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24")
]


def integers(bits: int, channels: int, count: int = 500, seed: int = 0) -> np.ndarray:
    """Random integers that include both ends of the scale."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    values = np.random.default_rng(seed).integers(low, high, (channels, count), endpoint=True)
    values[:, :4] = low, high, 0, -1
    return values


def encoded(path: Path, codec: str, seconds: float = 1.0, rate: int = 48_000, channels: int = 2) -> Path:
    """A sine through one of FFmpeg's encoders."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo" if channels == 2 else "mono")
        samples = sine_wave(440, seconds, rate, channels)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=stream.layout.name)
        frame.sample_rate, frame.pts = rate, 0  # without a time stamp the encoder cannot say how long its delay is
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


# ---------------------------------------------------------------- what goes in comes out


@pytest.mark.parametrize(("suffix", "subtype"), EXACT)
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_round_trip_is_exact(tmp_path: Path, suffix: str, subtype: str, channels: int) -> None:
    bits = {"PCM_U8": 8, "PCM_16": 16, "PCM_24": 24}.get(subtype, 32)
    samples = integers(bits, channels) / 2.0 ** (bits - 1)
    samples = samples if subtype in ("PCM_32", "DOUBLE") else samples.astype(np.float32)
    first = read(write(tmp_path / f"a{suffix}", samples, 44_100, subtype))
    assert (first.subtype, first.sample_rate, first.channels) == (subtype, 44_100, channels)
    assert first.samples.dtype == samples.dtype
    assert np.array_equal(first.samples, samples)
    write(tmp_path / f"b{suffix}", first.samples, 44_100, subtype)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("suffix", "bits"),
    [(".wav", 16), (".wav", 24), (".wav", 32), (".aiff", 16), (".aiff", 24), (".flac", 16), (".flac", 24)],
)
def test_integers_of_other_programs_survive(tmp_path: Path, suffix: str, bits: int) -> None:
    left = (integers(bits, 2) << (32 - bits)).astype(np.int32)
    soundfile.write(tmp_path / f"a{suffix}", left.T, 48_000, subtype=f"PCM_{bits}")
    audio = read(tmp_path / f"a{suffix}")
    write(tmp_path / "b.wav", audio.samples, 48_000, audio.subtype)
    back, _ = soundfile.read(tmp_path / "b.wav", dtype="int32", always_2d=True)
    assert np.array_equal(back.T, left)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([8, 16, 24, 32]), st.data())
def test_every_integer_has_its_float(bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    wide = np.float64 if bits == 32 else np.float32
    assert to_integers(np.array([value / 2 ** (bits - 1)], wide), bits)[0] == value


def test_wav_is_what_the_standard_library_expects(tmp_path: Path) -> None:
    values = integers(16, 2)
    write(tmp_path / "a.wav", (values / 2**15).astype(np.float32), 16_000)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 16_000)
        assert np.array_equal(np.frombuffer(file.readframes(-1), "<i2").reshape(-1, 2).T, values)


@pytest.mark.parametrize(("suffix", "subtype"), EXACT)
def test_same_request_same_bytes(tmp_path: Path, suffix: str, subtype: str) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        write(path, sine_wave(channels=2), 16_000, subtype, {"prompt": "Hündchen", "seed": 7})
        time.sleep(1.1 if subtype == "FLOAT" else 0)  # a stamp of seconds would show
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_over_full_scale_is_clipped(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", np.array([[1.5, -1.5, 1.0]], np.float32), 16_000)
    assert read(tmp_path / "a.wav").samples.tolist() == [[32767 / 32768, -1.0, 32767 / 32768]]


def test_write_replaces_or_leaves_alone(tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    target.write_bytes(b"old")
    with pytest.raises(ValueError, match="not numbers"):
        write(target, np.full((1, 10), np.nan, np.float32), 16_000)
    assert target.read_bytes() == b"old"
    write(target, sine_wave(), 16_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert read(target).channels == 1


@pytest.mark.parametrize(
    ("name", "subtype", "rate", "sentence"),
    [
        ("a.aac", "PCM_16", 16_000, "should end in .wav, .flac, .ogg or .mp3"),
        ("a.flac", "FLOAT", 16_000, "cannot hold FLOAT"),
        ("a.wav", "PCM_12", 16_000, "cannot hold PCM_12"),
        ("no/such/a.wav", "PCM_16", 16_000, "folder that does not exist"),
        ("a.flac", "PCM_16", 95_999, "FLAC cannot hold a rate of 95999 Hz"),
        ("a.wav", "PCM_16", 5, "sample rate of 5 Hz"),
    ],
)
def test_impossible_files(tmp_path: Path, name: str, subtype: str, rate: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        write(tmp_path / name, sine_wave(), rate, subtype)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- compressed sound and videos


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.opus", "libopus"), ("a.mka", "aac"), ("a.mp4", "aac"),
     ("Ton: 1 ü.m4a", "aac")],
)  # fmt: skip
def test_compressed_sound_decodes(tmp_path: Path, name: str, codec: str) -> None:
    audio = read(encoded(tmp_path / name, codec))
    assert (audio.sample_rate, audio.channels, audio.subtype) == (48_000, 2, "FLOAT")
    assert audio.seconds == pytest.approx(1.0, abs=0.06)
    assert_audio_valid(audio.samples)
    expected = sine_wave(440, 1.0, 48_000, 2)[:, 12_000:36_000]
    for heard, meant in zip(audio.samples[:, 12_000:36_000], expected, strict=True):
        assert np.corrcoef(heard, meant)[0, 1] > 0.98  # aligned: the encoder's delay is gone


def test_alac_keeps_its_integers(tmp_path: Path) -> None:
    values = integers(16, 2, 5000).astype(np.int16)
    with av.open(str(tmp_path / "a.m4a"), "w") as container:
        stream = container.add_stream("alac", rate=44_100, layout="stereo", format="s16p")
        frame = av.AudioFrame.from_ndarray(values, format="s16p", layout="stereo")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    audio = read(tmp_path / "a.m4a")
    assert audio.subtype == "PCM_16"
    assert np.array_equal(audio.samples[:, :5000] * 2**15, values)


def test_flac_of_unknown_length(tmp_path: Path) -> None:
    """Encoders that write to a pipe leave the length at zero."""
    path = write(tmp_path / "a.flac", sine_wave(channels=2), 16_000, "PCM_24")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    audio = read(path)
    assert audio.subtype == "PCM_24"
    assert audio.samples.shape == (2, 16_000)


def test_wav_from_a_pipe_reads_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", sine_wave(), 16_000)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert read(path).samples.shape == (1, 16_000)


# ---------------------------------------------------------------- what is refused


def wav_header(path: Path, rate: int, channels: int, count: int, held: int | None = None) -> Path:
    """An 8-bit WAV whose samples take no room on the disk; `held` is how many there really are."""
    size = count * channels
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, channels, rate,
                       rate * channels, channels, 8, b"data", size)  # fmt: skip
    with path.open("wb") as file:
        file.write(head)
        file.truncate(44 + (size if held is None else held * channels))
    return path


def flac_header(path: Path, count: int) -> Path:
    """A short FLAC that claims to hold `count` samples."""
    write(path, sine_wave(seconds=0.1), 16_000)
    data = bytearray(path.read_bytes())
    data[21] = (data[21] & 0xF0) | (count >> 32)
    data[22:26] = (count & 0xFFFF_FFFF).to_bytes(4, "big")
    path.write_bytes(data)
    return path


def test_files_beyond_the_limits(tmp_path: Path) -> None:
    begun = time.perf_counter()
    for make, sentence in [
        (lambda p: wav_header(p, 8_000, 1, 3 * 3600 * 8_000), "longer than 10 minutes"),
        (lambda p: wav_header(p, 5, 1, 100), "sample rate of 5 Hz"),
        (lambda p: wav_header(p, 384_000, 1, 1000), "sample rate of 384000 Hz"),
        (lambda p: wav_header(p, 16_000, 9, 1000), "9 channels"),
        (lambda p: wav_header(p, 16_000, 64, 1000), "64 channels"),
        (lambda p: wav_header(p, 16_000, 1, 0), "no samples"),
        (lambda p: wav_header(p, 192_000, 8, 192_000 * 300), "too much sound"),
        (lambda p: wav_header(p, 16_000, 1, 16_000, held=8_000), "ends early"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            read(make(tmp_path / "x.wav"))
    assert time.perf_counter() - begun < 2


def test_eight_channels_and_the_limits_themselves_are_fine(tmp_path: Path) -> None:
    assert read(wav_header(tmp_path / "x.wav", 192_000, 8, 1000)).channels == 8
    assert read(wav_header(tmp_path / "x.wav", 2_000, 1, 1000)).sample_rate == 2_000
    assert read(wav_header(tmp_path / "x.wav", 2_000, 1, 1_200_000)).seconds == 600


def test_flac_that_claims_three_hours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="longer than 10 minutes"):
        read(flac_header(tmp_path / "x.flac", 3 * 3600 * 16_000))
    with pytest.raises(ValueError, match="ends early"):
        read(flac_header(tmp_path / "x.flac", 16_000))


def test_long_compressed_sound_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encoded(tmp_path / "x.m4a", "aac", 3.0)
    monkeypatch.setattr(sound, "MAX_SECONDS", 2.0)
    monkeypatch.setattr("maa.audio.decode._decode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ValueError, match="longer than"):
        read(path)


def test_long_compressed_sound_without_a_length_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encoded(tmp_path / "x.aac", "aac", 3.0)
    monkeypatch.setattr(sound, "MAX_SECONDS", 2.0)
    with pytest.raises(ValueError, match="longer than"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.wav", b"Dear diary,\ntoday I went to the sea.\n" * 50, "is not a sound or video file"),
        ("a.txt", b"Dear diary,\ntoday I went to the sea.\n" * 50, "is not a sound or video file"),
        ("a.raw", bytes(1000), "is not a sound or video file"),
        ("a.wav", b"", "is empty"),
        ("a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "is not a sound or video file|damaged|no sound"),
        ("a.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n", "is not a sound or video"),
        ("a.mp4", b"ffconcat version 1.0\nfile b.wav\n", "is not a sound or video"),
    ],
)
def test_files_that_are_no_sound(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=sentence) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path in (tmp_path / "none.wav", tmp_path):
        with pytest.raises(ValueError, match="There is no sound file"):
            read(path)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff", ".m4a", ".mka"])
def test_truncated_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix in (".m4a", ".mka"):
        encoded(path, "aac", 4.0)
    else:
        soundfile.write(path, sine_wave(seconds=2, channels=2).T, 16_000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"ends early|damaged|is not a sound") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_truncated_mp4_with_its_index_in_front(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", container_options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(sine_wave(440, 4, 48_000), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes()[:-8000])
    with pytest.raises(ValueError, match="ends early"):
        read(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_in_a_file(tmp_path: Path, bad: float) -> None:
    samples = sine_wave()
    samples[0, 77] = bad
    soundfile.write(tmp_path / "a.wav", samples.T, 16_000, subtype="FLOAT")
    with pytest.raises(ValueError, match="not numbers"):
        read(tmp_path / "a.wav")


def test_a_video_without_sound(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, width=64, height=64)
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(ValueError, match="no sound track"):
        read(tmp_path / "a.mp4")
