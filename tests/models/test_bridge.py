"""The picture bridge: the arithmetic with a stub classifier, and what the shipped class vectors sound like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from maa import MakeAnAudio
from maa.config import VisionConfig
from maa.models.bridge import CLASSES, PictureBridge, centre, class_entries, class_sounds, create_classifier, fit
from maa.models.text import mean_pool

WEIGHTS = Path(__file__).resolve().parents[2] / "checkpoints" / "small" / "vision.safetensors"
WORDS = ("siren", "rain", "bell")


class Sees(nn.Module):
    """Stands for the classifier: sure of one class for bright pictures and of another one for dark ones."""

    def __init__(self, bright: int, dark: int | None = None) -> None:
        super().__init__()
        self.classes = bright, bright if dark is None else dark

    def forward(self, pixels: Tensor) -> Tensor:
        seen = torch.where(pixels.mean((1, 2, 3)) > 0, *self.classes)
        return 20.0 * F.one_hot(seen, CLASSES)


def embed_axes(texts: list[str]) -> Tensor:
    """Each word on an axis of its own."""
    return F.one_hot(torch.tensor([WORDS.index(text) for text in texts]), 8).float()


def bridge(*classes: int) -> PictureBridge:
    """Class 10 sounds like a siren, class 20 like rain; every other class like nothing named."""
    net = PictureBridge(text_width=8).eval()
    net.classifier = Sees(*classes)
    net.class_vectors = F.one_hot(torch.full((CLASSES,), 7), 8).float()
    net.class_vectors[10], net.class_vectors[20] = embed_axes(["siren", "rain"])
    return net


def picture(value: int, height: int = 40, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_the_classifier_is_timms_to_the_last_bit() -> None:
    torch.manual_seed(3)
    ours = create_classifier("efficientnet_lite0").eval()
    torch.manual_seed(3)
    theirs = timm.create_model("tf_efficientnet_lite0").eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in theirs.state_dict().items())
    with torch.inference_mode():
        for sides in ((64, 64), (65, 97)):
            pixels = torch.randn(2, 3, *sides)
            assert torch.equal(ours(pixels), theirs(pixels))


def test_a_picture_is_heard_as_what_its_class_sounds_like() -> None:
    heard = bridge(10).hear([picture(200)], WORDS, embed_axes)
    (word, weight), *rest = heard.words
    assert word == "siren"
    assert weight > 0.9
    assert sum(w for _, w in heard.words) == pytest.approx(1.0)
    assert [w for _, w in heard.words] == sorted((w for _, w in heard.words), reverse=True)
    assert heard.vector.norm() == pytest.approx(1.0)
    assert heard.vector[0] > 0.9
    assert bridge(10).describe([picture(200)], WORDS, embed_axes)[0] == (word, weight)
    assert rest == [] or rest[0][1] < weight


def test_a_clip_is_the_mean_of_its_frames() -> None:
    net = bridge(10, 20)
    light, dark = (net.video_vector([picture(value)]) for value in (250, 5))
    both = net.video_vector([picture(250), picture(5)])
    assert torch.allclose(both, F.normalize(light + dark, dim=0), atol=1e-5)
    words = dict(net.describe([picture(250), picture(5)], WORDS, embed_axes))
    assert words["siren"] == pytest.approx(words["rain"], abs=1e-3)
    assert words["siren"] > 0.4


def test_concepts_are_read_once() -> None:
    calls = []

    def embed(texts: list[str]) -> Tensor:
        calls.append(texts)
        return embed_axes(texts)

    net = bridge(10)
    for _ in range(2):
        net.describe([picture(200)], list(WORDS), embed)
    assert calls == [list(WORDS)]


@pytest.mark.parametrize("shape", [(8, 8), (20, 300), (300, 20), (500, 400)])
def test_every_shape_of_picture_fills_the_input(shape: tuple[int, int]) -> None:
    tiles = [centre(picture(90, *shape), 224, 256 / 224), fit(picture(90, *shape), 224, 224)]
    for tile in tiles:
        assert tile.shape == (1, 3, 224, 224)
        assert torch.allclose(tile, torch.tensor(90.0), atol=1e-2)


def test_the_centre_is_the_middle() -> None:
    wide = picture(0, 100, 300)
    wide[:, 100:200] = 255
    assert centre(wide, 64).min() > 200


def test_not_a_picture_and_no_concepts_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="uint8"):
        bridge(10).video_vector([np.zeros((4, 4, 3), np.float32)])
    with pytest.raises(ValueError, match="no picture"):
        bridge(10).video_vector([])
    with pytest.raises(ValueError, match="no sound concepts"):
        bridge(10).hear([picture(9)], [], embed_axes)


def test_the_real_network_gives_probabilities() -> None:
    net = PictureBridge(VisionConfig(size=64), text_width=8).eval()
    with torch.inference_mode():
        probabilities = net.probabilities(picture(120, 30, 50))
    assert probabilities.shape == (CLASSES,)
    assert float(probabilities.sum()) == pytest.approx(1.0, abs=1e-4)


def test_class_texts_are_complete() -> None:
    entries, sounds = class_entries(), class_sounds()
    assert len(entries) == CLASSES
    assert entries[555].startswith("fire engine")
    assert sounds[555] == "siren"
    assert sounds[207] == "dog barking"
    assert set(sounds) <= set(range(CLASSES))


@pytest.mark.skipif(not WEIGHTS.is_file(), reason="checkpoints/small is absent")
@pytest.mark.parametrize(
    ("number", "word"),
    [
        (207, "dog barking"),
        (281, "cat meowing"),
        (555, "siren"),
        (497, "church bell"),
        (978, "ocean waves"),
        (8, "chicken clucking"),
    ],
)
def test_shipped_class_vectors_sound_right(number: int, word: str, small: MakeAnAudio) -> None:
    net = PictureBridge()
    net.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    net.classifier = Sees(number)
    model = small.model
    assert model.text is not None

    def embed(texts: list[str]) -> Tensor:
        context = model.text.encode(texts)
        return F.normalize(mean_pool(context.tokens, context.mask), dim=-1)

    assert net.describe([picture(128)], model.concepts, embed)[0][0] == word
