"""Files of recorders, editors and radio dumps: all of the sound is read, in its place, and nothing of them is lost."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from maa.audio.carried import carried
from maa.audio.io import Audio, check_audible, read, write
from maa.audio.sound import amplified, mono
from maa.config import AudioSpec
from maa.pipeline.filling import Extension, Filling
from maa.pipeline.result import Generation
from tests.sounds import sine_wave

PCM = np.dtype("<i2")


def tone(hertz: float, seconds: float, rate: int = 44_100) -> np.ndarray:
    return sine_wave(hertz, seconds, rate, peak=0.3)[0]


def pitch(wave: np.ndarray, rate: int) -> float:
    """The loudest frequency, Hz."""
    return float(np.abs(np.fft.rfft(wave)).argmax()) * rate / len(wave)


# ---------------------------------------------------------------- joined files


@pytest.mark.parametrize("parts", [2, 3])
@pytest.mark.parametrize(
    ("suffix", "kind", "subtype"),
    [
        (".mp3", "MP3", "MPEG_LAYER_III"),
        (".ogg", "OGG", "VORBIS"),
        (".opus", "OGG", "OPUS"),
        (".flac", "FLAC", "PCM_16"),
    ],
)
def test_joined_files_are_read_whole(tmp_path: Path, suffix: str, kind: str, subtype: str, parts: int) -> None:
    rate, data, single = 48_000, b"", tmp_path / f"one{suffix}"
    for index in range(parts):
        soundfile.write(single, tone(440 * (index + 1), 1.0 + index, rate), rate, format=kind, subtype=subtype)
        data += single.read_bytes()
    (tmp_path / f"all{suffix}").write_bytes(data)
    sound = read(tmp_path / f"all{suffix}")
    assert sound.seconds == pytest.approx(sum(range(1, parts + 1)), abs=0.1 * parts)
    assert pitch(sound.mono()[-rate // 2 :], rate) == pytest.approx(440 * parts, abs=4)
    assert pitch(sound.mono()[: rate // 2], rate) == pytest.approx(440, abs=4)


@pytest.mark.parametrize(("suffix", "kind"), [(".mp3", "MP3"), (".ogg", "OGG"), (".flac", "FLAC")])
def test_single_files_are_read_as_before(tmp_path: Path, suffix: str, kind: str) -> None:
    soundfile.write(tmp_path / f"a{suffix}", tone(440, 2.0), 44_100, format=kind)
    assert np.array_equal(
        read(tmp_path / f"a{suffix}").samples[0], soundfile.read(tmp_path / f"a{suffix}", dtype="float32")[0]
    )


# ---------------------------------------------------------------- pauses


def recorded(path: Path, codec: str, gaps: dict[float, float], seconds: float = 4.0) -> Path:
    """A 440 Hz tone with clicks at every second; at each key of `gaps` the clock jumps on by its value."""
    wave = 0.1 * tone(440, seconds, 48_000)
    for second in range(1, int(seconds)):
        wave[48_000 * second : 48_000 * second + 480] = 0.9
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        for at in range(0, len(wave), 960):
            shift = sum(late for when, late in gaps.items() if at / 48_000 >= when)
            frame = av.AudioFrame.from_ndarray(wave[None, at : at + 960].copy(), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, at + round(48_000 * shift), Fraction(1, 48_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def clicks(wave: np.ndarray) -> list[float]:
    """Seconds of the clicks."""
    loud = np.flatnonzero(np.abs(wave) > 0.4) / 48_000
    return [float(t) for t in loud[np.diff(loud, prepend=-1.0) > 0.2]]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.webm", "libopus"), ("a.mka", "libopus"), ("a.mka", "aac"), ("a.m4a", "aac")]
)
@pytest.mark.parametrize("gaps", [{2.5: 3.0}, {0.5: 0.05, 1.5: 0.2, 2.5: 1.0}])
def test_pauses_stay_where_they_are(tmp_path: Path, name: str, codec: str, gaps: dict[float, float]) -> None:
    sound = read(recorded(tmp_path / name, codec, gaps))
    assert sound.seconds == pytest.approx(4.0 + sum(gaps.values()), abs=0.05)
    wanted = [second + sum(late for when, late in gaps.items() if second >= when) for second in (1, 2, 3)]
    assert clicks(sound.mono()) == pytest.approx(wanted, abs=0.010)


def test_trembling_time_stamps_are_no_pauses(tmp_path: Path) -> None:
    from maa.timeline import pauses

    rng = np.random.default_rng(0)
    times = [0.02 * k + rng.uniform(-0.015, 0.015) for k in range(200)]
    assert sum(pauses(list(times), [960] * 200, 48_000)) < 0.02 * 48_000
    late = [t + (0.5 if k >= 100 else 0) for k, t in enumerate(times)]
    gaps = pauses(late, [960] * 200, 48_000)
    assert sum(gaps) == pytest.approx(0.5 * 48_000, abs=0.03 * 48_000)
    assert pauses([None] * 5, [10] * 5, 1000) == [0] * 5
    assert pauses([5.0, 6.0, 0.0, 1.0], [1000] * 4, 1000) == [0] * 4  # a clock that starts anew
    assert pauses([0.0, 3600.0], [1000] * 2, 1000, "mpegts") == [0, 0]


# ---------------------------------------------------------------- lengths that are wrong


def riff(*parts: tuple[bytes, bytes, int], length: int | None = None) -> bytes:
    """A WAV file of (name, payload, the size that its header says)."""
    body = b"WAVE" + b"".join(name + struct.pack("<I", size) + data for name, data, size in parts)
    return b"RIFF" + struct.pack("<I", len(body) if length is None else length) + body


FMT = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)


@pytest.mark.parametrize("said", [0, 32_002, 32_036, 32_044, 32_064])
@pytest.mark.parametrize("length", [0, None])
def test_wav_of_a_wrong_length(tmp_path: Path, said: int, length: int | None) -> None:
    values = (10_000 * np.sin(np.arange(16_000) / 7)).astype(PCM)
    (tmp_path / "a.wav").write_bytes(riff((b"fmt ", FMT, 16), (b"data", values.tobytes(), said), length=length))
    sound = read(tmp_path / "a.wav")
    assert np.array_equal(sound.samples[0] * 32_768, values)


def test_other_formats_of_length_zero(tmp_path: Path) -> None:
    wave = tone(440, 1.0, 16_000)
    for kind, suffix, at, count in (("AU", ".au", 8, 4), ("RF64", ".rf64", 28, 8)):
        path = tmp_path / f"a{suffix}"
        soundfile.write(path, wave, 16_000, format=kind, subtype="PCM_16")
        data = bytearray(path.read_bytes())
        data[at : at + count] = bytes(count)
        path.write_bytes(data)
        assert read(path).samples.shape == (1, 16_000), kind


def test_a_wav_that_is_really_empty(tmp_path: Path) -> None:
    for more in ((), ((b"LIST", b"INFO", 4),)):
        (tmp_path / "a.wav").write_bytes(riff((b"fmt ", FMT, 16), (b"data", b"", 0), *more))
        with pytest.raises(ValueError, match="no samples"):
            read(tmp_path / "a.wav")
    values = bytes(32_000)
    (tmp_path / "a.wav").write_bytes(riff((b"fmt ", FMT, 16), (b"data", values, 32_066)))
    with pytest.raises(ValueError, match="ends early"):
        read(tmp_path / "a.wav")


# ---------------------------------------------------------------- channels that cancel


@pytest.mark.parametrize("rate", [16_000, 48_000])
@pytest.mark.parametrize(
    "factors", [(1, -1), (1, -0.5), (0.5, -1), (1, -1, 0.5), (1, -0.5, -0.5), (1, 1, -1, -1), (1, -1, 0, 0, 1, -1)]
)
def test_opposite_phases_are_heard(factors: tuple[float, ...], rate: int) -> None:
    wave = 0.1 * np.random.default_rng(0).standard_normal(3 * rate).astype(np.float32)
    heard = mono(np.array(factors, np.float32)[:, None] * wave)
    same = mono(np.abs(np.array(factors, np.float32))[:, None] * wave)
    assert 20 * np.log10(heard.std() / same.std()) == pytest.approx(0, abs=0.5)
    assert np.abs(np.corrcoef(heard, wave)[0, 1]) > 0.999


def test_phases_that_turn_for_some_time() -> None:
    rate = 48_000
    wave = 0.1 * np.random.default_rng(0).standard_normal(6 * rate).astype(np.float32)
    other = wave.copy()
    other[2 * rate : 4 * rate] *= -1
    heard = mono(np.stack([wave, other]))
    assert heard[2 * rate + 40_000 : 4 * rate - 40_000].std() == pytest.approx(wave.std(), rel=0.05)
    assert np.array_equal(heard[:rate], ((wave + other) / 2)[:rate])


def test_a_pair_that_cancels_among_others() -> None:
    rng = np.random.default_rng(0)
    x, y, z = 0.1 * rng.standard_normal((3, 96_000)).astype(np.float32)
    heard = mono(np.stack([x, -x, y, z]))
    assert np.corrcoef(heard, x)[0, 1] > 0.7


def test_usual_channels_stay_their_mean() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 200_000)).astype(np.float32)
    for samples in (np.stack([x, y]), np.stack([x, x]), np.stack([x, -0.1 * x]), np.stack([x + 0.3 * y, x - 0.3 * y])):
        assert np.array_equal(mono(samples), samples.mean(axis=0))


# ---------------------------------------------------------------- what else a WAV says


def broadcast(path: Path) -> dict[bytes, bytes]:
    """A 5.1 recording with everything that a mixer puts into one; its chunks."""
    extensible = struct.pack("<HHIIHHHHI", 0xFFFE, 6, 48_000, 576_000, 12, 16, 22, 16, 0x60F)
    extensible += bytes.fromhex("0100000000001000800000aa00389b71")
    values = (3000 * np.random.default_rng(0).standard_normal((48_000, 6))).astype(PCM)
    parts = {
        b"bext": bytes(320) + b"2026-01-0110:00:00" + struct.pack("<QH", 172_800_000, 1) + bytes(254),
        b"fmt ": extensible,
        b"data": values.tobytes(),
        b"cue ": struct.pack("<I", 1) + struct.pack("<II4sIII", 1, 24_000, b"data", 0, 0, 24_000),
        b"smpl": struct.pack("<9I", 0, 0, 20_833, 60, 0, 0, 0, 1, 0) + struct.pack("<6I", 0, 0, 12_000, 40_000, 0, 0),
        b"iXML": b"<BWFXML><SCENE>12</SCENE></BWFXML> ",
        b"LIST": b"adtl" + b"labl" + struct.pack("<II", 8, 1) + b"hit\0",
    }
    padded = [(name, data + bytes(len(data) % 2), len(data)) for name, data in parts.items()]
    path.write_bytes(riff(*padded))
    return parts


def chunks_of(path: Path) -> dict[bytes, bytes]:
    data, at, found = path.read_bytes(), 12, {}
    while at < len(data):
        name, size = struct.unpack("<4sI", data[at : at + 8])
        found.setdefault(name, data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return found


def saved(source: Audio, path: Path, rate: int | None = None) -> dict[bytes, bytes]:
    """As an edit is saved: the source's samples with what its file said."""
    made = Generation(source.samples[None], source.sample_rate, np.zeros((1, 80, 1), np.float32), (1,), None,
                      {"seed": 1}, subtype=source.subtype, carried=source.carried)  # fmt: skip
    return chunks_of(made.save(path, rate=rate))


def test_chunks_survive(tmp_path: Path) -> None:
    before = broadcast(tmp_path / "in.wav")
    source = read(tmp_path / "in.wav")
    after = saved(source, tmp_path / "out.wav")
    assert {name: after[name] for name in before} == before
    assert list(after)[:3] == [b"bext", b"fmt ", b"data"]
    assert soundfile.info(tmp_path / "out.wav").format == "WAVEX"
    assert np.array_equal(read(tmp_path / "out.wav").samples, source.samples)


def test_chunks_move_with_the_sound(tmp_path: Path) -> None:
    before = broadcast(tmp_path / "in.wav")
    spec = AudioSpec()
    longer = Extension.of(read(tmp_path / "in.wav"), Filling(before=0.512), spec).source
    after, late = saved(longer, tmp_path / "out.wav"), round(0.512 * 48_000)
    assert struct.unpack("<II4sIII", after[b"cue "][4:])[1::4] == (24_000 + late, 24_000 + late)
    assert struct.unpack("<II", after[b"smpl"][44:52]) == (12_000 + late, 40_000 + late)
    assert struct.unpack("<Q", after[b"bext"][338:346])[0] == 172_800_000 - late
    assert after[b"iXML"] == before[b"iXML"]
    slower = saved(read(tmp_path / "in.wav"), tmp_path / "half.wav", rate=24_000)
    assert struct.unpack("<II4sIII", slower[b"cue "][4:])[1::4] == (12_000, 12_000)
    assert struct.unpack("<Q", slower[b"bext"][338:346])[0] == 86_400_000


def test_plain_files_stay_plain(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", sine_wave(channels=2), 16_000, "PCM_16", {"seed": 1})
    source = read(tmp_path / "a.wav")
    write(tmp_path / "b.wav", source.samples, 16_000, "PCM_16", {"seed": 1}, source.carried)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    soundfile.write(tmp_path / "c.aiff", sine_wave().T, 16_000)
    assert carried(tmp_path / "c.aiff").behind == ()


# ---------------------------------------------------------------- quiet sounds and odd names


@pytest.mark.parametrize("decibels", [-78, -82, -100, -140])
def test_quiet_float_recordings_are_sounds(tmp_path: Path, decibels: float) -> None:
    wave = (10 ** (decibels / 20) * sine_wave(peak=1.0)).astype(np.float32)
    sound = read(write(tmp_path / "a.wav", wave, 16_000, "FLOAT"))
    check_audible(sound)
    loud, gain = amplified(sound, 1e-3)
    assert 0.24 < np.abs(loud.samples).max() <= 0.5
    assert np.array_equal(loud.samples / np.float32(gain), wave)
    with pytest.raises(ValueError, match="silent"):
        check_audible(Audio(np.zeros((1, 100), np.float32), 16_000))


def test_names_that_are_no_text(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/Aufnahme \xe4"
    os.mkdir(folder)
    for suffix in (".wav", ".flac"):
        path = Path(os.fsdecode(folder + b"/H\xfcndchen" + suffix.encode()))
        assert np.array_equal(read(write(path, sine_wave(), 16_000)).samples, read(path).samples)
    path = Path(os.fsdecode(folder + b"/t\xf6ne.mka"))
    recorded(tmp_path / "a.mka", "libopus", {}).rename(path)
    assert read(path).seconds == pytest.approx(4.0, abs=0.05)
