"""New sound onto a clip: the picture's packets are the very same bytes, and the sound begins with the first frame."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from maa.vision.frames import video_frames
from maa.vision.mux import container_for, mux
from tests.clips import index_of, make_clip, rotate
from tests.sounds import sine_wave


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]


def times(path: Path) -> list[float]:
    """When each frame is shown, from the first on."""
    with av.open(str(path)) as container:
        shown = [frame.time for frame in container.decode(container.streams.video[0])]
    return [round(time - shown[0], 3) for time in shown]


def sound_of(path: Path) -> tuple[np.ndarray, float]:
    """The sound track [channels, n] at 48 kHz and when it begins, relative to the first frame."""
    with av.open(str(path)) as container:
        first = next(container.decode(container.streams.video[0])).time
        container.seek(0)
        assert len(container.streams.audio) == 1
        assert container.streams.audio[0].sample_rate == 48_000
        frames = list(container.decode(container.streams.audio[0]))
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1), frames[0].time - first


def clicks(seconds: float = 2.0, rate: int = 16_000, at: float = 0.5) -> np.ndarray:
    wave = np.zeros((1, round(seconds * rate)), np.float32)
    wave[:, round(at * rate) : round((at + 0.01) * rate)] = 0.8
    return wave


def onset(wave: np.ndarray) -> float:
    """Second of the first loud sample."""
    return float(np.argmax(np.abs(wave).max(axis=0) > 0.3)) / 48_000


@pytest.mark.parametrize(
    ("name", "codec", "out"),
    [("a.mp4", "libx264", "b.mp4"), ("a.mp4", "libx264", "b.mov"), ("a.mp4", "libx264", "b.mkv"),
     ("a.mov", "libx264", "b.mp4"), ("a.mkv", "libx264", "b.mp4"), ("a.mp4", "mpeg4", "b.mp4"),
     ("a.mp4", "libx265", "b.mp4"), ("a.webm", "libvpx", "b.webm"), ("a.webm", "libvpx-vp9", "b.webm"),
     ("a.webm", "libvpx-vp9", "b.mp4"), ("a.avi", "mjpeg", "b.mkv"), ("Film: 1 ü.mp4", "libx264", "Ton: 2 ü.mp4")],
)  # fmt: skip
def test_picture_packets_are_the_same_bytes(tmp_path: Path, name: str, codec: str, out: str) -> None:
    source = make_clip(tmp_path / name, codec=codec, sound=0.0 if codec == "mjpeg" else 2.0,
                       sound_codec="libopus" if name.endswith("webm") else "aac")  # fmt: skip
    target = mux(source, clicks(), 16_000, tmp_path / out)
    assert target == tmp_path / out
    assert packets(target) == packets(source)
    assert times(target) == pytest.approx(times(source), abs=0.0015)
    frames, info = video_frames(target)
    assert [index_of(frame) for frame in frames] == [2, 7, 12, 17]
    assert info.has_audio
    wave, begin = sound_of(target)
    assert begin + onset(wave) == pytest.approx(0.5, abs=0.004)
    assert wave.shape[1] / 48_000 == pytest.approx(2.0, abs=0.05)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, out])


def test_variable_frame_rate_and_late_starts_survive(tmp_path: Path) -> None:
    shown = [5.0, 5.1, 5.15, 5.7, 6.5, 6.51]
    source = make_clip(tmp_path / "a.mkv", shown)
    target = mux(source, clicks(), 16_000, tmp_path / "b.mp4")
    assert packets(target) == packets(source)
    assert times(target) == pytest.approx([time - 5.0 for time in shown], abs=0.0015)
    wave, begin = sound_of(target)
    assert begin + onset(wave) == pytest.approx(0.5, abs=0.004)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_survives(tmp_path: Path, degrees: int) -> None:
    source = rotate(make_clip(tmp_path / "a.mp4"), degrees)
    target = mux(source, clicks(), 16_000, tmp_path / "b.mp4")
    with av.open(str(source)) as before, av.open(str(target)) as after:
        angles = [next(container.decode(video=0)).rotation for container in (before, after)]
    assert angles[0] == angles[1] != 0
    assert packets(target) == packets(source)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_same_request_same_bytes(tmp_path: Path, suffix: str) -> None:
    source = make_clip(tmp_path / f"a{suffix}", codec="libvpx-vp9" if suffix == ".webm" else "libx264")
    for name in "bc":
        mux(source, clicks(), 16_000, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"b{suffix}").read_bytes() == (tmp_path / f"c{suffix}").read_bytes()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_sound_in_is_sound_out(tmp_path: Path, channels: int, rate: int) -> None:
    source = make_clip(tmp_path / "a.mp4", sound=2.0)
    tone = sine_wave(330, 2.0, rate, channels)
    wave, _ = sound_of(mux(source, tone, rate, tmp_path / "b.mp4"))
    assert len(wave) == channels
    wanted = sine_wave(330, 2.0, 48_000, channels)
    for heard, meant in zip(wave[:, 4_800:90_000], wanted[:, 4_800:90_000], strict=True):
        assert np.corrcoef(heard, meant)[0, 1] > 0.98


def test_own_sound_is_replaced_or_mixed(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", sound=2.0)  # 440 Hz in stereo
    own = sine_wave(440, 2.0, 48_000, 2)[:, 4_800:90_000]

    def share(original: str, gain: float = 1.0) -> float:
        """How much of the clip's own sound is in the result."""
        name = tmp_path / f"{original}{gain}.mp4"
        wave, _ = sound_of(mux(source, 0.3 * clicks(), 16_000, name, original, gain))  # type: ignore[arg-type]
        return float((wave[:, 4_800:90_000] * own).sum() / (own * own).sum())

    assert share("replace") == pytest.approx(0.0, abs=0.02)
    assert share("mix") == pytest.approx(1.0, abs=0.05)
    assert share("mix", 0.25) == pytest.approx(0.25, abs=0.03)


def test_a_mix_does_not_clip_and_keeps_the_longer_sound(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4", sound=2.0)
    wave, _ = sound_of(mux(source, sine_wave(440, 3.0, 48_000, peak=1.0), 48_000, tmp_path / "b.mp4", "mix"))
    assert len(wave) == 2
    assert np.abs(wave[:, 4_800:90_000]).max() < 1.1  # the encoder overshoots a little
    assert wave.shape[1] / 48_000 == pytest.approx(3.0, abs=0.05)


def test_mixing_with_a_silent_clip_and_a_late_track(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "a.mp4")
    assert onset(sound_of(mux(silent, clicks(), 16_000, tmp_path / "b.mp4", "mix"))[0]) == pytest.approx(0.5, abs=0.004)
    late = make_clip(tmp_path / "c.mkv", [1 + index / 10 for index in range(20)], sound=3.0)  # sound leads by 1 s
    wave, begin = sound_of(mux(late, np.zeros((1, 32_000), np.float32), 16_000, tmp_path / "d.mkv", "mix"))
    assert begin + wave.shape[1] / 48_000 == pytest.approx(2.0, abs=0.06)


def test_metadata_of_the_work_stays(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mp4")
    with av.open(str(source)) as container, av.open(str(tmp_path / "b.mp4"), "w") as titled:
        copy = titled.add_stream_from_template(container.streams.video[0])
        titled.metadata["title"] = "Hündchen"
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = copy
                titled.mux(packet)
    with av.open(str(mux(tmp_path / "b.mp4", clicks(), 16_000, tmp_path / "c.mp4"))) as container:
        assert container.metadata["title"] == "Hündchen"


@pytest.mark.parametrize(
    ("name", "codec", "suffix"),
    [("a.mp4", "libx264", ".mp4"), ("a.mkv", "libx264", ".mp4"), ("a.webm", "libvpx", ".webm"),
     ("a.mkv", "libvpx", ".webm"), ("a.webm", "libvpx-vp9", ".webm"), ("a.mkv", "libvpx-vp9", ".mp4")],
)  # fmt: skip
def test_container_that_takes_the_picture(tmp_path: Path, name: str, codec: str, suffix: str) -> None:
    source = make_clip(tmp_path / name, codec=codec)
    assert container_for(source) == suffix
    mux(source, clicks(), 16_000, tmp_path / f"b{suffix}")


@pytest.mark.parametrize(
    ("samples", "rate", "out", "sentence"),
    [
        (np.zeros((1, 1000), np.float32), 16_000, "b.avi", "should end in .mp4"),
        (np.zeros((1, 1000), np.float32), 16_000, "no/b.mp4", "choose another place"),
        (np.zeros((1, 1000), np.float32), 16_000, "b.webm", "does not fit into a .webm file; use .mp4"),
        (np.zeros((3, 1000), np.float32), 16_000, "b.mp4", "mono or stereo"),
        (np.zeros((1, 0), np.float32), 16_000, "b.mp4", "mono or stereo"),
        (np.full((1, 1000), np.nan, np.float32), 16_000, "b.mp4", "finite"),
    ],
)
def test_impossible_requests(tmp_path: Path, samples: np.ndarray, rate: int, out: str, sentence: str) -> None:
    source = make_clip(tmp_path / "a.mp4")
    with pytest.raises(ValueError, match=sentence):
        mux(source, samples, rate, tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_no_video_no_result(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("not a video")
    (tmp_path / "b.mp4").write_bytes(b"yesterday's result")
    for original in ("replace", "mix"):
        with pytest.raises(ValueError, match="is not a video"):
            mux(tmp_path / "a.mp4", clicks(), 16_000, tmp_path / "b.mp4", original)  # type: ignore[arg-type]
    assert (tmp_path / "b.mp4").read_bytes() == b"yesterday's result"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_own_sound_is_kept_packet_by_packet(tmp_path: Path, suffix: str) -> None:
    """Both tracks are there: the old one's packets untouched, the new one beginning with the picture."""
    source = make_clip(tmp_path / "a.mp4", sound=2.0)
    out = mux(source, clicks(), 16_000, tmp_path / f"b{suffix}", original="keep")
    assert packets(out) == packets(source)
    with av.open(str(source)) as before, av.open(str(out)) as after:
        assert [stream.type for stream in after.streams] == ["video", "audio", "audio"]
        old = [bytes(packet) for packet in before.demux(before.streams.audio[0]) if packet.size]
        assert [bytes(packet) for packet in after.demux(after.streams.audio[0]) if packet.size] == old
    with av.open(str(out)) as after:
        new = np.concatenate([frame.to_ndarray() for frame in after.decode(after.streams.audio[1])], axis=1)
    assert onset(new) == pytest.approx(0.5, abs=0.03)


def test_keeping_nothing_is_replacing(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "silent.mp4")
    kept, replaced = (
        mux(source, clicks(), 16_000, tmp_path / f"{original}.mp4", original=original).read_bytes()
        for original in ("keep", "replace")
    )
    assert kept == replaced


def test_own_sound_decides_the_container(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", sound=1.0, sound_codec="pcm_s16le")
    assert container_for(source) == ".mp4"
    assert container_for(source, "keep") == ".mkv"
    with pytest.raises(ValueError, match=r"could not be copied|does not fit"):
        mux(source, clicks(), 16_000, tmp_path / "b.mp4", original="keep")


@pytest.mark.parametrize(("name", "suffix"), [("a.mp4", ".mp4"), ("a.webm", ".webm"), ("a.mp4", ".mkv")])
@pytest.mark.parametrize("frames", [[0.0, 0.04, 0.08, 1.0, 1.9], [index / 12.5 for index in range(25)]])
def test_sound_begins_and_ends_with_the_picture(tmp_path: Path, name: str, suffix: str, frames: list[float]) -> None:
    codec = "libvpx" if name.endswith("webm") else "libx264"
    source = make_clip(tmp_path / name, frames, codec=codec)
    length = frames[-1] + 0.1
    out = mux(source, clicks(length, at=0.0), 16_000, tmp_path / f"b{suffix}")
    with av.open(str(out)) as container:
        first = next(container.decode(video=0)).time
    with av.open(str(out)) as container:  # again from the start: a seek would lose what comes before zero
        heard = list(container.decode(audio=0))
    wave = np.concatenate([frame.to_ndarray() for frame in heard], axis=1)
    assert abs(heard[0].time - first) <= 0.010
    assert onset(wave) <= 0.010
    assert wave.shape[1] / 48_000 == pytest.approx(length, abs=0.025), "one frame of the codec"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_settings_travel_in_the_comment(tmp_path: Path, suffix: str) -> None:
    from maa.audio.tags import block, read_tags

    codec = "libvpx" if suffix == ".webm" else "libx264"
    source = make_clip(tmp_path / f"a{suffix}", codec=codec)
    settings = {"prompt": "ein Hündchen 犬", "seed": 7}
    out = mux(source, clicks(), 16_000, tmp_path / f"b{suffix}", comment=block(settings))
    assert read_tags(out) == settings
    assert read_tags(source) is None
