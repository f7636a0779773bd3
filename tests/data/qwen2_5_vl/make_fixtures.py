# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Writes two random Qwen2.5-VL models and what transformers computes for them, beside this script.

    pip install torch transformers==5.23.0 safetensors
    python make_fixtures.py

    published/                   as Qwen/Qwen2.5-VL-7B-Instruct is on disk: the decoder's keys beside the others in
                                 config.json, `rope_scaling`, old tensor names, a head of its own; F16
    recent/                      as transformers 5 writes: `text_config`, `rope_parameters`, new tensor names, a tied
                                 head; BF16, another shape in every respect that a configuration leaves open
    published_expected.safetensors, recent_expected.safetensors

Images are no multiples of a window, and windows at the edges hold one token in a row or column. All expected numbers
come from the files as transformers reads them back, in float32:

    input_ids, attention_mask    [sequences x length]; padding is on the right
    images                       [sequences x 2], positions in image_grid_thw; -1 for none
    image_grid_thw               [images x 3]
    pixel_values                 [patches of all images x values]
    vision_states                [patches of all images x tower hidden], of the tower before the merger, in the order of
                                 pixel_values
    image_features               [tokens of all images x hidden], of the merger
    position_ids                 [sequences x length x 3]; 0 for padding
    logits                       [sequences x length x vocabulary]; 0 for padding
    layer_outputs                [layers x tokens x hidden], of sequence 0
"""

import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.vision_utils import get_vision_window_index

HERE = pathlib.Path(__file__).parent

IMAGE, VIDEO, VISION_START, VISION_END, END = 90, 91, 92, 93, 94

PUBLISHED = {
    "text_config": {
        "vocab_size": 96, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0, "mrope_section": [2, 3, 3]},
        "bos_token_id": 1, "eos_token_id": END,
    },
    "vision_config": {
        "depth": 4, "hidden_size": 32, "intermediate_size": 40, "num_heads": 2, "in_channels": 3, "patch_size": 4,
        "temporal_patch_size": 2, "spatial_merge_size": 2, "window_size": 16, "out_hidden_size": 64,
        "fullatt_block_indexes": [1, 3],
    },
    "tie_word_embeddings": False,
}
RECENT = {
    "text_config": {
        "vocab_size": 95, "hidden_size": 72, "intermediate_size": 80, "num_hidden_layers": 3,
        "num_attention_heads": 3, "num_key_value_heads": 1, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 5, 3]},
        "bos_token_id": 1, "eos_token_id": END,
    },
    "vision_config": {
        "depth": 4, "hidden_size": 24, "intermediate_size": 36, "num_heads": 3, "in_channels": 1, "patch_size": 6,
        "temporal_patch_size": 2, "spatial_merge_size": 2, "window_size": 41, "out_hidden_size": 72,
        "fullatt_block_indexes": [2],
    },
    "tie_word_embeddings": True,
}

# (rows, columns) of patches
GRIDS = {"published": [(6, 10), (8, 6), (2, 4)], "recent": [(8, 14), (2, 2), (10, 6)]}

# Text, and the images between it.
SEQUENCES = [
    [[1, 5, VISION_START], 0, [VISION_END, 17, 33, 8, 60]],
    [[1, 12, 45, 7, 7, 80, 31, 22, 64, 9]],
    [[1, VISION_START], 1, [VISION_END, 40, 41, VISION_START], 0, [VISION_END, 2, 77, 13, 25]],
    [[VISION_START], 2, [VISION_END, 19, 3]],
]


def random_model(config, seed):
    """Weights large enough that every part shows in the logits."""
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(config)
    for name, parameter in model.named_parameters():
        noise = torch.randn_like(parameter)
        if parameter.dim() > 1:
            parameter.data = 1.5 * noise / parameter[0].numel() ** 0.5
        else:
            parameter.data = 0.3 * noise + (0 if name.endswith("bias") else 1)
    return model


def save_published(model, folder):
    """As Qwen2.5-VL was published."""
    folder.mkdir(exist_ok=True)
    config = dict(PUBLISHED["text_config"])
    rotary = config.pop("rope_parameters")
    config.update(
        architectures=["Qwen2_5_VLForConditionalGeneration"],
        model_type="qwen2_5_vl",
        image_token_id=IMAGE, video_token_id=VIDEO, vision_start_token_id=VISION_START, vision_end_token_id=VISION_END,
        rope_theta=rotary["rope_theta"],
        rope_scaling={"type": "mrope", "mrope_section": rotary["mrope_section"]},
        tie_word_embeddings=False, torch_dtype="float16", use_sliding_window=False, max_window_layers=3,
        vision_config={
            "model_type": "qwen2_5_vl", "in_chans": 3, "spatial_patch_size": 4, **PUBLISHED["vision_config"]
        },
    )
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    names = (("model.language_model.", "model."), ("model.visual.", "visual."), ("lm_head.", "lm_head."))
    tensors = {}
    for name, tensor in model.state_dict().items():
        old, new = next(pair for pair in names if name.startswith(pair[0]))
        tensors[new + name.removeprefix(old)] = tensor.half().contiguous()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def save_recent(model, folder):
    """As transformers writes, but for the configuration of generation."""
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def load_model(folder):
    model, info = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not info[problem], f"{folder}: {problem}: {info[problem]}"
    return model.eval()


def tokens_of(sequence, grids, merge):
    """Ids of a sequence, and which images are in it."""
    ids, images = [], []
    for part in sequence:
        if isinstance(part, int):
            images.append(part)
            ids += [IMAGE] * (grids[part][0] * grids[part][1] // merge**2)
        else:
            ids += part
    return ids, images


@torch.no_grad()
def expected(model, grids, seed):
    torch.manual_seed(seed)
    vision = model.config.vision_config
    merge = vision.spatial_merge_size
    values = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
    pixels = [torch.randn(h * w, values) for h, w in grids]
    thw = torch.tensor([(1, h, w) for h, w in grids])

    states, features = [], []
    for image, grid in zip(pixels, thw, strict=True):
        output = model.model.get_image_features(image, grid[None], return_dict=True)
        features.append(torch.cat(tuple(output.pooler_output)))
        order, _ = get_vision_window_index(grid[None], merge, vision.window_size, vision.patch_size)
        tokens = output.last_hidden_state.reshape(len(order), merge**2, -1)
        states.append(tokens[torch.argsort(order)].reshape(len(image), -1))

    sequences = [tokens_of(sequence, grids, merge) for sequence in SEQUENCES]
    length = max(len(ids) for ids, _ in sequences)
    count = len(sequences)
    result = {
        "input_ids": torch.zeros(count, length, dtype=torch.int32),
        "attention_mask": torch.zeros(count, length, dtype=torch.uint8),
        "images": torch.full((count, 2), -1, dtype=torch.int32),
        "image_grid_thw": thw,
        "pixel_values": torch.cat(pixels),
        "vision_states": torch.cat(states),
        "image_features": torch.cat(features),
        "position_ids": torch.zeros(count, length, 3, dtype=torch.int32),
        "logits": torch.zeros(count, length, model.config.text_config.vocab_size),
    }
    for s, (ids, images) in enumerate(sequences):
        input_ids = torch.tensor([ids])
        inputs = {}
        positions = torch.arange(len(ids)).expand(3, -1)
        if images:
            inputs["mm_token_type_ids"] = (input_ids == IMAGE).int()
            inputs["image_grid_thw"] = thw[images]
            positions = model.model.get_rope_index(input_ids, **inputs)[0][:, 0]
            inputs["pixel_values"] = torch.cat([pixels[i] for i in images])
        output = model(input_ids=input_ids, use_cache=False, output_hidden_states=True, **inputs)
        result["input_ids"][s, : len(ids)] = input_ids[0]
        result["attention_mask"][s, : len(ids)] = 1
        result["images"][s, : len(images)] = torch.tensor(images, dtype=torch.int32)
        result["position_ids"][s, : len(ids)] = positions.T
        result["logits"][s, : len(ids)] = output.logits[0]
        if s == 0:
            result["layer_outputs"] = layer_outputs(model, input_ids, inputs)
    return {name: tensor.contiguous() for name, tensor in result.items()}


def layer_outputs(model, input_ids, inputs):
    """Residual streams after each layer, before the final norm, which hidden_states of transformers includes."""
    outputs = []
    hooks = [
        layer.register_forward_hook(lambda _, __, out: outputs.append(out[0] if isinstance(out, tuple) else out))
        for layer in model.model.language_model.layers
    ]
    model(input_ids=input_ids, use_cache=False, **inputs)
    for hook in hooks:
        hook.remove()
    return torch.cat(outputs)


def main():
    ids = {
        "image_token_id": IMAGE, "video_token_id": VIDEO,
        "vision_start_token_id": VISION_START, "vision_end_token_id": VISION_END,
    }
    for seed, (name, config, save) in enumerate(
        [("published", PUBLISHED, save_published), ("recent", RECENT, save_recent)]
    ):
        save(random_model(Qwen2_5_VLConfig(**config, **ids), seed), HERE / name)
        save_file(expected(load_model(HERE / name), GRIDS[name], seed), HERE / f"{name}_expected.safetensors")


if __name__ == "__main__":
    main()
