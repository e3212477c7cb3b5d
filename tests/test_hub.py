"""Models on the hub, tested against a local cache and a stand-in for the hub's client."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
from huggingface_hub.errors import RepositoryNotFoundError

from maa import MakeAnAudio, Sampling, hub
from maa.cli import main

REVISION = "0123456789abcdef0123456789abcdef01234567"
QUICK = Sampling(steps=2, seed=7)


@pytest.fixture
def cached(tiny: MakeAnAudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with one repository in it, laid out as the hub's client lays it out."""
    repository = tmp_path / "hub" / "models--someone--tiny-audio"
    snapshot = repository / "snapshots" / REVISION
    tiny.save_pretrained(snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(REVISION)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return snapshot


@pytest.mark.parametrize("name", ["someone/tiny-audio", f"someone/tiny-audio@{REVISION}"])
def test_a_hub_id_opens_the_cached_snapshot(cached: Path, tiny: MakeAnAudio, name: str) -> None:
    opened = MakeAnAudio.from_pretrained(name, device="cpu")
    assert opened.name == name, "by this name a command finds it again"
    assert np.allclose(opened.text_to_audio("rain", QUICK).audio, tiny.text_to_audio("rain", QUICK).audio, atol=1e-6)


def test_an_id_that_is_not_there_is_one_sentence(cached: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="Cannot get the model 'someone/else' from the hub"):
        MakeAnAudio.from_pretrained("someone/else")
    assert main(["info", "--model", "someone/else"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_save_pretrained_copies_files_byte_for_byte(cached: Path, tmp_path: Path) -> None:
    opened = MakeAnAudio.from_pretrained("someone/tiny-audio", device="cpu")
    copied = opened.save_pretrained(tmp_path / "copy")
    names = sorted(path.name for path in cached.iterdir())
    assert sorted(path.name for path in copied.iterdir()) == names
    assert all((copied / name).read_bytes() == (cached / name).read_bytes() for name in names)
    with pytest.raises(ValueError, match="choose another folder"):
        opened.save_pretrained(copied)


def test_saved_weights_are_the_models(tiny: MakeAnAudio, tmp_path: Path) -> None:
    again = MakeAnAudio.from_pretrained(tiny.save_pretrained(tmp_path / "model"), device="cpu")
    assert again.name == "model"
    assert np.array_equal(again.text_to_audio("rain", QUICK).audio, tiny.text_to_audio("rain", QUICK).audio)


class Client:
    """The part of the hub's client that an upload uses; keeps what it was sent."""

    sent: list[tuple[str, dict[str, Any]]]

    def __init__(self, fails: bool = False) -> None:
        self.sent, self.fails = [], fails

    def create_repo(self, repository: str, **options: Any) -> str:
        if self.fails:
            response = type("Response", (), {"headers": {}, "request": None, "status_code": 401})()
            raise RepositoryNotFoundError("401: log in first\nmore", response=response)
        self.sent.append((repository, options))
        return f"https://hub.example/{repository}"

    def upload_folder(self, *, folder_path: Path, repo_id: str, allow_patterns: list[str], **options: Any) -> None:
        kept = Path(shutil.copytree(folder_path, Path(folder_path).parent.parent / "sent"))
        names = sorted(str(path.relative_to(kept)) for path in kept.rglob("*"))
        self.sent.append((repo_id, {"names": names, "allow_patterns": allow_patterns}))
        shutil.rmtree(kept)


def test_push(tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: client)
    assert tiny.push_to_hub("someone/new", private=True) == "https://hub.example/someone/new"
    (_, made), (repository, sent) = client.sent
    assert made == {"private": True, "exist_ok": True} and repository == "someone/new"
    assert {"config.json", "unet.safetensors", "tokenizer.json"} <= set(sent["names"])
    assert sent["allow_patterns"] == hub.PATTERNS


def test_push_from_the_command_line(
    cached: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = Client()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: client)
    assert main(["push", str(cached), "someone/new"]) == 0
    assert capsys.readouterr().out.strip() == "https://hub.example/someone/new"
    client.fails = True
    assert main(["push", str(cached), "someone/new"]) == 2
    assert "log in first" in capsys.readouterr().err
