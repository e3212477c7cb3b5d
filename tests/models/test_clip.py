"""CLIP through open_clip, with a tiny random one: vectors, words, loading from a folder, missing weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from maa.models.clip import ClipBridge, ClipVision

MODEL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
WORDS = ["dog barking", "rain", "church bell"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP folder as open_clip writes them."""
    path = tmp_path_factory.mktemp("clip")
    (path / "open_clip_config.json").write_text(json.dumps({"model_cfg": MODEL, "preprocess_cfg": {}}))
    torch.manual_seed(0)
    save_file(open_clip.CLIP(**MODEL).state_dict(), path / "open_clip_model.safetensors")
    return path


@pytest.fixture(scope="module")
def vision(folder: Path) -> ClipVision:
    return ClipVision.load(folder)


def picture(seed: int, height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def embed(texts: list[str]) -> Tensor:
    return F.one_hot(torch.arange(len(texts)), 5).float()


def test_vectors_have_unit_length(vision: ClipVision) -> None:
    images, texts = vision.image_vectors([picture(0), picture(1, 20, 90)]), vision.text_vectors(["a", "a dog"])
    for vectors in (images, texts):
        assert vectors.shape == (2, 16)
        assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-5)
    assert not torch.allclose(images[0], images[1])


def test_a_clip_is_the_normalised_mean_of_its_frames(vision: ClipVision) -> None:
    frames = [picture(seed) for seed in range(4)]
    vector = vision.video_vector(frames)
    assert torch.allclose(vector, F.normalize(vision.image_vectors(frames).mean(0), dim=0), atol=1e-6)
    assert torch.allclose(vision.video_vector(frames[:1]), vision.image_vectors(frames[:1])[0], atol=1e-6)


def test_the_bridge_ranks_by_cosine_and_blends_the_models_own_vectors(vision: ClipVision) -> None:
    heard = ClipBridge(vision).hear([picture(3)], WORDS, embed)
    cosines = vision.text_vectors([f"a photo of {word}" for word in WORDS]) @ vision.video_vector([picture(3)])
    assert heard.words[0][0] == WORDS[int(cosines.argmax())]
    assert sum(weight for _, weight in heard.words) == pytest.approx(1.0)
    weights = torch.zeros(5)
    for word, weight in heard.words:
        weights[WORDS.index(word)] = weight
    assert torch.allclose(heard.vector, F.normalize(weights, dim=0), atol=1e-5)
    assert ClipBridge(vision).describe([picture(3)], WORDS, embed) == list(heard.words)


def test_missing_or_damaged_weights_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="config file missing"):
        ClipVision.load(tmp_path)
    (tmp_path / "open_clip_config.json").write_text((folder / "open_clip_config.json").read_text())
    with pytest.raises(ValueError, match="Cannot open the CLIP model"):
        ClipVision.load(tmp_path)
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ValueError, match="Cannot open the CLIP model"):
        ClipVision.load(tmp_path)
    with pytest.raises(ValueError, match="Cannot open the CLIP model"):
        ClipVision.load("no-such-architecture")


def test_what_is_not_a_picture_is_refused(vision: ClipVision) -> None:
    with pytest.raises(ValueError, match="uint8"):
        vision.image_vectors([np.zeros((4, 4))])
    with pytest.raises(ValueError, match="no sound concepts"):
        ClipBridge(vision).hear([picture(0)], [], embed)


def test_a_clip_in_the_model_folder_hears_the_pictures(folder: Path, tmp_path: Path) -> None:
    from maa import MakeAnAudio, checkpoint

    model = tmp_path / "model"
    checkpoint.save(checkpoint.random_model(), model)
    classifier = MakeAnAudio.from_pretrained(model, device="cpu").describe_image(picture(1))
    (model / checkpoint.CLIP).symlink_to(folder)
    maa = MakeAnAudio.from_pretrained(model, device="cpu")
    assert isinstance(maa.model.vision, ClipBridge)
    words = maa.describe_image(picture(1))
    assert sum(weight for _, weight in words) == pytest.approx(1.0, abs=1e-4)
    assert words != classifier
