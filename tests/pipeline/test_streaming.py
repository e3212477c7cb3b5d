"""A long sound is heard while it is made: the same bytes, early, in order, and no memory that grows with its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

from maa import Cancelled, Listener, MakeAnAudio, Sampling
from maa.diffusion.noise import TakeNoise
from maa.diffusion.samplers import sampler_named
from maa.diffusion.solvers import run
from maa.diffusion.wavefront import in_fronts, reach, step_by_step
from maa.diffusion.windows import windowed
from maa.pipeline.conditioning import from_text
from maa.pipeline.render import Renderer, Start, window_parts
from maa.pipeline.streaming import Growing

THREE = ("rain", "a dog barks twice in the yard", "wind")
SECONDS = 18.0  # three windows
WAYS: list[dict[str, Any]] = [
    {"steps": 3},
    {"steps": 2, "sampler": "ddim", "eta": 0.8},
    {"steps": 2, "sampler": "official"},
]


class Heard:
    """Keeps what it hears, and how often the network had been asked by then."""

    def __init__(self, maa: MakeAnAudio, patch: pytest.MonkeyPatch) -> None:
        self.calls, self.steps = 0, []
        self.parts: list[tuple[int, NDArray[np.float32], int, int]] = []
        network = type(maa.model.unet)
        forward = network.forward

        def counted(*given: Any) -> Any:
            self.calls += 1
            return forward(*given)

        patch.setattr(network, "forward", counted)

    def listener(self) -> Listener:
        return Listener(
            lambda first, wave, whole: self.parts.append((first, wave, whole, self.calls)),
            lambda step, total, preview: self.steps.append((step, total, preview().shape if step == 1 else None)),
        )

    @property
    def wave(self) -> NDArray[np.float32]:
        edge = 0
        for first, wave, _, _ in self.parts:
            assert first == edge and wave.dtype == np.float32 and len(wave)
            edge += len(wave)
        assert {whole for _, _, whole, _ in self.parts} == {edge}
        return np.concatenate([wave for _, wave, _, _ in self.parts])


def start_of(renderer: Renderer, columns: int, texts: Sequence[str] = ("rain",)) -> Start:
    """Rain, so many latent columns long, or in each window something else."""
    pairs = [from_text(renderer.model, text, "") for text in texts]
    parts = window_parts(renderer.spans(columns), pairs)
    return Start(*pairs[0], columns * renderer.model.config.autoencoder.factor, parts=parts)


@pytest.mark.parametrize("way", WAYS)
def test_the_bytes_are_those_of_all_windows_at_once(tiny: MakeAnAudio, way: dict[str, Any]) -> None:
    renderer, sampling = tiny.renderer, Sampling(seed=5, guidance=2.0, **way)
    start, columns = start_of(tiny.renderer, 150, THREE), 150
    kind = sampler_named(sampling.sampler)
    noise = kind.noise(5, [0], renderer.device)
    z = noise.draw((4, tiny.config.latent_cells[0], columns))
    solver = kind.solver(kind.timesteps(1.0, sampling.steps, renderer.schedule), renderer.schedule, sampling.eta)
    with torch.inference_mode():
        windows = windowed([part.span for part in start.parts], renderer._answer(start, sampling, 1))
        wanted = run(solver, windows, z, noise)
    made, seeds = renderer.takes(start, sampling, None)
    assert torch.equal(made, wanted) and seeds == (5,)


@pytest.mark.parametrize("way", [WAYS[0], {**WAYS[1], "count": 2}, WAYS[2]])
def test_listening_changes_nothing(tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch, way: dict[str, Any]) -> None:
    heard, sampling = Heard(tiny, monkeypatch), Sampling(seed=3, **way)
    plain = tiny.text_to_audio("rain", sampling, seconds=SECONDS, literal=True)
    asked, heard.calls = heard.calls, 0
    made = tiny.text_to_audio("rain", sampling, seconds=SECONDS, literal=True, on_step=heard.listener())
    assert heard.calls == asked, "nothing is asked twice"
    assert np.array_equal(made.audio, plain.audio) and np.array_equal(made.mel, plain.mel)
    assert made.facts == plain.facts and made.seeds == plain.seeds
    assert [step for step, *_ in heard.steps] == list(range(1, len(heard.steps) + 1))
    assert len(heard.parts) == 3
    take = made.seeds.index(3)
    gain = made.facts[take]["gain_db"]
    finished = heard.wave * np.float32(10 ** (gain / 20))
    assert np.allclose(finished, made.audio[take, 0], atol=0.01 * np.abs(finished).max()), "the same but for a gain"
    if gain == 0:
        assert np.array_equal(heard.wave, made.audio[take, 0])


def test_the_first_seconds_come_early(tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """3 steps, 12 windows: a stretch is sound once its window and the two behind it are done, 6 + 3 + 3 of 36 calls."""
    heard, columns = Heard(tiny, monkeypatch), 16 + 62 * 12
    renderer, spec = tiny.renderer, tiny.config.audio
    start, whole = start_of(renderer, columns), columns * tiny.config.autoencoder.factor * spec.hop
    first = Growing(renderer, renderer.spans_of(start), whole, True, heard.listener().on_sound)
    renderer.takes(start, Sampling(3, seed=1, guidance=1.0), None, first.grow)
    assert [calls for *_, calls in heard.parts] == [12, 15, 18, 21, 24, 27, 30, 33, 35, 36, 36, 36]
    assert [first for first, *_ in heard.parts] == [a * 8 * spec.hop for a, _ in renderer.spans_of(start)]
    assert len(heard.wave) == whole


def test_it_is_stopped_in_the_middle(tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard(tiny, monkeypatch)

    def stop(first: int, wave: NDArray[np.float32], whole: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        tiny.text_to_audio("rain", Sampling(2, seed=1, count=2), seconds=30, literal=True, on_step=Listener(stop))
    assert heard.calls == 7, "the second take was not begun"


@pytest.mark.parametrize("asked", [{"seconds": 1.0}, {"seconds": 10.5, "loop": True}])
def test_nothing_is_heard_of_what_is_short_or_has_no_beginning(tiny: MakeAnAudio, asked: dict[str, Any]) -> None:
    told: list[int] = []
    listener = Listener(lambda first, wave, whole: told.append(first))
    tiny.text_to_audio("rain", Sampling(1, seed=1), literal=True, on_step=listener, **asked)
    assert told == []


@pytest.mark.parametrize("kind", ["in fronts", "step by step"])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_windows_in_one_batch_make_the_same_sound(
    tiny: MakeAnAudio, monkeypatch: pytest.MonkeyPatch, kind: str, guidance: float
) -> None:
    """As on a GPU; two takes, so that rows of takes and of windows are told apart."""
    renderer, sampling = tiny.renderer, Sampling(3, seed=5, count=2, guidance=guidance)
    start = start_of(renderer, 150, THREE)

    def made() -> torch.Tensor:
        with torch.inference_mode():
            return renderer._denoise(start, sampling, TakeNoise([5, 6], renderer.device), 2)

    wanted = made()
    spans = renderer.spans_of(start)
    fronts = in_fronts(3, 3, reach(spans)) if kind == "in fronts" else step_by_step(3, 3, 2)
    monkeypatch.setattr(renderer, "_fronts", lambda *_: fronts)
    assert torch.allclose(made(), wanted, atol=1e-4)


class Largest(TorchDispatchMode):
    """The most values that any tensor had that is no whole sound, spectrogram or latent."""

    def __init__(self, whole: set[int]) -> None:
        super().__init__()
        self.whole, self.most = whole, 0

    def __torch_dispatch__(self, function: Any, kinds: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else [made]:
            if isinstance(one, torch.Tensor) and one.numel() not in self.whole:
                self.most = max(self.most, one.numel())
        return made


def test_memory_does_not_grow_with_the_length(tiny: MakeAnAudio) -> None:
    most = []
    for columns in (16 + 62 * 3, 16 + 62 * 5):
        config, renderer = tiny.config, tiny.renderer
        start = start_of(renderer, columns)
        frames = columns * config.autoencoder.factor
        whole = {frames * config.audio.hop, frames * config.audio.mels, 4 * config.latent_cells[0] * columns}
        with torch.inference_mode(), Largest(whole) as watch:
            first = Growing(renderer, renderer.spans_of(start), frames * config.audio.hop, True, lambda *_: None)
            renderer.takes(start, Sampling(1, seed=1, guidance=1.0), None, first.grow)
            assert first.told == frames * config.audio.hop
        most.append(watch.most)
    assert most[0] == most[1]
