"""The authors' files, written once, and a CLIP of their architecture's name but of a test's size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import open_clip
import pytest

from maa.config import OpenClipConfig
from tests.official.files import CLIP, NAMES, write


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Paths of the six files, by kind. Read only."""
    folder = tmp_path_factory.mktemp("authors")
    return {kind: write(kind, folder) for kind in NAMES}


@pytest.fixture
def small_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """open_clip's ViT-H-14, at a test's size."""
    from open_clip import factory

    path = tmp_path / "clip-config" / f"{OpenClipConfig().model}.json"
    path.parent.mkdir()
    path.write_text(json.dumps(CLIP))
    kept = dict(factory._MODEL_CONFIGS), list(factory._MODEL_CONFIG_PATHS)
    open_clip.add_model_config(path)
    yield
    factory._MODEL_CONFIGS.clear()
    factory._MODEL_CONFIGS.update(kept[0])
    factory._MODEL_CONFIG_PATHS[:] = kept[1]
