"""Every data set of the paper's Table 4, in a tiny folder of its published layout, yields the same kind of record."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from train.data.__main__ import main
from train.data.library import Library
from train.data.records import Record, label, normalise
from train.data.sets import SETS, build_sets, load_set


def sound(path: Path, rate: int = 44_100, seconds: float = 0.25, pitch: float = 440.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate), rate)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def audiocaps(root: Path) -> None:
    write(root / "train.csv", "audiocap_id,youtube_id,start_time,caption\n1,abc,30,A dog barks 2 times\n")
    write(
        root / "val.csv",
        "audiocap_id,youtube_id,start_time,caption\n2,-x_Y,0,Rain falls\n3,-x_Y,0,It rains on a roof\n",
    )
    sound(root / "audio/abc_30.wav", 48_000)
    sound(root / "audio/-x_Y.wav", 48_000)


def clotho(root: Path) -> None:
    head = "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n"
    for part in ("development", "evaluation"):
        write(root / f"clotho_captions_{part}.csv", f"{head}Distorted AM Radio.wav,One.,Two.,Three.,Four.,Five.\n")
        sound(root / part / "Distorted AM Radio.wav", pitch=550 if part == "development" else 600)


def macs(root: Path) -> None:
    notes = "[{annotator_id: 9, sentence: Birds sing near a road, tags: [birds_singing, traffic_noise]}]"
    write(root / "MACS.yaml", f"files:\n- filename: park-lyon-1.wav\n  annotations: {notes}\n")
    sound(root / "audio/park-lyon-1.wav", 48_000)


def wavtext5k(root: Path) -> None:
    head = "view_link,download_link,title,description,fname,tags\n"
    write(root / "WavText5K.csv", head + 'a,b,Forest,"Birds singing, drive away, fly.",0100.wav,\n')
    sound(root / "download/0100.wav")


def bbc(root: Path) -> None:
    head = "location,description,secs,category,CDNumber,CDName,tracknum\n"
    write(root / "BBCSoundEffects.csv", head + "07076051.wav,Two-stroke petrol engine,194,Engines,EC1D,Diesel,1\n")
    sound(root / "sounds/07076051.wav")


def paired(root: Path) -> None:
    write(root / "train/1.json", json.dumps({"text": ["A door opens"], "tag": ["Door"], "original_data": {}}))
    sound(root / "train/1.flac", 48_000)
    sound(root / "DOOR, Wooden - Creak 02 96kHz.wav", 48_000, pitch=500)


def audioset(root: Path) -> None:
    names = '0,/m/09x0r,"Speech"\n1,/m/05zppz,"Male speech"\n2,/m/0bt9lr,"Dog"\n3,/m/04rlf,"Music"\n'
    write(root / "class_labels_indices.csv", "index,mid,display_name\n" + names)
    tree = [{"id": "/m/09x0r", "child_ids": ["/m/05zppz"]}, {"id": "/m/05zppz", "child_ids": []}]
    write(root / "ontology.json", json.dumps(tree))
    lines = (
        '# a\n# b\n# YTID, start_seconds, end_seconds, positive_labels\n-dog1, 30.000, 40.000, "/m/0bt9lr"\n'
        'talk, 0.000, 10.000, "/m/05zppz,/m/0bt9lr"\nsong, 0.000, 10.000, "/m/04rlf"\n'
    )
    write(root / "balanced_train_segments.csv", lines)
    sound(root / "audio/balanced_train/-dog1.wav", 32_000)


def vggsound(root: Path) -> None:
    write(root / "vggsound.csv", '--x_1,30,"race car, auto racing",train\n-b-c,4,people marching,test\n')
    sound(root / "audio/--x_1_000030.wav", 48_000)
    sound(root / "audio/-b-c.wav", 48_000, pitch=500)


def distilled(root: Path) -> None:
    head = {"experts": [], "shard": "0/1", "sounds": 2}
    told = {"split": "train", "dataset": "Filter AudioSet", "origin": ["youtube", "held"], "span": [5.0, 15.0]}
    lines = [told | {"id": name, "path": f"{name}.wav", "caption": said} for name, said in (("a", "Rain"), ("b", None))]
    write(root / "captions-00000-of-00001.jsonl", "".join(json.dumps(line) + "\n" for line in (head, *lines)))
    sound(root / "sounds/a.wav", pitch=700)


def esc50(root: Path) -> None:
    head = "filename,fold,target,category,esc10,src_file,take\n"
    rows = "1-100032-A-0.wav,1,0,dog,True,100032,A\n5-9032-A-0.wav,5,0,crackling_fire,True,9032,A\n"
    write(root / "meta/esc50.csv", head + rows)
    sound(root / "audio/1-100032-A-0.wav")
    sound(root / "audio/5-9032-A-0.wav", pitch=500)


def fsd50k(root: Path) -> None:
    write(
        root / "FSD50K.ground_truth/dev.csv",
        'fname,labels,mids,split\n64760,"Electric_guitar,Guitar","/m/a,/m/b",val\n',
    )
    write(root / "FSD50K.ground_truth/eval.csv", 'fname,labels,mids\n37199,"Rain","/m/c"\n')
    sound(root / "FSD50K.dev_audio/64760.wav")
    sound(root / "FSD50K.eval_audio/37199.wav", pitch=500)


def urbansound8k(root: Path) -> None:
    head = "slice_file_name,fsID,start,end,salience,fold,classID,class\n"
    write(root / "metadata/UrbanSound8K.csv", head + "100032-3-0-0.wav,100032,0.0,0.317551,1,10,3,dog_bark\n")
    sound(root / "audio/fold10/100032-3-0-0.wav", 22_050)


def libritts(root: Path) -> None:
    write(root / "speakers.tsv", "READER\tGENDER\tSUBSET\tNAME\n103\tF\ttrain-clean-100\tKaren\n")
    sound(root / "train-clean-100/103/1240/103_1240_000000_000001.wav", 24_000)


def medley_solos(root: Path) -> None:
    head = "subset,instrument,instrument_id,song_id,uuid4\n"
    write(root / "Medley-solos-DB_metadata.csv", head + "validation,distorted electric guitar,1,7,0a-b\n")
    sound(root / "Medley-solos-DB/Medley-solos-DB_validation-1_0a-b.wav")


LAYOUTS = {
    "audiocaps": audiocaps, "clotho": clotho, "macs": macs, "wavtext5k": wavtext5k, "bbc": bbc, "audiostock": paired,
    "audioset": audioset, "vggsound": vggsound, "esc50": esc50, "fsd50k": fsd50k, "sonniss": paired,
    "wesoundeffects": paired, "epidemic": paired, "freetouse": paired, "urbansound8k": urbansound8k,
    "libritts": libritts, "medley-solos": medley_solos, "distilled": distilled,
}  # fmt: skip
# What the first record (and, where it matters, the last) must say: captions, labels, split.
FIRST = {
    "audiocaps": (("A dog barks two times",), (), "train"),
    "clotho": (("One.", "Two.", "Three.", "Four.", "Five."), (), "train"),
    "macs": (("Birds sing near a road",), ("birds singing", "traffic noise"), "train"),
    "wavtext5k": (("Birds singing, drive away, fly.", "Forest"), (), "train"),
    "bbc": (("Two-stroke petrol engine",), ("engines",), "train"),
    "audiostock": ((), ("door wooden creak",), "train"),
    "audioset": ((), ("dog",), "train"),
    "vggsound": ((), ("race car, auto racing",), "train"),
    "distilled": (("Rain",), (), "train"),
    "esc50": ((), ("dog",), "train"),
    "fsd50k": ((), ("electric guitar", "guitar"), "valid"),
    "urbansound8k": ((), ("dog bark",), "test"),
    "libritts": ((), ("a woman speaking",), "train"),
    "medley-solos": ((), ("distorted electric guitar",), "valid"),
}


@pytest.mark.parametrize("name", sorted(SETS))
def test_each_set_yields_the_same_record(name: str, tmp_path: Path) -> None:
    root = tmp_path / name
    LAYOUTS[name](root)
    records = load_set(name, root)
    assert records and all(isinstance(record, Record) and record.path.is_file() for record in records)
    assert len({record.id for record in records}) == len(records)
    assert all(record.split in ("train", "valid", "test") and (record.captions or record.labels) for record in records)
    captions, labels, split = FIRST.get(name, FIRST["audiostock"])
    assert (records[0].captions, records[0].labels, records[0].split) == (captions, labels, split)
    made = build_sets([f"{name}={root}"], tmp_path / "made")
    assert len(made.rows) == len({r.path.read_bytes() for r in records}) and made.seconds(0) > 0.1
    known = {row.id: row.event for row in made.rows}
    events = {f"{name}/{r.id}": len(r.labels) == 1 and not r.captions for r in records}
    assert all(event == events[one] for one, event in known.items())
    assert made.events.tolist() == [row.event for row in made.rows]


def test_captions_of_one_clip_are_one_record(tmp_path: Path) -> None:
    audiocaps(tmp_path)
    record = load_set("audiocaps", tmp_path)[-1]
    assert record.captions == ("Rain falls", "It rains on a roof") and record.split == "valid"
    assert record.span == (0.0, 10.0)


def test_vggsound_is_read_as_published(tmp_path: Path) -> None:
    vggsound(tmp_path)
    train, test = load_set("vggsound", tmp_path)
    assert (train.split, test.split, train.span, test.id) == ("train", "test", (30.0, 40.0), "-b-c_4")
    assert train.origin == ("youtube", "--x_1") and test.path.name == "-b-c.wav"
    write(tmp_path / "vggsound.csv", "YouTube ID,start seconds,label,split\n")
    with pytest.raises(ValueError, match=r"vggsound\.csv should have id, start, label and split"):
        load_set("vggsound", tmp_path)


def test_audioset_without_speech_and_music(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from train.data.labelled import audioset as loader

    audioset(tmp_path)
    assert [record.id for record in loader(tmp_path)] == ["-dog1_30.000"]
    assert len(list(loader(tmp_path, unfiltered=True))) == 3
    assert capsys.readouterr().err == ""
    (tmp_path / "ontology.json").unlink()
    assert len(list(loader(tmp_path))) == 2, "without the ontology a man's speech cannot be told to be speech"
    assert "only those are dropped that are tagged Speech or Music themselves" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(SETS))
def test_a_wrong_folder_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no [^\n]+\.$"):
        load_set(name, tmp_path / "nothing")


def test_a_table_with_other_columns_is_named(tmp_path: Path) -> None:
    write(tmp_path / "meta/esc50.csv", "a,b\n1,2\n")
    with pytest.raises(ValueError, match="filename"):
        load_set("esc50", tmp_path)


def test_a_table_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    write(tmp_path / "meta/esc50.csv", "filename,fold,category\n../../secret.wav,1,dog\n")
    with pytest.raises(ValueError, match="leads out"):
        load_set("esc50", tmp_path)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a dog barks, then a cat meows", "a dog barks, then a cat meows"),
        ("it costs $5", "it costs five dollars"),
        ("60 mph for 10s", "sixty miles per hour for ten seconds"),
        ("approx. 3 km from Dr. Smith", "approximately three kilometers from doctor Smith"),
        ("on Jan. 5th, 2021", "on the fifth of january, twenty twenty one"),
        ("an 80s synth", "an eighties synth"),
        ("50% louder at 3:30 pm", "fifty percent louder at three thirty PM"),
    ],
)
def test_text_is_written_out(written: str, said: str) -> None:
    assert normalise(written) == said


def test_labels_are_plain_words() -> None:
    assert label("Electric_guitar") == "electric guitar" and label("DomesticSounds") == "domestic sounds"


def test_table_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    esc50(tmp_path / "esc")
    clotho(tmp_path / "clotho")
    (tmp_path / "esc/audio/1-100032-A-0.wav").unlink()
    assert main(["stats", f"clotho={tmp_path}/clotho", f"esc50={tmp_path}/esc", "train/data/manifest.csv"]) == 0
    out, problems = capsys.readouterr()
    lines = {line[:22].strip(): line[22:].split() for line in out.splitlines()}
    assert lines["Clotho"][:3] == ["0.00", "Caption", "2"] and lines["ESC-50"][1] == "Label"
    assert float(lines["manifest"][0]) > 1 and float(lines["all"][0]) == pytest.approx(
        float(lines["manifest"][0]), abs=0.01
    )
    assert "1-100032-A-0.wav: missing" in problems and "1 missing" in out


def test_check_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    esc50(tmp_path)
    sound(tmp_path / "audio/1-100032-A-0.wav", rate=22_050)
    assert main(["check", f"esc50={tmp_path}"]) == 1
    out = capsys.readouterr().out
    assert "wrong rate" in out and "1 of 2 recordings are left out: 1 wrong rate." in out
    assert main(["check", f"nothing={tmp_path}"]) == 2
    assert "There is no data set 'nothing'" in capsys.readouterr().err


def test_two_sets_become_one_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    esc50(tmp_path / "esc")
    clotho(tmp_path / "clotho")
    to = tmp_path / "mine"
    assert main(["build", "--to", str(to), f"esc50={tmp_path}/esc", f"clotho={tmp_path}/clotho"]) == 0
    assert "4 recordings" in capsys.readouterr().out
    made = Library.open(to)
    assert [row.path.parts[0] for row in made.rows] == ["esc50", "esc50", "clotho", "clotho"]
    assert made.concepts == ("One.", "crackling fire", "dog") and len(made.indices("test")) == 2
    pitch = np.argmax(np.abs(np.fft.rfft(made.wave(3)))) / made.seconds(3)
    assert pitch == pytest.approx(600, abs=5), "sounds stay with their rows"
    assert main(["build", "--to", str(to), f"nothing={tmp_path}"]) == 2
