"""Our parameter names -> the authors', relative to the module; pure functions on strings.

Each takes a name of our module's `state_dict` (weight norm folded where there was any) and gives the name of the same
tensor in the authors' module. What a function gives for a name that is not one of the module's is undefined.
"""

from __future__ import annotations

import re


def bigvgan(name: str) -> str:
    """`levels.1.blocks.2.dilated.0.weight` -> `resblocks.5.convs1.0.weight`; three blocks a level.

    Their `weight` is stored as `weight_g` and `weight_v` (weight norm).
    """
    if match := re.fullmatch(r"levels\.(\d+)\.blocks\.(\d+)\.(\w+)\.(\d+)\.(\w+)", name):
        level, block, role, index, leaf = match.groups()
        outer = f"resblocks.{3 * int(level) + int(block)}"
        if role in ("dilated", "plain"):
            return f"{outer}.convs{1 if role == 'dilated' else 2}.{index}.{leaf}"
        return f"{outer}.activations.{2 * int(index) + (role == 'before_plain')}.act.{leaf}"
    if match := re.fullmatch(r"levels\.(\d+)\.up\.(\w+)", name):
        return f"ups.{match[1]}.0.{match[2]}"
    part, _, leaf = name.partition(".")
    return {"first": "conv_pre", "last": "conv_post", "snake": "activation_post.act"}[part] + f".{leaf}"


def text_key(name: str) -> str:
    """A text encoder's `bert.encoder...` -> `caption_encoder.base.encoder...`, as under `cond_stage_model`."""
    return "caption_encoder." + re.sub(r"^bert\.", "base.", name)


def clap_text(name: str) -> str:
    """The part "clap" of MS-CLAP -> the whole CLAP module: captions, the sound's projection, `logit_scale`."""
    if name.startswith("caption."):
        return text_key(name.removeprefix("caption."))
    return name if name == "logit_scale" else "audio_encoder.projection." + name.removeprefix("audio.")


def clap_audio(name: str) -> str:
    """Cnn14 -> the whole CLAP module: `blocks.0.conv1.weight` -> `audio_encoder.base.conv_block1.conv1.weight`.

    The front end that their file stores besides (`msclap.stored_front_end`) is computed here and has no name.
    """
    if match := re.fullmatch(r"blocks\.(\d)\.(.+)", name):
        return f"audio_encoder.base.conv_block{int(match[1]) + 1}.{match[2]}"
    part, _, leaf = name.partition(".")
    theirs = {"norm": "bn0", "hidden": "fc1", "tags": "fc_audioset"}[part]
    return f"audio_encoder.base.{theirs}.{leaf}"
