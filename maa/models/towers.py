"""Text towers (BERT; T5 and CLIP through transformers): our description to theirs and back (Table 1's encoders)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.config import TextConfig
from maa.models.bert import Activation, Bert

PADS = {"bert": "[PAD]", "t5": "<pad>", "clip": "<|endoftext|>"}
FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
_KINDS = {"bert": "bert", "t5": "t5", "clip": "clip", "clip_text_model": "clip"}
_ACTIVATIONS = {"bert": "gelu", "t5": "relu", "clip": "quick_gelu"}
# Our names of a kind's settings, in the order of transformers' names.
_SETTINGS = {
    "bert": ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
    "t5": ("vocab_size", "d_model", "num_layers", "num_heads", "d_ff"),
}
_SETTINGS["clip"] = _SETTINGS["bert"]
_OURS = ("vocabulary", "width", "layers", "heads", "intermediate")
# What changes the numbers but has no name here: a tower with another value than the usual one is refused.
_USUAL = {
    "bert": ("layer_norm_eps", "type_vocab_size", "position_embedding_type"),
    "t5": ("layer_norm_epsilon", "relative_attention_num_buckets", "relative_attention_max_distance"),
    "clip": ("layer_norm_eps",),
}


def transformers_config(config: TextConfig) -> Any:
    """transformers' configuration of a tower."""
    import transformers  # takes seconds: only when a tower is built

    activation = config.activation or _ACTIVATIONS[config.kind]
    values: dict[str, Any] = {
        theirs: getattr(config, ours) for ours, theirs in zip(_OURS, _SETTINGS[config.kind], strict=True)
    }
    if config.kind == "t5":
        width = config.head_width or config.width // config.heads
        return transformers.T5Config(**values, d_kv=width, feed_forward_proj=activation, use_cache=False)
    kind = transformers.BertConfig if config.kind == "bert" else transformers.CLIPTextConfig
    return kind(**values, max_position_embeddings=config.positions, hidden_act=activation)


def build_tower(config: TextConfig) -> nn.Module:
    """A tower with fresh weights; called with input_ids and attention_mask [B, K] it gives last_hidden_state."""
    if config.kind == "bert":
        return Bert(config, _activation(config.activation or _ACTIVATIONS["bert"]))
    import transformers

    whole = transformers.T5EncoderModel if config.kind == "t5" else transformers.CLIPTextModel
    return _core(whole(transformers_config(config)))


def _activation(name: str) -> Activation:
    """A function under transformers' name for it."""
    if name == "gelu":
        return F.gelu
    from transformers.activations import ACT2FN

    return ACT2FN[name]


def _core(model: nn.Module) -> nn.Module:
    """The network without the shells that hold T5's embedding twice and change CLIP's names between versions."""
    inner = getattr(model, "text_model", None) or getattr(model, "encoder", None)
    is_stack = hasattr(inner, "embed_tokens") or hasattr(inner, "final_layer_norm")
    return inner if isinstance(inner, nn.Module) and is_stack else model


def locate_tower(name: str | Path) -> Path:
    """The folder of a tower: the one given, or the hub's snapshot of an id."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        absent = [file for file in FILES[:3] if not (folder / file).is_file()]
        if absent:
            raise ValueError(f"{folder} is not a text encoder in transformers' layout: add {', '.join(absent)}.")
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return locate_tower(snapshot_download(str(name), allow_patterns=FILES))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"There is no folder {name}, and the hub does not give it either: {first}") from error


def read_tower_config(folder: Path, tokens: int) -> TextConfig:
    """What a folder's config.json says, in our words. ValueError for what cannot be said."""
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = _KINDS.get(found.get("model_type"))
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(
            f"{folder / 'config.json'} is not a model description ({str(error)[:200]}); restore it."
        ) from error
    if kind is None:
        raise ValueError(f"{folder} holds a {found.get('model_type')!r}; text encoders are bert, t5 and clip here.")
    found = {**found, **found.get("text_config", {})} if kind == "clip" else found
    import transformers

    defaults = {"bert": transformers.BertConfig, "t5": transformers.T5Config, "clip": transformers.CLIPTextConfig}
    usual = defaults[kind]()
    odd = [key for key in _USUAL[kind] if key in found and found[key] != getattr(usual, key, "absolute")]
    if odd:
        raise ValueError(f"{folder} has an unusual {', '.join(odd)}; this tower cannot be rebuilt here.")
    values = {key: found.get(key, getattr(usual, key)) for key in _SETTINGS[kind]}
    activation = found.get("feed_forward_proj" if kind == "t5" else "hidden_act", _ACTIVATIONS[kind])
    positions = 0 if kind == "t5" else found.get("max_position_embeddings", usual.max_position_embeddings)
    if positions and tokens > positions:
        raise ValueError(f"{folder} knows {positions} positions; {tokens} tokens are too many.")
    return TextConfig(
        **dict(zip(_OURS, values.values(), strict=True)),
        kind=kind,  # type: ignore[arg-type]
        positions=positions,
        tokens=tokens,
        projection=None,
        activation=None if activation == _ACTIVATIONS[kind] else activation,
        head_width=found.get("d_kv", usual.d_kv) if kind == "t5" else None,
        pad=_pad(folder, kind),
    )


def _pad(folder: Path, kind: str) -> str | None:
    """The padding token that the folder names, None where it is the kind's own."""
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return None
    token = json.loads(path.read_text(encoding="utf-8")).get("pad_token")
    token = token.get("content") if isinstance(token, dict) else token
    return None if token == PADS[kind] else token


def tower_weights(folder: Path, config: TextConfig) -> dict[str, Tensor]:
    """The tower's weights in float32, read by transformers, which knows the prefixes that whole models add."""
    import transformers

    kinds = {"bert": transformers.BertModel, "t5": transformers.T5EncoderModel, "clip": transformers.CLIPTextModel}
    more = {"add_pooling_layer": False} if config.kind == "bert" else {}
    given = transformers_config(config)
    try:
        tower, report = kinds[config.kind].from_pretrained(
            folder, config=given, dtype=torch.float32, local_files_only=True, output_loading_info=True, **more
        )
    except (OSError, RuntimeError, ValueError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{folder / 'model.safetensors'} does not fit its config.json: {first}") from error
    if report["missing_keys"]:
        names = ", ".join(sorted(report["missing_keys"])[:3])
        raise ValueError(f"{folder / 'model.safetensors'} lacks weights of the text encoder: {names}.")
    return dict(_core(tower).state_dict())
