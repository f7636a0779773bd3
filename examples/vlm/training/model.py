# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The model: a LLaVA small enough to train on two CPU cores."""

import torch
from scenes import CELL, IMAGE_SIZE
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration
from vocab import BOS_ID, EOS_ID, IMAGE_ID, PAD_ID, TOKEN_TO_ID


def tiny_config():
    """The configuration of the trained model.

    One patch is one cell of a scene, so the decoder sees nine image tokens.
    The widths of the decoder are multiples of 128, which is what quantizers that
    share scales over groups of 128 weights want.
    """
    vision = CLIPVisionConfig(
        hidden_size=128,
        intermediate_size=256,
        projection_dim=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=IMAGE_SIZE,
        patch_size=CELL,
    )
    text = LlamaConfig(
        vocab_size=len(TOKEN_TO_ID),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=12,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=256,
        initializer_range=0.05,
        pad_token_id=PAD_ID,
        bos_token_id=BOS_ID,
        eos_token_id=EOS_ID,
    )
    return LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=IMAGE_ID,
        image_seq_length=(IMAGE_SIZE // CELL) ** 2,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )


def tiny_model(seed):
    """A freshly initialised model, in float32."""
    torch.manual_seed(seed)
    model = LlavaForConditionalGeneration(tiny_config())
    # The residual stream sums two outputs per layer; this keeps its variance from
    # growing with the depth, as GPT-2 does.
    layers = model.model.language_model.layers
    with torch.no_grad():
        for layer in layers:
            for projection in (layer.self_attn.o_proj, layer.mlp.down_proj):
                projection.weight /= (2 * len(layers)) ** 0.5
    return model
