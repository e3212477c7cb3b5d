"""A stretch of a clip: its packets as they were, from a key frame on, in time with its sound."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from maa.vision.cut import cut
from maa.vision.frames import video_facts


def packets(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """(seconds, payload) of a track, in the order of their showing."""
    with av.open(str(path)) as container:
        track = next(stream for stream in container.streams if stream.type == kind)
        found = [(float(one.pts * one.time_base), bytes(one)) for one in container.demux(track) if one.size]
    return sorted(found)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds at ten pictures a second, every fifth a key frame, with sound."""
    path = tmp_path_factory.mktemp("cut") / "clip.mp4"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=10, options={"g": "5", "bf": "2", "sc_threshold": "0"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        for _ in range(40):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8), format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode())
        wave = av.AudioFrame.from_ndarray(rng.normal(0, 0.1, (1, 4 * 48_000)).astype(np.float32), "fltp", "mono")
        wave.sample_rate = 48_000
        container.mux(sound.encode(wave))
        container.mux(sound.encode(None))
    return path


def test_a_cut_has_the_packets_of_its_stretch(clip: Path, tmp_path: Path) -> None:
    made, begins = cut(clip, 1.3, 3.0, tmp_path)
    assert begins == pytest.approx(1.0, abs=0.01), "the key frame before that"
    old, new = packets(clip, "video"), packets(made, "video")
    inside = {data for at, data in old if begins - 1e-6 <= at < 3.0 - 1e-6}
    assert inside <= {data for _, data in new}, "nothing is encoded again, and nothing is missing"
    assert new[0][0] == pytest.approx(0.0, abs=0.05)
    assert video_facts(made).seconds == pytest.approx(3.0 - begins, abs=0.31)
    sounds = [data for at, data in packets(clip, "audio") if begins + 0.1 <= at < 2.9]
    assert set(sounds) <= {data for _, data in packets(made, "audio")}


@pytest.mark.parametrize(("start", "end"), [(1.0, 1.0), (3.0, 1.0), (-1.0, 2.0), (float("nan"), 2.0)])
def test_an_empty_cut_is_refused(clip: Path, tmp_path: Path, start: float, end: float) -> None:
    with pytest.raises(ValueError, match="The cut is empty"):
        cut(clip, start, end, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_clip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("I am a text")
    with pytest.raises(ValueError, match="not a video"):
        cut(tmp_path / "a.mp4", 0.0, 1.0, tmp_path)
