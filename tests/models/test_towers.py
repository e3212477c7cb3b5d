"""Text encoders in transformers' layout: BERT, T5 and CLIP, saved small and random, opened and rebuilt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from maa.config import PAPER_TEXT, TINY, UNetConfig
from maa.models import towers
from maa.models.text import TextEncoder, spelling_tokenizer

WORDS = {
    "bert": ["[PAD]", "[CLS]", "[SEP]"],
    "t5": ["<pad>", "</s>"],
    "clip": ["!", "<|startoftext|>", "<|endoftext|>"],
}
SIZE = {"vocab_size": 16, "hidden_act": "gelu", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZE["intermediate_size"] = 24


def network(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    if kind == "bert":
        return transformers.BertForMaskedLM(transformers.BertConfig(**SIZE, max_position_embeddings=20))
    if kind == "clip":
        text = {**SIZE, "max_position_embeddings": 12, "eos_token_id": 2, "bos_token_id": 1, "pad_token_id": 2}
        vision = {**{k: v for k, v in SIZE.items() if k != "vocab_size"}, "image_size": 8, "patch_size": 4}
        return transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=vision))
    shape = {"vocab_size": 16, "d_model": 32, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2}
    config = transformers.T5Config(**shape, feed_forward_proj="gated-gelu", decoder_start_token_id=0)
    return transformers.T5ForConditionalGeneration(config)


def save(kind: str, folder: Path) -> torch.nn.Module:
    """A whole model with its tokenizer, as the hub has them."""
    vocabulary = {word: i for i, word in enumerate([*WORDS[kind], "dog", "barks", "[UNK]"])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    first, last = (WORDS[kind][1], WORDS[kind][-1]) if kind != "t5" else ("", "</s>")
    ends = [(word, vocabulary[word]) for word in (first, last) if word]
    tokenizer.post_processor = TemplateProcessing(single=f"{first} $A {last}".strip(), special_tokens=ends)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    model = network(kind).eval()
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module", params=["bert", "t5", "clip"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder = tmp_path_factory.mktemp("towers") / request.param
    model = save(request.param, folder)
    return request.param, folder, model, TextEncoder.from_transformers(folder, tokens=12)


@torch.inference_mode()
def test_states_are_the_whole_models(opened: tuple) -> None:
    """Every position attended to and none masked, as the authors condition."""
    kind, _, model, encoder = opened
    inner = {"bert": "bert", "t5": "encoder", "clip": "text_model"}[kind]
    ids, mask = encoder.tokenize(["dog barks", ""])
    assert ids.shape == (2, 12)
    wanted = getattr(model, inner)(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    context = encoder.encode(["dog barks", ""])
    assert context.mask is None
    assert torch.allclose(context.tokens, wanted, atol=1e-5)
    assert mask.sum(1).tolist() == ([3, 1] if kind == "t5" else [4, 2])


@torch.inference_mode()
def test_pads_can_be_hidden(opened: tuple) -> None:
    _, _, _, encoder = opened
    config = replace(encoder.config, mask_pads=True)
    hiding = TextEncoder(config, encoder.tokenizer)
    hiding.load_state_dict(encoder.state_dict())
    alone = hiding.eval().encode(["dog"])
    beside = hiding.encode(["dog", "dog barks dog barks"])
    assert alone.mask is not None and beside.mask is not None
    assert torch.allclose(beside.tokens[:1][beside.mask[:1]], alone.tokens[alone.mask], atol=1e-5)


@torch.inference_mode()
def test_bert_is_transformers_to_the_last_bit() -> None:
    """Names, fresh weights, and states of every length; with nothing hidden, too, which goes another way inside."""
    config = replace(TINY.text, layers=2, pooler=True)
    torch.manual_seed(3)
    ours = towers.build_tower(config)
    torch.manual_seed(3)
    theirs = transformers.BertModel(towers.transformers_config(config))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in theirs.state_dict().items())
    for length in (1, 2, 7, config.tokens):
        ids = torch.randint(0, config.vocabulary, (5, length))
        for longest in (length, torch.randint(1, length + 1, (5, 1))):
            mask = (torch.arange(length)[None] < longest).expand(5, length).long()
            found = ours.eval()(input_ids=ids, attention_mask=mask).last_hidden_state
            assert torch.equal(found, theirs.eval()(input_ids=ids, attention_mask=mask).last_hidden_state)


def test_bert_takes_transformers_other_activations() -> None:
    config = replace(TINY.text, activation="gelu_new")
    ours = towers.build_tower(config).eval()
    theirs = transformers.BertModel(towers.transformers_config(config), add_pooling_layer=False).eval()
    theirs.load_state_dict(ours.state_dict())
    ids = torch.arange(6)[None]
    with torch.inference_mode():
        found, wanted = (one(input_ids=ids, attention_mask=torch.ones_like(ids))[0] for one in (ours, theirs))
    assert torch.equal(found, wanted)
    with pytest.raises(ValueError, match="3 heads cannot share"):
        towers.build_tower(replace(TINY.text, heads=3))


def test_padding_is_the_kinds_own(opened: tuple) -> None:
    kind, folder, _, encoder = opened
    vocabulary = encoder.tokenizer.get_vocab()
    assert int(encoder.tokenize([""])[0][0, -1]) == vocabulary[towers.PADS[kind]]
    if kind == "clip":  # the folder may name another, as open_clip's models do
        (folder / "tokenizer_config.json").write_text('{"pad_token": "!"}')
        assert TextEncoder.from_transformers(folder, tokens=12).tokenize([""])[0][0, -1] == 0
        (folder / "tokenizer_config.json").unlink()


def test_unusual_towers_are_refused(opened: tuple, tmp_path: Path) -> None:
    kind, folder, _, _ = opened
    found = json.loads((folder / "config.json").read_text())
    key = "layer_norm_epsilon" if kind == "t5" else "layer_norm_eps"
    for name in towers.FILES[1:3]:
        (tmp_path / name).symlink_to(folder / name)
    target = found["text_config"] if kind == "clip" else found
    (tmp_path / "config.json").write_text(json.dumps({**found, key: 0.5, "text_config": {**target, key: 0.5}}))
    with pytest.raises(ValueError, match=f"unusual {key}"):
        TextEncoder.from_transformers(tmp_path, tokens=12)


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"add config\.json, model\.safetensors, tokenizer\.json"):
        TextEncoder.from_transformers(tmp_path)
    for name in towers.FILES[:3]:
        (tmp_path / name).write_text('{"model_type": "gpt2"}')
    with pytest.raises(ValueError, match="'gpt2'"):
        TextEncoder.from_transformers(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ValueError, match="tokenizer"):
        TextEncoder.from_transformers(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="not a model description"):
        TextEncoder.from_transformers(tmp_path)
    with pytest.raises(ValueError, match="no '<pad>'"):
        TextEncoder(replace(TINY.text, kind="t5"), spelling_tokenizer())


def test_two_encoders_may_share_a_tokenizer() -> None:
    shared = spelling_tokenizer()
    short, long = (TextEncoder(replace(TINY.text, tokens=tokens), shared) for tokens in (10, 20))
    assert short.tokenize(["rain"])[0].shape == (1, 10)
    assert long.tokenize(["rain"])[0].shape == (1, 20)


@pytest.mark.parametrize(
    ("row", "wanted"),
    [("CLAP", 111_319_296), ("BERT", 108_891_648), ("T5-Large", 334_939_648), ("CLIP", 352_984_064)],
)
def test_table_1_rows(row: str, wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """BERT's row has no use for the pooler's 590,592 and leaves it out."""
    config = PAPER_TEXT[row]
    monkeypatch.setattr("tokenizers.Tokenizer.token_to_id", lambda self, token: 0)
    with torch.device("meta"):
        encoder = TextEncoder(config, spelling_tokenizer())
    assert sum(parameter.numel() for parameter in encoder.parameters()) == wanted
    assert UNetConfig(context_dim=config.context_dim).context_dim == (768 if row == "BERT" else 1024)
