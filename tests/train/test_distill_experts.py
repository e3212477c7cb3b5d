"""Captioners: the paper's kind, trained here, and those of `transformers`, and its CLAP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maa.models.text import spelling_tokenizer
from tests.sounds import sine_wave
from tests.train.library import little_library
from train.data import Library
from train.distill.captioner import BEGIN, END, Captioner, CaptionerConfig, Lexicon, open_captioner
from train.distill.learning import CaptionerOptions, padded, train_captioner
from train.distill.seq2seq import TransformersCaptioner
from train.distill.sounds import SoundFile
from train.distill.spaces import TransformersClap, open_space
from train.trainer.options import RunOptions

CHOSEN = CaptionerOptions(batch=16, hidden=48, width=16, words=24, smoothing=0.0)


def frames_of(library: Library) -> dict[int, torch.Tensor]:
    """Frames [T, 16] that say which concept a recording is of, in one of their moments, under noise."""
    made, concepts = {}, list(library.concepts)
    for i, row in enumerate(library.rows):
        made[i] = 0.3 * torch.randn(6 + i % 3, 16, generator=torch.Generator().manual_seed(i))
        made[i][i % 5, concepts.index(row.concept)] += 4.0
    return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A captioner that was shown such frames of four concepts."""
    out, library = tmp_path_factory.mktemp("captioner"), little_library(4, 6)
    options = RunOptions(out, steps=100, lr=1e-2, warmup=5, ema=0.9, log_every=50)
    train_captioner(library, spelling_tokenizer(), options, CHOSEN, known=frames_of(library))
    return out


def test_it_says_what_it_was_shown(trained: Path) -> None:
    """Frames of recordings that it was not shown get a caption of their own concept, three of four at least."""
    library, expert = little_library(4, 6), open_captioner(trained, 3)
    frames = frames_of(library)
    said = {int(i): expert.of_frames(frames[int(i)][None]) for i in library.indices("test")}
    assert all(len(texts) == 3 for texts in said.values())
    assert sum(library.rows[i].concept in texts[0] for i, texts in said.items()) >= 3, said
    sounds = [SoundFile(str(i), library.wave(i), library.rate) for i in range(2)]
    assert [len(texts) for texts in expert.propose(sounds)] == [3, 3]


def test_words_go_there_and_back() -> None:
    words = Lexicon.of(spelling_tokenizer(), ["a dog barks", "rain"])
    numbers = words.encode("a dog barks", 30)
    assert numbers[0] == BEGIN and numbers[-1] == END and words.decode(numbers) == "a dog barks"
    assert words.encode("a dog barks", 3)[1:-1] == numbers[1:4]
    assert words.decode(words.encode("a cat", 30)) == "aa", "letters that no caption needs have no number"


def test_padding_is_not_heard() -> None:
    """Frames after a sound's end change nothing of what is said about it."""
    torch.manual_seed(0)
    model = Captioner(CaptionerConfig(width=16, hidden=32, words=8, pieces=tuple(range(20)))).eval()
    short, long = torch.randn(5, 16), torch.randn(9, 16)
    frames, mask = padded([short, long])
    alone = model.search(short[None], torch.ones(1, 5, dtype=torch.bool), 3)
    assert model.search(frames, mask, 3)[0] == alone[0]


def test_more_beams_find_no_worse() -> None:
    """The best of four beams is at least as likely, per piece, as what greedy search says."""
    torch.manual_seed(1)
    model = Captioner(CaptionerConfig(width=16, hidden=32, words=6, pieces=tuple(range(12)))).eval()
    frames, mask = torch.randn(1, 7, 16), torch.ones(1, 7, dtype=torch.bool)

    def per_piece(pieces: tuple[int, ...]) -> float:
        ended = [*pieces, END] if len(pieces) < model.config.words else list(pieces)
        with torch.inference_mode():
            return -float(model(frames, mask, torch.tensor([[BEGIN, *ended]])))

    one, four = (model.search(frames, mask, beams)[0][0] for beams in (1, 4))
    assert per_piece(four) >= per_piece(one) - 1e-5


def test_a_frozen_encoder_stays_as_it_is(tmp_path: Path) -> None:
    """Its weights and the statistics of its norms, and a resumed run is the run that was not cut."""
    from safetensors.torch import load_file, save_file

    from maa.models.aisfx import AisfxEncoder

    torch.manual_seed(3)
    save_file(AisfxEncoder(16).state_dict(), tmp_path / "clap_audio.safetensors")
    chosen = CaptionerOptions(batch=4, hidden=16, width=16, encoder=tmp_path)
    library, given = little_library(), load_file(tmp_path / "clap_audio.safetensors")
    train_captioner(library, spelling_tokenizer(), RunOptions(tmp_path / "whole", steps=4), chosen)
    train_captioner(library, spelling_tokenizer(), RunOptions(tmp_path / "cut", steps=2), chosen)
    train_captioner(library, spelling_tokenizer(), RunOptions(tmp_path / "cut", steps=4, resume=True), chosen)
    whole, cut = (load_file(tmp_path / name / "captioner.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(whole[f"frames.network.{name}"], value) for name, value in given.items())
    assert all(torch.allclose(whole[name], cut[name], atol=1e-6) for name in whole)


def test_a_damaged_captioner_is_one_sentence(trained: Path, tmp_path: Path) -> None:
    import shutil

    with pytest.raises(ValueError, match="no captioner in"):
        open_captioner(tmp_path)
    shutil.copytree(trained, tmp_path / "c")
    (tmp_path / "c" / "captioner.json").write_text('{"width": 32, "pieces": [1]}')
    with pytest.raises(ValueError, match="does not fit"):
        open_captioner(tmp_path / "c")


# ---------------------------------------------------------------- transformers


def saved_tokenizer(folder: Path, **special: str) -> Any:
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=spelling_tokenizer(), **special)
    tokenizer.save_pretrained(folder)
    return tokenizer


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Whisper with random weights, its front end and a tokenizer."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    folder = tmp_path_factory.mktemp("whisper")
    marks = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "decoder_start_token_id": 2}
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
    sizes |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 80}
    config = WhisperConfig(**marks, **sizes, num_mel_bins=8, max_target_positions=32, suppress_tokens=None)
    config.begin_suppress_tokens, config.tie_word_embeddings = None, False
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config)
    torch.nn.init.normal_(model.proj_out.weight, std=1.0)
    model.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=8).save_pretrained(folder)
    saved_tokenizer(folder, pad_token="[PAD]", bos_token="[CLS]", eos_token="[SEP]", unk_token="[UNK]")
    return folder


def tone(frequency: float, rate: int = 16_000) -> SoundFile:
    return SoundFile("tone", sine_wave(frequency, 0.6, rate)[0].astype(np.float32), rate)


def test_a_captioner_of_transformers(whisper: Path) -> None:
    """Text for each sound, the same in whatever company it is heard, at any rate."""
    expert = TransformersCaptioner(str(whisper), count=2, words=6)
    both = expert.propose([tone(300), tone(2000, 48_000)])
    assert [len(texts) for texts in both] == [2, 2] and any(text for texts in both for text in texts)
    assert expert.propose([tone(300)])[0] == both[0]
    prefixed = TransformersCaptioner(str(whisper), count=2, words=6, prefix="clotho").propose([tone(300)])[0]
    assert not any(text.startswith("clotho") for text in prefixed)


def test_no_captioner_of_transformers_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no speech-to-text model"):
        TransformersCaptioner(str(tmp_path))
    with pytest.raises(ValueError, match="no ClapModel"):
        TransformersClap(str(tmp_path))


def test_a_clap_of_transformers(tmp_path: Path) -> None:
    """Unit vectors of sounds and texts, the same each time, also for clips that its front end crops by chance."""
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    text = {"vocab_size": 80, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text |= {"intermediate_size": 16, "max_position_embeddings": 40, "pad_token_id": 0}
    audio = {"hidden_size": 16, "patch_embeds_hidden_size": 8, "depths": [1, 1], "num_attention_heads": [1, 2]}
    audio |= {"num_hidden_layers": 2, "num_mel_bins": 16, "spec_size": 64, "window_size": 4}
    config = ClapConfig(text_config=text, audio_config=audio, projection_dim=12)
    torch.manual_seed(0)
    ClapModel(config).save_pretrained(tmp_path)
    ClapFeatureExtractor(feature_size=16, max_length_s=1, truncation="rand_trunc").save_pretrained(tmp_path)
    saved_tokenizer(tmp_path, pad_token="[PAD]", unk_token="[UNK]")
    space = open_space(f"transformers={tmp_path}")
    texts = space.embed_text(["rain", "a dog barks twice"])
    wave = torch.from_numpy(sine_wave(500, 2.5, 16_000))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, two = (space.embed_audio(wave, 16_000) for _ in range(2))
    assert texts.shape == (2, 12) and one.shape == (1, 12) and torch.equal(one, two)
    assert torch.allclose(torch.cat([texts, one]).norm(dim=1), torch.ones(3), atol=1e-5)
    assert (np.random.get_state()[1] == before).all(), "other people's dice are left alone"  # noqa: NPY002
