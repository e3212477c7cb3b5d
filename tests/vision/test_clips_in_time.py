"""The clip's own sound is heard when it was: late, with gaps, in fragments, in ticks that are too long."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from maa.vision.mux import container_for, mux
from tests.clips import beeping, beeps

SILENCE = np.zeros((1, 32_000), np.float32)
FRAGMENTS = "frag_keyframe+empty_moov"
BEEPS = 0.010  # seconds that a beep may move


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx")])
@pytest.mark.parametrize(
    ("pieces", "first"),
    [([(0.0, 1.2), (2.5, 3.5)], 0.0), ([(1.0, 2.0)], 0.0), ([(0.0, 0.5), (0.7, 1.0), (1.25, 2.0), (3.0, 3.5)], 0.0),
     ([(2.0, 2.6), (3.5, 4.0)], 1.0)],
)  # fmt: skip
@pytest.mark.parametrize("original", ["mix", "keep"])
def test_own_sound_stays_in_its_place(
    tmp_path: Path, name: str, codec: str, pieces: list[tuple[float, float]], first: float, original: str
) -> None:
    source = beeping(tmp_path / name, codec, pieces, first=first)
    out = mux(source, SILENCE, 16_000, tmp_path / f"b{source.suffix}", original)  # type: ignore[arg-type]
    assert beeps(source) == pytest.approx([begin + 0.1 - first for begin, _ in pieces], abs=0.025), "as FFmpeg has it"
    assert beeps(out) == pytest.approx(beeps(source), abs=BEEPS)


@pytest.mark.parametrize("flags", [f"{FRAGMENTS}+default_base_moof", f"{FRAGMENTS}+delay_moov", f"dash+{FRAGMENTS}"])
@pytest.mark.parametrize("pieces", [[(0.0, 3.0)], [(1.0, 2.0)], [(0.0, 1.2), (2.5, 3.5)]])
@pytest.mark.parametrize("original", ["mix", "keep"])
def test_fragments_keep_their_time(
    tmp_path: Path, flags: str, pieces: list[tuple[float, float]], original: str
) -> None:
    """As browsers' recorders and DASH write them; what a player makes of the source is the measure."""
    source = beeping(tmp_path / "a.mp4", "libx264", pieces, flags=flags)
    out = mux(source, SILENCE, 16_000, tmp_path / "b.mp4", original)  # type: ignore[arg-type]
    assert beeps(source) == pytest.approx([begin + 0.1 for begin, _ in pieces], abs=0.025), "as FFmpeg has it"
    assert beeps(out) == pytest.approx(beeps(source), abs=BEEPS)


@pytest.mark.parametrize("first", [0.0, 0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize("original", ["mix", "keep"])
def test_ticks_of_24_ms_are_divided(tmp_path: Path, first: float, original: str) -> None:
    """Sound in AVI files is counted in packets; the first frame is shown between two of them."""
    source = beeping(tmp_path / "a.avi", "mpeg4", [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)], first=first)
    out = mux(source, SILENCE, 16_000, tmp_path / "b.mp4", original)  # type: ignore[arg-type]
    heard = [[beep for beep in beeps(path) if beep > 0.5] for path in (source, out)]
    assert heard[1] == pytest.approx(heard[0], abs=0.003) and len(heard[0]) == 2


@pytest.mark.parametrize("hidden", [1, 8, 20, 40])
@pytest.mark.parametrize("original", ["replace", "mix", "keep"])
def test_frames_that_an_edit_list_hides_stay_hidden(tmp_path: Path, hidden: int, original: str) -> None:
    source = beeping(tmp_path / "a.mp4", "libx264", [(0.0, 3.0)], hidden=hidden)
    assert container_for(source, original) == ".mp4"  # type: ignore[arg-type]
    out = mux(source, SILENCE, 16_000, tmp_path / "b.mp4", original)  # type: ignore[arg-type]
    shown = []
    for path in (source, out):
        with av.open(str(path)) as container:
            shown.append([round(float(frame.to_ndarray(format="gray8").mean())) for frame in container.decode(video=0)])
    assert shown[0] == shown[1] and len(shown[0]) == 40
    if original != "replace":
        assert beeps(out) == pytest.approx(beeps(source), abs=BEEPS)
