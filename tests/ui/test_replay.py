"""Files that remember: what the app makes, the copied command makes again, byte for byte."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC
from mutagen.wave import WAVE

from maa.audio.tags import BLOCK, read_tags
from maa.cli import main
from maa.ui import files, image, inpaint, painter, personalize, records, text, video
from maa.ui.jobs import Done
from maa.ui.model import LoadingModel
from maa.ui.tab import Made, TabTask, Workplace, perform
from tests.clips import make_clip

if TYPE_CHECKING:
    from maa import MakeAnAudio

SHARED = {"negative": "music", "steps": 3, "guidance": 2.5, "sampler": "ddim", "eta": 0.3, "seed": 5, "takes": 2}


def uploaded(path: Path) -> dict[str, str]:
    """As a page sends a file that it has uploaded."""
    place = files.result_path("upload", 0, path.suffix)
    shutil.copyfile(path, place)
    return {"path": str(place)}


def make(maa: MakeAnAudio, task: TabTask, fields: dict[str, Any]) -> Made:
    asked = {**SHARED, **fields}
    *_, last = perform(Workplace(LoadingModel.of(maa), Path("nowhere")), task, asked, task.ask(asked))
    assert isinstance(last, Done)
    made: Made = last.result
    return made


def replayed(made: Made, index: int, folder: Path) -> bytes:
    """What the copied command of a take writes, from its input and mask alone."""
    view = made.takes[index].view
    found = records.record_of(view["id"])
    assert found is not None
    for name in (found[1]["input"], found[1]["mask"]):
        if name and (found[0] / name).is_file():
            shutil.copyfile(found[0] / name, folder / name)
    words = shlex.split(view["command"])
    assert words[:3] == ["python", "-m", "maa"]
    assert main([*words[3:], "--device", "cpu", "--quiet"]) == 0
    return (folder / words[words.index("-o") + 1]).read_bytes()


@pytest.mark.parametrize(
    ("task", "fields"),
    [
        (text.TASK, {"prompt": '-a dog\'s "bark" $(x) 犬', "seconds": 1.0, "file_format": "wav24", "rate": 48_000}),
        (text.TASK, {"prompt": "rain", "seconds": 11.0, "file_format": "flac", "sampler": "dpm++"}),
        (image.TASK, {"image": "picture", "prompt": "", "seconds": 1.0}),
        (image.TASK, {"image": "picture", "seconds": 1.0, "words": {"words": [["rain", 0.2], ["wind", 0.6]]}}),
        (video.TASK, {"video": "clip", "original": "mix", "original_db": -3.0}),
        (personalize.TASK, {"audio": "sound", "prompt": "a cat", "t0": 0.35, "start": 0.5}),
        (
            personalize.TASK,
            {"audio": "sound", "prompt": "a cat", "t0": 0.35, "start": 0.0, "loudness": "-18"},
        ),
        (
            personalize.TASK,
            {"audio": "sound", "prompt": "a cat", "t0": 0.35, "start": 0.0, "level_match": False},
        ),
        (text.TASK, {"prompt": "rain", "seconds": 1.0, "loudness": "-23", "rate": 48_000}),
        (video.TASK, {"video": "clip", "loudness": "peak"}),
        (video.TASK, {"video": "clip", "events": {"rows": [[0, 0.5, "-a door", -3], [0.2, 1, "wind"]], "own": True}}),
        (text.TASK, {"prompt": "", "seconds": 1.0, "events": {"rows": [[0, 0.5, "a @ b"]], "own": True}}),
        (personalize.STRIP, {"audio": "sound", "prompt": "a cat", "t0": 0.4, "start": {"start": 0.25}}),
        (inpaint.TASK, {"audio": "sound", "mask": True, "prompt": "rain", "file_format": "source", "blend": 0.5}),
        (
            inpaint.BOX_TASK,
            {"audio": "sound", "boxes": [[0.5, 1.0, 300, 4000]], "frames": [], "mask": None, "file_format": "flac"},
        ),
    ],
    ids=[
        "text",
        "long",
        "image",
        "words",
        "video",
        "personalize",
        "target",
        "level",
        "loudness",
        "peak",
        "clip's events",
        "events",
        "strip",
        "mask",
        "boxes",
    ],
)
def test_the_copied_command_makes_the_same_bytes(
    tiny: MakeAnAudio, in_folder: Path, inputs: dict[str, Path], task: TabTask, fields: dict[str, Any]
) -> None:
    given = dict(fields)
    for name in ("image", "video", "audio"):
        if name in fields:
            given[name] = uploaded(inputs[fields[name]])
    if fields.get("mask"):
        mel = tiny.spectrogram(given["audio"]["path"])
        mask = np.random.default_rng(0).random(mel.shape) < 0.1
        given["mask"] = painter.value_of(mel, tiny.config.audio, cell=8, mask=mask)
    made = make(tiny, task, given)
    index = len(made.takes) - 1
    assert replayed(made, index, in_folder) == made.takes[index].media.read_bytes()


def test_the_copied_command_names_a_model_that_lies_elsewhere_by_its_path(
    tiny: MakeAnAudio, in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maa import MakeAnAudio

    elsewhere = MakeAnAudio.from_pretrained(tiny.save_pretrained(in_folder / "models" / "mine"), device="cpu")
    made = make(elsewhere, text.TASK, {"prompt": "rain", "seconds": 0.5, "takes": 1})
    assert made.takes[0].view["settings"]["model"] == "mine", "where it lies is nobody's business but the command's"
    (in_folder / "work").mkdir()
    monkeypatch.chdir(in_folder / "work")
    assert replayed(made, 0, in_folder / "work") == made.takes[0].media.read_bytes()


def test_a_density_comes_back(tiny: MakeAnAudio, in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the tags into the command, and with it into the same bytes, on a model that knows density."""
    import torch

    from maa import MakeAnAudio, checkpoint

    config = replace(tiny.config, unet=replace(tiny.config.unet, density=True))
    checkpoint.save(checkpoint.random_model(config), in_folder / "dense", torch.float32)
    dense = MakeAnAudio.from_pretrained(in_folder / "dense", device="cpu")
    made = make(dense, text.TASK, {"prompt": "rain", "seconds": 0.5, "density": 0.25, "free": False})
    assert read_tags(made.takes[0].media)["density"] == 0.25  # type: ignore[index]
    assert "--density 0.25" in made.takes[0].view["command"]
    assert replayed(made, 1, in_folder) == made.takes[1].media.read_bytes()
    free = make(dense, text.TASK, {"prompt": "rain", "seconds": 0.5, "density": 0.25, "free": True})
    assert "density" not in free.generation.settings


def test_a_lengthened_sound_is_compared_with_the_upload_at_its_place(
    tiny: MakeAnAudio, inputs: dict[str, Path]
) -> None:
    given = uploaded(inputs["sound"])
    fields = {"audio": given, "boxes": [], "frames": [], "mask": None, "before": 0.5, "file_format": "source"}
    made = make(tiny, inpaint.BOX_TASK, {**fields, "takes": 1})
    folder = made.takes[0].media.parent
    (before, rate), (after, _) = (soundfile.read(folder / name) for name in ("original.wav", made.takes[0].media.name))
    assert len(before) == len(after)
    room = round(0.496 * rate)  # 31 frames
    assert not before[:room].any()
    assert np.array_equal(before[room:], soundfile.read(given["path"])[0])
    assert np.array_equal(before[room + 4000 :], after[room + 4000 :])


def test_settings_are_read_back_by_other_programs(tiny: MakeAnAudio) -> None:
    """RIFF LIST/INFO through PyAV, the ID3 chunk through mutagen, Vorbis comments through both."""
    for form in ("wav16", "flac"):
        made = make(tiny, text.TASK, {"prompt": "ein Hündchen", "seconds": 0.5, "file_format": form})
        path = made.takes[0].media
        settings = read_tags(path)
        assert settings is not None
        wanted = {"task", "prompt", "negative", "seed", "sampler", "steps", "guidance", "model", "weights"}
        assert wanted <= set(settings)
        tags = (WAVE if form == "wav16" else FLAC)(path).tags
        whole = str(tags[f"TXXX:{BLOCK}"] if form == "wav16" else tags[BLOCK][0])
        assert '"seed":' in whole and "ein H" in whole
        with av.open(str(path)) as container:
            shown = {key.lower(): value for key, value in container.metadata.items()}
        assert shown["title"] == "ein Hündchen"
        assert f'"seed":{settings["seed"]}' in (shown["comment"] if form == "wav16" else shown[BLOCK])
        assert "Hündchen" not in path.name


def test_a_long_clip_is_heard_in_windows(tiny: MakeAnAudio, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "long.mp4", [float(index) for index in range(26)], sound=25.0)
    made = make(tiny, video.TASK, {"video": uploaded(clip), "original": "keep", "takes": 1, "negative": ""})
    windows = made.generation.settings["windows"]
    assert len(windows) == 3 and windows[0][0] == 0 and windows[-1][1] == pytest.approx(25.1, abs=1.0)
    assert all(later[0] < earlier[1] for earlier, later in pairwise(windows)), "they overlap"
    assert len(made.more["frames"]) == 12
    assert [frame["window"] for frame in made.more["frames"]] == [1] * 4 + [2] * 4 + [3] * 4
    length = made.generation.settings["seconds"]
    with av.open(str(made.takes[0].media)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio", "audio"]
        new = container.streams.audio[1]
        assert float(new.duration * new.time_base) == pytest.approx(length, abs=0.05)


def test_a_clip_beyond_the_limit_is_refused(tiny: MakeAnAudio, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "endless.mp4", [float(index * 20) for index in range(11)])
    with pytest.raises(ValueError, match="s long; use one of at most 180 s"):
        make(tiny, video.TASK, {"video": uploaded(clip)})
