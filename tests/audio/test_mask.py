"""Masks: seconds and hertz to cells and on to latent cells, without losing a stroke."""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from maa.audio.grid import centres
from maa.audio.mask import Box, check, frame_spans, from_boxes, from_frames, mask_digest, to_latent
from maa.audio.maskfile import from_png, read_mask, write_mask
from maa.config import AudioSpec

SPEC = AudioSpec()
FRAMES = 624


@settings(max_examples=200, deadline=None)
@given(st.tuples(st.integers(0, 79), st.integers(0, 79)), st.tuples(st.integers(0, 623), st.integers(0, 623)),
       st.sampled_from(["A", "B"]), st.sampled_from([3, 9]))  # fmt: skip
def test_a_box_named_by_its_cells_gives_these_cells(
    rows: tuple[int, int], columns: tuple[int, int], convention: str, digits: int
) -> None:
    """From the corner of one cell to the corner of another, with times rounded to a millisecond and whole hertz."""
    spec = AudioSpec(convention=convention)  # type: ignore[arg-type]
    (low, high), (first, last) = sorted(rows), sorted(columns)
    middle = centres(spec)
    hertz = (round(middle[low]), round(middle[high])) if digits == 3 else (middle[low], middle[high])
    top = hertz[1] if hertz[1] > hertz[0] else hertz[1] + 0.1
    box = Box(round(first * spec.frame_seconds, digits), round((last + 1) * spec.frame_seconds, digits), hertz[0], top)
    expected = np.zeros((80, FRAMES), bool)
    expected[low : high + 1, first : last + 1] = True
    assert np.array_equal(from_boxes([box], spec, FRAMES), expected)


def test_whole_height_and_length() -> None:
    assert from_boxes([Box(0, math.inf)], SPEC, FRAMES).all()
    assert from_boxes([Box(0, 999)], SPEC, FRAMES).all()
    assert not from_boxes([], SPEC, FRAMES).any()
    assert frame_spans(from_frames([(1.0, 2.0), (1.5, 3.0), (4.0, 4.001)], SPEC, FRAMES)) == [(62, 188), (250, 251)]


@pytest.mark.parametrize("hertz", [(0, 1), (1010, 1011), (7990, 8000), (7999, math.inf)])
def test_a_thin_box_takes_the_nearest_band(hertz: tuple[float, float]) -> None:
    mask = from_boxes([Box(1.0, 1.001, *hertz)], SPEC, FRAMES)
    assert mask.sum() == 1
    band = int(np.argwhere(mask)[0, 0])
    middle = (hertz[0] + min(hertz[1], 8000)) / 2
    assert band == np.abs(centres(SPEC) - middle).argmin()


@pytest.mark.parametrize(
    "edges",
    [(2.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (math.nan, 1.0), (0.0, math.nan), (0, 1, 400, 300), (0, 1, -5, 300),
     (0, 1, 300, 300)],
)  # fmt: skip
def test_inverted_boxes(edges: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="holds nothing; give"):
        Box(*edges)


def test_boxes_outside_the_sound() -> None:
    with pytest.raises(ValueError, match=r"behind the end of the sound, which is 9\.98 s"):
        from_boxes([Box(9.99, 12)], SPEC, FRAMES)
    with pytest.raises(ValueError, match="above 8000 Hz"):
        from_boxes([Box(0, 1, 8000, 9000)], SPEC, FRAMES)


def test_check() -> None:
    mask = from_boxes([Box(1, 2, 100, 3000)], SPEC, FRAMES)
    for same in (mask, mask.astype(np.uint8), mask.astype(np.float32), mask.tolist()):
        checked = check(same, SPEC, FRAMES)
        assert checked.dtype == bool
        assert np.array_equal(checked, mask)
    for wrong in (mask.T, mask[:, :-1], mask[None], np.zeros(0)):
        with pytest.raises(ValueError, match=r"needs \[80, 624\]"):
            check(wrong, SPEC, FRAMES)
    with pytest.raises(ValueError, match="only True"):
        check(mask * 0.5, SPEC, FRAMES)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 79), st.integers(0, 623)), max_size=12))
def test_no_stroke_vanishes_in_the_latent(cells: list[tuple[int, int]]) -> None:
    mask = np.zeros((80, FRAMES), bool)
    expected = np.zeros((10, 78), bool)
    for row, column in cells:
        mask[row, column] = expected[row // 8, column // 8] = True
    assert np.array_equal(to_latent(mask), expected)


def test_latent_cells_must_divide() -> None:
    with pytest.raises(ValueError, match="80 x 623"):
        to_latent(np.zeros((80, 623), bool))


def test_frame_spans_are_apart_and_complete() -> None:
    mask = np.zeros((80, 20), bool)
    mask[3, [0, 1, 5, 19]] = mask[70, [6, 7]] = True
    assert frame_spans(mask) == [(0, 2), (5, 8), (19, 20)]
    assert frame_spans(np.zeros((80, 20), bool)) == []
    assert frame_spans(np.ones((80, 20), bool)) == [(0, 20)]


def test_digest_tells_masks_apart() -> None:
    masks = [np.zeros((80, 16), bool), np.zeros((80, 24), bool), np.eye(80, 16, dtype=bool)]
    assert len({mask_digest(mask) for mask in masks}) == 3
    assert mask_digest(masks[2]) == mask_digest(masks[2].copy())
    assert len(mask_digest(masks[0])) == 12


# ---------------------------------------------------------------- painted masks


@pytest.fixture
def painted() -> np.ndarray:
    mask = np.zeros((80, 48), bool)
    mask[2:5, 10:20] = mask[79, 0] = True
    return mask


@pytest.mark.parametrize("scale", [(1, 1), (4, 2)])
@pytest.mark.parametrize("mode", ["L", "1", "RGB", "RGBA", "LA", "P"])
def test_png_of_any_kind(tmp_path: Path, painted: np.ndarray, scale: tuple[int, int], mode: str) -> None:
    picture = np.kron(painted[::-1], np.ones(scale, bool))  # low notes at the bottom
    image = Image.fromarray((picture * 255).astype(np.uint8)).convert(mode)
    image.save(tmp_path / "m.png")
    assert np.array_equal(from_png(tmp_path / "m.png", SPEC, 48), painted)


def test_png_with_strokes_on_nothing(tmp_path: Path, painted: np.ndarray) -> None:
    layers = np.zeros((80, 48, 4), np.uint8)
    layers[painted[::-1]] = 10, 10, 10, 255  # dark strokes, but strokes
    Image.fromarray(layers, "RGBA").save(tmp_path / "m.png")
    assert np.array_equal(from_png(tmp_path / "m.png", SPEC, 48), painted)


def test_one_pixel_takes_its_cell(tmp_path: Path) -> None:
    picture = np.zeros((320, 192), np.uint8)
    picture[317, 190] = 255
    Image.fromarray(picture).save(tmp_path / "m.png")
    assert np.argwhere(from_png(tmp_path / "m.png", SPEC, 48)).tolist() == [[0, 47]]


@pytest.mark.parametrize("size", [(47, 80), (48, 79), (80, 48), (1, 1), (48 * 1000, 80 * 1000)])
def test_png_of_a_wrong_size(tmp_path: Path, size: tuple[int, int]) -> None:
    image = Image.new("1", (1, 1))
    image.save(tmp_path / "m.png")
    data = bytearray((tmp_path / "m.png").read_bytes())
    data[16:24] = size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "m.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"should be 48 x 80|cannot be read|far more pixels"):
        from_png(tmp_path / "m.png", SPEC, 48)


def test_files_that_are_no_png(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    Image.effect_noise((48, 80), 50).save(tmp_path / "cut.png")
    data = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    for name in ("text.png", "cut.png", "none.png"):
        with pytest.raises(ValueError, match="cannot be read as a PNG"):
            from_png(tmp_path / name, SPEC, 48)


# ---------------------------------------------------------------- masks that know their scale


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_a_saved_mask_comes_back(seed: int, frames: int) -> None:
    import tempfile

    mask = np.random.default_rng(seed).random((80, frames)) < 0.3
    with tempfile.TemporaryDirectory() as folder:
        assert np.array_equal(read_mask(write_mask(Path(folder) / "m.png", mask, SPEC), SPEC, frames), mask)
        np.save(Path(folder) / "m.npy", mask)
        assert np.array_equal(read_mask(Path(folder) / "m.npy", SPEC, frames), mask)


def test_a_saved_mask_fits_other_sounds_and_models(tmp_path: Path) -> None:
    """The same seconds and hertz on a longer sound, on a shorter one, and on another mel scale."""
    box = Box(0.32, 0.64, 500, 3000)
    path = write_mask(tmp_path / "m.png", from_boxes([box], SPEC, 60), SPEC)
    assert np.array_equal(read_mask(path, SPEC, 200), from_boxes([box], SPEC, 200))
    assert np.array_equal(read_mask(path, SPEC, 30), from_boxes([box], SPEC, 60)[:, :30])
    other = AudioSpec(convention="A", frames=848)
    there, wanted = read_mask(path, other, 60), from_boxes([box], other, 60)
    assert np.array_equal(there.any(axis=0), wanted.any(axis=0))
    rows = [np.flatnonzero(x.any(axis=1)) for x in (there, wanted)]
    assert abs(rows[0][0] - rows[1][0]) <= 1 and abs(rows[0][-1] - rows[1][-1]) <= 1


def test_a_thin_stroke_survives_another_scale(tmp_path: Path) -> None:
    mask = np.zeros((80, 60), bool)
    mask[40, 31] = True
    path = write_mask(tmp_path / "m.png", mask, SPEC)
    for other in (AudioSpec(hop=512, frames=624), AudioSpec(mels=40), AudioSpec(convention="A")):
        assert read_mask(path, other, 60).any()


def test_a_scale_that_cannot_be_is_not_believed(tmp_path: Path, painted: np.ndarray) -> None:
    from PIL.PngImagePlugin import PngInfo

    for text in ("{", "[]", '{"mels": 1}', '{"sample_rate": -1, "n_fft": 1024, "hop": 256, "mels": 80}'):
        info = PngInfo()
        info.add_text("make-an-audio-mask", text)
        Image.fromarray((painted[::-1] * 255).astype(np.uint8)).save(tmp_path / "m.png", pnginfo=info)
        assert np.array_equal(read_mask(tmp_path / "m.png", SPEC, 48), painted)


def test_arrays_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("no array")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name in ("text.npy", "objects.npy", "none.npy"):
        with pytest.raises(ValueError, match="cannot be read as a NumPy array"):
            read_mask(tmp_path / name, SPEC, 48)
    np.save(tmp_path / "wide.npy", np.zeros((80, 49), bool))
    with pytest.raises(ValueError, match=r"needs \[80, 48\]"):
        read_mask(tmp_path / "wide.npy", SPEC, 48)
