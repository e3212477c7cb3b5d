"""Clips keep what they are: codec tags, the place of their own sound, and a container that is known before the work."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from maa.vision import own
from maa.vision.frames import video_facts, video_frames
from maa.vision.mux import check_container, container_for, mux
from tests.clips import beeping, index_of, make_clip

SILENCE = np.zeros((1, 32_000), np.float32)


def tag_of(path: Path) -> str:
    with av.open(str(path)) as container:
        return str(container.streams.video[0].codec_context.codec_tag)


@pytest.mark.parametrize("out", [".mp4", ".mov", ".m4v"])
@pytest.mark.parametrize(("source", "tag"), [("a.mkv", None), ("a.mp4", "hvc1"), ("a.mov", "hev1"), ("a.ts", None)])
def test_hevc_is_hvc1(tmp_path: Path, source: str, tag: str | None, out: str) -> None:
    with av.open(str(tmp_path / source), "w") as container:
        stream = container.add_stream("libx265", rate=10, options={"x265-params": "log-level=0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if tag:
            stream.codec_context.codec_tag = tag
        for level in range(10):
            picture = np.full((48, 64, 3), 20 * level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    assert tag_of(mux(tmp_path / source, SILENCE, 16_000, tmp_path / f"b{out}")) == "hvc1"
    assert len(video_frames(tmp_path / f"b{out}")[0]) == 4


def test_other_tags_are_the_sources(tmp_path: Path) -> None:
    for codec, pixels, tag in (("prores_ks", "yuv422p10le", "apch"), ("libx264", "yuv420p", "avc1")):
        source = coded(tmp_path / "a.mov", codec, pixels)
        assert tag_of(source) == tag_of(mux(source, SILENCE, 16_000, tmp_path / "b.mov"))
        assert tag in (tag_of(source), "apch")


def coded(path: Path, codec: str, pixels: str = "yuv420p", size: tuple[int, int] = (176, 144)) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        if codec == "dnxhd":
            stream.bit_rate = 110_000_000
        for index in range(10):
            picture = np.full((size[1], size[0], 3), 20 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "size", "suffix"),
    [("a.mov", "dnxhd", "yuv422p", (1280, 720), ".mov"), ("a.mov", "png", "rgb24", (64, 48), ".mp4"),
     ("a.mov", "qtrle", "rgb24", (64, 48), ".mov"), ("a.3gp", "h263", "yuv420p", (176, 144), ".mov"),
     ("a.gif", "gif", "rgb8", (64, 48), ".mov"), ("a.avi", "cinepak", "rgb24", (64, 48), ".mov"),
     ("a.mov", "prores_ks", "yuv422p10le", (64, 48), ".mkv"), ("a.avi", "ffv1", "yuv420p", (64, 48), ".mkv")],
)  # fmt: skip
def test_containers_are_asked(
    tmp_path: Path, name: str, codec: str, pixels: str, size: tuple[int, int], suffix: str
) -> None:
    source = coded(tmp_path / name, codec, pixels, size)
    assert container_for(source) == suffix
    out = mux(source, SILENCE, 16_000, tmp_path / f"b{suffix}")
    with av.open(str(out)) as container:
        assert len(list(container.decode(video=0))) == 10


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [("a.wmv", "wmv2", "yuv420p"), ("a.flv", "flv", "yuv420p"), ("a.avi", "huffyuv", "yuv422p"),
     ("a.avi", "rawvideo", "yuv420p"), ("a.h264", "libx264", "yuv420p")],
)  # fmt: skip
def test_what_fits_nowhere_is_said_before_the_work(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    source = coded(tmp_path / name, codec, pixels)
    for ask in (lambda: container_for(source), lambda: check_container(source, ".mkv")):
        with pytest.raises(ValueError, match=r"fits into no file that is written here .* sound alone as \.wav"):
            ask()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_command_line_asks_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from maa.cli import main

    source = coded(tmp_path / "a.wmv", "wmv2")
    status = main(["video", str(source), "-o", str(tmp_path / "b.mp4"), "--model", str(tmp_path / "no-such-model")])
    assert status == 2
    assert "fits into no file" in capsys.readouterr().err


def test_names_with_a_colon(tmp_path: Path) -> None:
    (tmp_path / "take1:final").mkdir()
    source = make_clip(tmp_path / "a.mp4")
    for suffix in (".mp4", ".mkv"):
        out = mux(source, SILENCE, 16_000, tmp_path / "take1:final" / f"http:o{suffix}")
        assert video_facts(out).has_audio


# ---------------------------------------------------------------- the clip's own sound


def test_own_sound_ends_with_the_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = beeping(tmp_path / "a.mkv", "libx264", [(0.0, 60.0)], frames=10)
    out = mux(source, SILENCE, 16_000, tmp_path / "b.mkv", "mix")
    with av.open(str(out)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) / 48_000 == pytest.approx(2.0, abs=0.05)
    decoded, _ = own._frames(source, 0.0, 2.0)
    assert sum(frame.samples for frame in decoded) < 2.1 * 48_000
    monkeypatch.setattr(own, "MAX_VALUES", 48_000)
    with pytest.raises(ValueError, match="too long to be mixed"):
        mux(source, SILENCE, 16_000, tmp_path / "b.mkv", "mix")


def test_frames_shown_late_are_the_beginning(tmp_path: Path) -> None:
    """AVI counts frames as they are stored: with frames out of order the first one is shown a frame later."""
    with av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(50):
            picture = np.full((48, 64, 3), 20 + 4 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    assert video_facts(tmp_path / "a.avi").seconds == pytest.approx(2.0, abs=0.01)
    out = mux(tmp_path / "a.avi", SILENCE, 16_000, tmp_path / "b.mkv")
    with av.open(str(out)) as container:
        assert next(container.decode(video=0)).time == pytest.approx(0.0, abs=0.002)
    with av.open(str(out)) as container:
        assert next(container.decode(audio=0)).time == pytest.approx(0.0, abs=0.010)


def test_programme_streams_have_their_length(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mpg"), "w", format="mpeg") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(100):
            picture = np.full((48, 64, 3), 2 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    assert video_facts(tmp_path / "a.mpg").seconds == pytest.approx(4.0, abs=0.01)


# ---------------------------------------------------------------- pictures that grow, and one key frame


def test_later_pictures_may_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A VP8 clip whose second key frame is larger than the header says."""
    data: list[bytes] = []
    for size in ((64, 48), (640, 480)):
        codec = av.CodecContext.create("libvpx", "w")
        codec.width, codec.height, codec.pix_fmt, codec.time_base = *size, "yuv420p", Fraction(1, 10)
        frame = av.VideoFrame(*size, "yuv420p")
        frame.pts = 0
        data += [bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)]]
    with av.open(str(tmp_path / "a.webm"), "w") as container:
        stream = container.add_stream("libvpx", rate=10, width=64, height=48)
        container.start_encoding()
        for index, payload in enumerate(data):
            packet = av.Packet(payload)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 1000), True
            packet.pts = packet.dts = 100 * index
            container.mux(packet)
    assert {frame.shape for frame in video_frames(tmp_path / "a.webm")[0]} == {(48, 64, 3), (480, 640, 3)}
    monkeypatch.setattr("maa.vision.video._LIMITS", {"max_pixels": "100000"})
    assert {frame.shape for frame in video_frames(tmp_path / "a.webm")[0]} == {(48, 64, 3)}
    monkeypatch.setattr("maa.vision.video._LIMITS", {})
    monkeypatch.setattr("maa.vision.video.MAX_PIXELS", 100_000)
    with pytest.raises(ValueError, match="has a picture of 640 x 480 pixels"):
        video_frames(tmp_path / "a.webm")


def test_many_large_pictures_are_made_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maa.vision.frames import clip_frames

    source = make_clip(tmp_path / "a.mp4", size=(640, 480))
    whole, _ = clip_frames(source, [(0.0, 1.0), (1.0, 2.0)])
    assert whole[0][0].shape == (480, 640, 3)
    monkeypatch.setattr("maa.vision.frames.MAX_BYTES", 8 * 3 * 20_000)
    rows, _ = clip_frames(source, [(0.0, 1.0), (1.0, 2.0)])
    assert all(frame.shape[0] * frame.shape[1] <= 20_000 for row in rows for frame in row)
    assert [index_of(frame) for frame in rows[1]] == [11, 13, 16, 18]


def test_a_clip_of_one_key_frame_is_decoded_once(tmp_path: Path) -> None:
    from maa.vision.video import Reel, open_video

    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "1000", "keyint_min": "1000"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(100):
            picture = np.full((48, 64, 3), 20 + 2 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    with open_video(tmp_path / "a.mp4") as clip, open_video(tmp_path / "a.mp4") as index:
        reel = Reel(tmp_path / "a.mp4", clip, index)
        reel.describe()
        seeks = []
        seek = reel._seek
        reel._seek = lambda tick: (seeks.append(tick), seek(tick))[1]  # type: ignore[method-assign]
        shades = [round((float(reel.picture_at(0.5 + k / 2).mean()) - 20) / 2) for k in range(7)]
    assert len(seeks) == 1
    assert shades == pytest.approx([12, 25, 37, 50, 62, 75, 87], abs=1)
