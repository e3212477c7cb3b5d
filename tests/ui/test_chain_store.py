"""The files of a chain: the very bytes of every step, no more of them than may be, and nothing for those who guess."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio.utils import get_upload_folder

from maa import MakeAnAudio
from maa.audio.io import read, write
from maa.audio.mask import Box, from_boxes
from maa.config import TINY
from maa.pipeline.edits import MOST_STEPS
from maa.ui import painter
from maa.ui.chain import chain_mel, chain_of, store, told_by, value_of
from maa.ui.chain.component import compared_steps
from maa.ui.chain.steps import Steps, edit_of
from maa.ui.painter.component import encode
from maa.ui.painter.harmonics import multiples
from tests.sounds import sine_wave

SPEC = TINY.audio


@pytest.fixture
def sound() -> Path:
    """An upload of ten seconds, 48 kHz, two channels."""
    folder = Path(get_upload_folder()) / uuid.uuid4().hex
    folder.mkdir(parents=True)
    wave = sine_wave(440, 10.0, 48_000, channels=2) / 4
    wave += 0.01 * np.random.default_rng(0).standard_normal(wave.shape).astype(np.float32)
    return write(folder / "birds.wav", wave, 48_000, "PCM_24")


def steps_of() -> Steps:
    nothing: Any = None
    return Steps(nothing, nothing, nothing, nothing, nothing, SPEC)


def marked(*box: float, frames: int = 625) -> dict[str, Any]:
    """What the painter sends."""
    mask = from_boxes([Box(*box)], SPEC, frames)
    return {"mels": SPEC.mels, "frames": frames, "mask": encode(np.packbits(mask))}


def applied(sound: Path, tool: str = "boost", value: float | None = -6.0) -> Path:
    path, *_ = steps_of().apply({"tool": tool, "value": value}, {"path": str(sound)}, marked(2.0, 2.5))
    return path


def test_a_chain_grows_forgets_and_has_an_end(sound: Path) -> None:
    one = applied(sound)
    two = applied(one, "silence", None)
    bytes_of = [path.read_bytes() for path in (sound, one, two)]
    chain = chain_of(two)
    assert chain.at == 2 and [chain.path(k).read_bytes() for k in range(3)] == bytes_of
    assert [one.label for one in chain.steps] == ["Your sound", "Attenuate −6 dB, 2.00–2.51 s", "Silence, 2.00–2.51 s"]
    other = applied(one, "heal", None)
    assert not two.exists() and chain_of(other).at == 2 and chain_of(one).at == 1
    assert other.name != two.name, "a browser may still know the address"
    assert [step["operation"] for step in told_by(other)] == ["boost", "heal"]
    assert value_of(other)["steps"][2]["file"] == "birds_edit-2.wav" and value_of(other)["before"] == []
    path = other
    for _ in range(MOST_STEPS - 2):
        path = applied(path, "boost", -0.1)
    with pytest.raises(ValueError, match="at most 32 edits"):
        applied(path)
    with pytest.raises(ValueError, match="no such step"):
        chain.path(3)
    with pytest.raises(ValueError, match="does not keep this step"):
        chain.path(2)
    given = one.rename(sound.with_name("again.wav"))  # downloaded, and given anew
    assert value_of(given)["before"] == ["Attenuate −6 dB, 2.00–2.51 s"] and len(value_of(given)["steps"]) == 1
    assert chain_of(sound).folder is None and chain_of(sound).origin == chain_of(path).origin


def test_what_is_no_step_is_a_sound_of_its_own(sound: Path) -> None:
    """A file may be called like a step, and a record may be damaged."""
    forged = sound.rename(sound.with_name("step-00-0123abcd.wav"))
    assert chain_of(forged).folder is None
    for text in ("{", "[]", '{"origin": 5, "steps": [{"file": "x"}]}', '{"origin": "a", "name": "b", "steps": []}'):
        (sound.parent / store.RECORD).write_text(text)
        assert chain_of(forged).folder is None
    assert value_of(None, {"keep": False})["steps"] == [] and value_of(forged, "junk")["keep"] is True


def test_a_full_disk_is_told(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.STORAGE, "refusal", lambda visitor, size: "There is no room.")
    before = set(sound.parent.parent.glob("takes/*"))
    with pytest.raises(ValueError, match="no room"):
        applied(sound)
    assert set(sound.parent.parent.glob("takes/*")) == before


def test_only_the_changed_spans_are_measured_again(sound: Path, tiny: MakeAnAudio) -> None:
    first = chain_mel(tiny, sound)
    path, *_ = steps_of().apply({"tool": "silence"}, {"path": str(sound)}, marked(3.0, 3.5, 300, 2000))
    asked: list[float] = []
    whole = tiny.spectrogram

    class Counting:
        config, frames_of = tiny.config, staticmethod(tiny.frames_of)

        @staticmethod
        def spectrogram(audio: Any) -> Any:
            asked.append(audio.seconds)
            return whole(audio)

    chain_mel(Counting(), path)  # type: ignore[arg-type]
    path, *_ = steps_of().apply({"tool": "copy", "value": 7.7}, {"path": str(path)}, marked(1.0, 1.5))
    mel = chain_mel(Counting(), path)  # type: ignore[arg-type]
    assert sum(asked) <= 8.0  # of two edits, of which each is measured in seconds around it
    assert np.abs(mel - whole(read(path))).max() < 0.02
    assert np.abs(mel - first).max() > 0.5
    assert np.array_equal(chain_mel(Counting(), path), mel) and sum(asked) <= 8.0  # type: ignore[arg-type]


JUNK: list[Any] = [None, 5, "x", [], {}, {"sound": 5}, {"sound": "/etc/passwd", "a": 0, "b": 1}, {"sound": "\0"}]


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_refused_in_a_sentence(junk: Any) -> None:
    with pytest.raises(ValueError, match=r"Please (give|upload) a sound"):
        compared_steps(junk, SPEC)
    assert re_sentence(multiples(junk, SPEC)["error"])
    given = junk if isinstance(junk, dict) else {}
    for act in (steps_of().apply, steps_of().go, steps_of().use):
        with pytest.raises(ValueError) as error:
            act(given, junk, junk)
        assert re_sentence(str(error.value))
    with pytest.raises(ValueError, match="tool"):
        edit_of({"tool": junk})


def re_sentence(text: str) -> bool:
    return text[0].isupper() and text.endswith(".") and "/" not in text


def test_steps_and_boxes_of_other_kinds_are_refused(sound: Path) -> None:
    path = applied(sound)
    for to in (None, True, "1", 2, -1, 0.0):
        with pytest.raises(ValueError, match="no such step"):
            steps_of().go({"to": to}, {"path": str(path)}, None)
    for pair in ((0, None), (True, 1), (0, 9), (-1, 0)):
        with pytest.raises(ValueError, match="no such step"):
            compared_steps({"sound": str(path), "a": pair[0], "b": pair[1]}, SPEC)
    for box in (None, [1, 2], [1, 2, 3, "4"], [0, 1, 0, 50], [50, 51, 400, 480], [1, 0.5, 400, 480]):
        assert re_sentence(multiples({"sound": str(path), "box": box}, SPEC)["error"])
    found = multiples({"sound": str(sound), "box": [1.0, 2.0, 400, 480]}, SPEC)["boxes"]
    assert len(found) == 18 and max(row[3] for row in found) <= 8000
    with pytest.raises(ValueError, match="another sound"):
        steps_of().apply({"tool": "silence"}, {"path": str(path)}, marked(0.0, 1.0, frames=60))


def test_two_steps_as_views(sound: Path) -> None:
    path = applied(applied(sound), "copy", 7.0)
    views = compared_steps({"sound": str(path), "a": 0, "b": 2}, SPEC)
    assert views["a"]["seconds"] == 10.0
    spans = views["b"]["settings"]["spans"]
    assert [[round(edge, 2) for edge in span] for span in spans] == [[2.0, 2.51], [7.0, 7.51]]
    assert views == compared_steps({"sound": str(path), "a": 0, "b": 2}, SPEC)


def test_the_mask_stays_or_goes(sound: Path) -> None:
    steps, mask = steps_of(), marked(2.0, 2.5, 500, 900)
    kept = steps.kept_boxes(mask, {"keep": True}, sound)
    assert kept is not None
    again = from_boxes([Box(*row) for row in kept], SPEC, 625)
    assert np.array_equal(again, painter.mask_of(mask, (SPEC.mels, 625)))
    assert steps.kept_boxes(mask, {"keep": False}, sound) is None
    longer = steps.kept_boxes(mask, None, sound, 1.6)
    assert longer is not None and [row[0] for row in longer] == [round(kept[0][0] + 1.6, 6)]
    assert steps.kept_boxes({"frames": "x"}, None, sound) is None
