"""Lists of captions as they are published, and what is wrong with others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from train.evaluation.lists import digest_of_list, read_list, safe


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_audiocaps_validation_is_494_clips_of_five_captions(tmp_path: Path) -> None:
    """494 x 5 lines, each with a name of its own; clips keep their video's id and start."""
    rows = [f'{5 * k + n},vid{k:08d},{k}0,"Clip {k}, said {n}"' for n in range(5) for k in range(494)]
    lines = read_list(written(tmp_path, "val.csv", "audiocap_id,youtube_id,start_time,caption\n" + "\n".join(rows)))
    assert len(lines) == 2470 and len({line.name for line in lines}) == 2470
    assert len({line.clip for line in lines}) == 494
    assert lines[0].name == "vid00000000_0__1" and lines[494].name == "vid00000000_0__2"
    assert lines[0].caption == "Clip 0, said 0" and lines[1].known == ("5",)
    assert "Yvid00000000" in lines[0].also


def test_clotho_and_others(tmp_path: Path) -> None:
    head = "file_name," + ",".join(f"caption_{k}" for k in range(1, 6))
    clotho = read_list(written(tmp_path, "clotho.csv", f"{head}\nRain on roof: 2.wav,a,b,c,d,e\nplain.wav,f,g,h,i,j\n"))
    assert [line.name for line in clotho[:2]] == ["Rain on roof_ 2__1", "Rain on roof_ 2__2"]
    assert clotho[0].clip == "Rain on roof: 2" and clotho[5].name == "plain__1" and len(clotho) == 10
    tango = [
        {"dataset": "x", "location": "data/audio/Yabc.wav", "captions": "a dog"},
        {"wav": "b.flac", "caption": "c"},
    ]
    jsonl = read_list(written(tmp_path, "t.jsonl", "\n".join(map(json.dumps, tango)) + "\n\n"))
    assert [(line.name, line.caption) for line in jsonl] == [("Yabc", "a dog"), ("b", "c")]
    assert read_list(written(tmp_path, "t.json", json.dumps({"data": tango}))) == jsonl
    tsv = read_list(written(tmp_path, "t.tsv", 'name\tcaption\nY1_2\tshe said "no"\n'))
    assert tsv[0].caption == 'she said "no"'
    text = read_list(written(tmp_path, "t.txt", "\ufeffa dog\n\n  a  cat \n"))
    assert [(line.name, line.caption, line.clip) for line in text] == [("00001", "a dog", ""), ("00002", "a cat", "")]


def test_a_digest_is_of_names_and_words(tmp_path: Path) -> None:
    one, same, other = (
        read_list(written(tmp_path, name, text))
        for name, text in (("1.txt", "a\nb"), ("2.txt", "a \r\nb\n"), ("3.txt", "a\nc"))
    )
    assert digest_of_list(one) == digest_of_list(same) != digest_of_list(other)


def test_names_are_safe() -> None:
    assert safe("a/b\\c:d") == "a_b_c_d" and safe("..") == "_" and len(safe("é" * 300).encode()) <= 180


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "caption,name\nx,y,z\n", "line 2, has 3 cells where the head has 2"),
        ("a.csv", "caption,name\nx,y\n,z\n", "line 3, has no caption"),
        ("a.csv", "name,words\nx,y\n", "no column of captions"),
        ("a.csv", "caption,caption\nx,y\n", "column caption twice"),
        ("a.csv", "youtube_id,start_time,caption\nx,soon,y\n", "line 2, has the start 'soon'"),
        ("a.csv", "file_name,caption\na:b.wav,x\na_b.wav,y\n", "would have one name, a_b: a:b, a_b"),
        ("a.jsonl", '{"caption": "x"}\n{"caption": \n', "line 2, is no JSON"),
        ("a.jsonl", '{"caption": "x"}\n[1]\n', "line 2, is neither"),
        ("a.jsonl", '{"caption": 3}\n', "line 1, has no caption"),
        ("a.json", '{"captions": {}}', "no list of captions"),
        ("a.txt", "\n \n", "holds no caption"),
        ("a.txt", "a\0b", "zero bytes"),
    ],
)
def test_what_is_malformed_is_named(name: str, text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        read_list(written(tmp_path, name, text))


def test_other_bytes_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"caption\n\xff\xfe\n")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        read_list(tmp_path / "a.csv")
    with pytest.raises(ValueError, match="There is no list"):
        read_list(tmp_path / "b.csv")
