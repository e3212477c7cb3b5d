"""Pictures and video frames: upright, at even distances in time, and one sentence for everything that is wrong."""

from __future__ import annotations

import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from maa.vision.frames import load_image, shrink, video_frames
from tests.clips import index_of, make_clip, rotate


def corners(image: np.ndarray) -> list[int]:
    """Red values of the four corners, clockwise from the top left."""
    return [int(image[y, x, 0]) for y, x in ((0, 0), (0, -1), (-1, -1), (-1, 0))]


@pytest.fixture
def marked() -> np.ndarray:
    """A 40 x 30 picture whose corners are 10, 80, 160, 240 clockwise from the top left."""
    image = np.zeros((30, 40, 3), np.uint8)
    for (y, x), value in zip(((0, 0), (0, 20), (15, 20), (15, 0)), (10, 80, 160, 240), strict=True):
        image[y : y + 15, x : x + 20] = value
    return image


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg", ".gif"])
def test_picture_files(tmp_path: Path, marked: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(marked).save(path, **({"quality": 100} if suffix in (".jpg", ".webp") else {}))
    for image in (load_image(path), load_image(str(path))):
        assert (image.shape, image.dtype) == ((30, 40, 3), np.uint8)
        assert np.abs(np.array(corners(image)) - (10, 80, 160, 240)).max() <= 3


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [(1, (10, 80, 160, 240)), (2, (80, 10, 240, 160)), (3, (160, 240, 10, 80)), (6, (240, 10, 80, 160)),
     (8, (80, 160, 240, 10))],
)  # fmt: skip
def test_exif_orientation(
    tmp_path: Path, marked: np.ndarray, orientation: int, expected: tuple[int, int, int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(marked)
    picture.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        for image in (load_image(tmp_path / "a.png"), load_image(opened)):
            assert tuple(corners(image)) == expected


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    layers = np.zeros((10, 10, 4), np.uint8)
    layers[:, 5:, 3] = 255
    Image.fromarray(layers).save(tmp_path / "a.png")
    Image.fromarray(layers).convert("P").save(tmp_path / "b.png")
    for source in (tmp_path / "a.png", Image.fromarray(layers), layers, tmp_path / "b.png"):
        image = load_image(source)
        assert image[0, 0].tolist() == [255, 255, 255]
        assert image[0, 9].tolist() == [0, 0, 0]


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "LAB", "HSV", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    picture = Image.new(mode, (16, 16), {"I;16": 65_535, "I": 65_535, "F": 255.0, "1": 1}.get(mode, 0))
    image = load_image(picture)
    assert (image.shape, image.dtype) == ((16, 16, 3), np.uint8)
    if mode in ("I;16", "I", "F", "1"):
        assert image.min() == 255


def test_arrays(marked: np.ndarray) -> None:
    assert np.array_equal(load_image(marked), marked)
    assert np.array_equal(load_image(marked / 255), marked)
    assert np.array_equal(load_image(marked.astype(np.uint16) * 257), marked)
    assert np.array_equal(load_image(marked[..., 0]), marked)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (None, "No picture was given"),
        (np.zeros((1, 1, 3), np.uint8), "1 x 1 pixels; use at least 8 x 8"),
        (np.zeros((7, 100, 3), np.uint8), "100 x 7 pixels"),
        (np.zeros((16, 16, 2), np.uint8), "shape"),
        (np.zeros(16, np.uint8), "shape"),
        (np.zeros((16, 16, 3), np.int64), "array of int64"),
        (np.full((16, 16, 3), np.nan), "outside 0 to 1"),
        (np.full((16, 16, 3), 255.0), "outside 0 to 1"),
        (np.broadcast_to(np.uint8(0), (20_000, 20_000, 3)), "20000 x 20000 pixels; use at most 40,000,000"),
        (Image.new("1", (20_000, 20_000)), "20000 x 20000 pixels; use at most 40,000,000"),
        (Image.new("RGB", (1, 1)), "1 x 1 pixels"),
    ],
)
def test_pictures_that_do_not_do(source: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        load_image(source)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(20_000, 20_000), (10_000, 10_000), (7_000, 7_000), (1, 1)])
def test_size_is_judged_by_the_header(tmp_path: Path, size: tuple[int, int]) -> None:
    """A PNG that only claims its size is refused for the size, so nothing was decoded."""
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"too large; use at most|use at most 40,000,000|use at least 8 x 8"):
        load_image(tmp_path / "a.png")


def test_files_that_are_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "script.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n")
    Image.effect_noise((100, 100), 50).save(tmp_path / "cut.png")
    data = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    for name in ("text.jpg", "empty.png", "script.png", "cut.png"):
        with pytest.raises(ValueError, match="is not a picture that can be read") as caught:
            load_image(tmp_path / name)
        assert "\n" not in str(caught.value)
    for name in ("none.png", "."):
        with pytest.raises(ValueError, match="There is no picture"):
            load_image(tmp_path / name)


def test_shrink(marked: np.ndarray) -> None:
    small = shrink(marked, 20)
    assert small.shape == (15, 20, 3)
    assert corners(small) == [10, 80, 160, 240]
    assert shrink(marked, 40) is marked
    assert shrink(np.zeros((8, 4000, 3), np.uint8), 100).shape == (1, 100, 3)


def test_shrink_names_the_missing_system_libraries(marked: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    with pytest.raises(ValueError, match="libgl1 libglib2"):
        shrink(marked, 20)


# ---------------------------------------------------------------- videos


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mov", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx-vp9"), ("a.mp4", "mpeg4"),
     ("a.avi", "mjpeg"), ("a.ts", "libx264"), ("Film: 1 ü.mp4", "libx264")],
)  # fmt: skip
def test_frames_at_even_distances(tmp_path: Path, name: str, codec: str) -> None:
    times = [index / 10 for index in range(20)]
    frames, info = video_frames(make_clip(tmp_path / name, times, codec), 4)
    assert [index_of(frame) for frame in frames] == [2, 7, 12, 17]  # 0.25, 0.75, 1.25 and 1.75 s
    assert all(frame.shape == (48, 64, 3) and frame.dtype == np.uint8 for frame in frames)
    assert info.seconds == pytest.approx(2.0, abs=0.11)
    assert (info.width, info.height, info.has_audio) == (64, 48, False)


def test_a_part_of_a_video(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", sound=2.0)
    frames, info = video_frames(path, 3, 1.0, 1.6)
    assert [index_of(frame) for frame in frames] == [11, 13, 15]
    assert info.seconds == pytest.approx(2.0, abs=0.01)
    assert info.fps == pytest.approx(10, rel=0.1)
    assert info.has_audio
    assert [index_of(frame) for frame in video_frames(path, 1, 1.95, 99)[0]] == [19]
    for start, end in [(2.5, None), (1.0, 1.0), (1.5, 1.0), (-1.0, 1.0)]:
        with pytest.raises(ValueError, match="lies outside"):
            video_frames(path, 4, start, end)


def test_variable_frame_rate_goes_by_time(tmp_path: Path) -> None:
    """Twelve frames in the first tenth of a second, then one that stays for 1.9 s."""
    times = [index / 120 for index in range(12)] + [0.1, 2.0]
    frames, info = video_frames(make_clip(tmp_path / "a.mp4", times), 4)
    assert info.seconds == pytest.approx(2.1, abs=0.01)
    assert [index_of(frame) for frame in frames] == [12, 12, 12, 12]
    assert [index_of(frame) for frame in video_frames(tmp_path / "a.mp4", 2, 0.0, 0.1)[0]] == [3, 9]


def test_a_clip_that_does_not_begin_at_zero(tmp_path: Path) -> None:
    times = [5 + index / 10 for index in range(20)]
    frames, info = video_frames(make_clip(tmp_path / "a.mkv", times), 4)
    assert [index_of(frame) for frame in frames] == [2, 7, 12, 17]
    assert info.seconds == pytest.approx(2.0, abs=0.11)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation(tmp_path: Path, degrees: int) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, width=64, height=32)
        image = np.zeros((32, 64, 3), np.uint8)
        image[:16, :32] = 250  # bright top left corner
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    frames, info = video_frames(rotate(path, degrees), 1)
    height, width = (32, 64) if degrees == 180 else (64, 32)
    assert frames[0].shape == (height, width, 3)
    assert (info.height, info.width) == (height, width)
    bright = int(np.argmax(corners(frames[0])))
    assert bright == degrees // 90  # clockwise from the top left


def test_one_frame_is_enough(tmp_path: Path) -> None:
    frames, info = video_frames(make_clip(tmp_path / "a.mp4", [0.0]), 4)
    assert [index_of(frame) for frame in frames] == [0, 0, 0, 0]
    assert info.seconds > 0


def test_animated_gif(tmp_path: Path) -> None:
    pictures = [Image.new("L", (16, 16), 20 + 8 * index) for index in range(10)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=100)
    frames, info = video_frames(tmp_path / "a.gif", 2)
    assert [index_of(frame) for frame in frames] == [2, 7]
    assert info.seconds == pytest.approx(1.0, abs=0.11)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mp4", b"Dear diary,\n" * 100),
        ("a.txt", b"Dear diary,\n" * 100),
        ("a.mp4", b""),
        ("a.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n"),
        ("a.mp4", b"ffconcat version 1.0\nfile other.mp4\n"),
    ],
)
def test_files_that_are_no_video(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="is not a video that can be read") as caught:
        video_frames(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_missing_and_soundly_videos(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no video"):
        video_frames(tmp_path / "none.mp4")
    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(ValueError, match="no picture track"):
        video_frames(tmp_path / "song.mp4")


def test_a_video_without_frames(tmp_path: Path) -> None:
    """The header tells of a picture track, but none of its packets is there."""
    make_clip(tmp_path / "a.ts")
    (tmp_path / "a.ts").write_bytes((tmp_path / "a.ts").read_bytes()[: 188 * 3])
    make_clip(tmp_path / "b.mp4", [], sound=1.0)
    make_clip(tmp_path / "c.mkv", [], sound=1.0)
    make_clip(tmp_path / "d.mkv")
    data = (tmp_path / "d.mkv").read_bytes()
    (tmp_path / "d.mkv").write_bytes(data[: data.rindex(b"\x1f\x43\xb6\x75")])  # up to the first cluster
    for name in ("a.ts", "b.mp4", "c.mkv", "d.mkv"):
        with pytest.raises(ValueError, match=r"no frames|0 x 0 pixels|no picture track|not a video") as caught:
            video_frames(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_truncated_videos(tmp_path: Path) -> None:
    """An MP4 without its index cannot be read at all; a Matroska file shows what there is."""
    for name, codec in (("a.mp4", "libx264"), ("a.mkv", "libx264")):
        make_clip(tmp_path / name, codec=codec)
        data = (tmp_path / name).read_bytes()
        first = max(data.find(b"mdat"), data.rfind(b"\x1f\x43\xb6\x75"))  # where the packets begin
        (tmp_path / name).write_bytes(data[: first + 1000])  # a key frame and some more
    with pytest.raises(ValueError, match=r"is not a video that can be read|no picture track"):
        video_frames(tmp_path / "a.mp4")
    frames, _ = video_frames(tmp_path / "a.mkv")
    assert len(frames) == 4


def test_a_tiny_and_a_huge_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(tmp_path / "a.mp4", [0.0], size=(2, 2))
    with pytest.raises(ValueError, match="2 x 2 pixels"):
        video_frames(tmp_path / "a.mp4")
    make_clip(tmp_path / "b.mp4", size=(640, 480))
    monkeypatch.setattr("maa.vision.frames.MAX_PIXELS", 300_000)
    monkeypatch.setattr("maa.vision.frames.Reel", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ValueError, match="640 x 480 pixels; use at most 300,000"):
        video_frames(tmp_path / "b.mp4")
