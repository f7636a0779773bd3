# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the example model, its data sets and the fixtures of the engine's tests.

    python export.py --checkpoint run/model.pt

writes, from the root of the repository,

    examples/data/tiny-llava/           the trained model in F16, and its vocabulary
    examples/data/calibration.safetensors
    examples/data/test.safetensors
    tests/data/llava/tiny_logits.safetensors
    tests/data/llava/random-gqa/        a random model of another shape, in BF16
    tests/data/llava/random_gqa_logits.safetensors

The two models differ in whatever the format leaves open.  tiny-llava is written
the way llava-hf/llava-1.5-7b-hf is on disk (old tensor names, `rope_theta` beside
the other hyperparameters), random-gqa the way recent releases of transformers
write.  All expected numbers come from the files as transformers reads them back.
"""

import argparse
import json
import random
from pathlib import Path

import torch
from evaluate import accuracy_table, format_table, predict, single_questions
from model import tiny_model
from questions import KIND_NAMES, MAX_LENGTH, image_prefix, multimodal_sequence, pad, text_sequence
from safetensors.torch import save_file
from scenes import SPLIT_SEED, load_pools, random_grid, render
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration
from vocab import PAD_ID, TOKEN_TO_ID, encode

REPOSITORY = Path(__file__).resolve().parents[3]

CALIBRATION_SEED, TEST_SEED, FIXTURE_SEED, RANDOM_MODEL_SEED = 11, 12, 13, 14
CALIBRATION_IMAGES, TEST_IMAGES = 512, 250

# (prefix of a parameter's name in transformers, prefix on disk)
OLD_NAMES = (
    ("model.language_model.", "language_model.model."),
    ("model.vision_tower.", "vision_tower.vision_model."),
    ("model.multi_modal_projector.", "multi_modal_projector."),
    ("lm_head.", "language_model.lm_head."),
)
NEW_NAMES = (
    ("model.language_model.", "model.language_model."),
    ("model.vision_tower.", "model.vision_tower.vision_model."),
    ("model.multi_modal_projector.", "model.multi_modal_projector."),
    ("lm_head.", "lm_head."),
)


def name_on_disk(name, names):
    for ours, theirs in names:
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise ValueError(f"no name on disk for {name}")


def old_style(config):
    """A configuration dictionary as transformers 4 wrote it."""
    config = dict(config)
    if "dtype" in config:
        config["torch_dtype"] = config.pop("dtype")
    if "rope_parameters" in config:
        config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    return {key: old_style(value) if isinstance(value, dict) else value for key, value in config.items()}


def save_model(model, folder, dtype, names, config_style=dict):
    """Writes config.json and model.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.architectures = ["LlavaForConditionalGeneration"]
    for config in (model.config, model.config.text_config, model.config.vision_config):
        config.dtype = dtype
    config = config_style(model.config.to_diff_dict())
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    tensors = {
        name_on_disk(name, names): tensor.to(dtype).contiguous()
        for name, tensor in model.state_dict().items()
        if not name.endswith("position_ids")
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def load_model(folder):
    """The model as transformers reads it, in float32; every tensor must find its place."""
    model, info = LlavaForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not info[problem], f"{folder}: {problem}: {info[problem]}"
    return model.eval()


def save_calibration(pool, path):
    """Packed multimodal sequences, then as many tokens of text-only ones."""
    rng = random.Random(CALIBRATION_SEED)
    grids = [random_grid(rng) for _ in range(CALIBRATION_IMAGES)]
    sequences = [multimodal_sequence(grid, rng)[0] for grid in grids]
    multimodal_tokens = sum(map(len, sequences))
    text_tokens = 0
    while text_tokens < multimodal_tokens:
        sequences.append(text_sequence(rng, random_grid)[0])
        text_tokens += len(sequences[-1])
    input_ids = torch.tensor(pad(sequences, MAX_LENGTH), dtype=torch.int32)
    image_index = torch.full((len(sequences),), -1, dtype=torch.int32)
    image_index[:CALIBRATION_IMAGES] = torch.arange(CALIBRATION_IMAGES)
    save_file(
        {
            "input_ids": input_ids,
            "attention_mask": (input_ids != PAD_ID).to(torch.uint8),
            "image_index": image_index,
            "pixel_values": render(grids, pool, rng).half(),
        },
        path,
        metadata={
            "description": "Calibration sequences of tiny-llava: several question ? answer turns about "
            "3x3 scenes of handwritten digits, and text-only ones (image_index -1). "
            "No digit occurs in the training or the test scenes.",
            "alpha": f"{multimodal_tokens} tokens are in multimodal sequences and {text_tokens} in "
            f"text-only ones, so that {multimodal_tokens} tokens can be drawn with any share alpha in "
            "[0, 1] of multimodal tokens.",
            "seeds": f"split {SPLIT_SEED}, sequences {CALIBRATION_SEED}",
            "digits": "UCI Optical Recognition of Handwritten Digits (scikit-learn load_digits)",
        },
    )


def save_test(questions, path):
    """Single questions, grouped by image."""
    tensors = {name: questions[name].to(torch.int32) for name in ("input_ids", "lengths", "answers", "image_index")}
    tensors["kinds"] = questions["kinds"].to(torch.uint8)
    tensors["pixel_values"] = questions["pixel_values"].half()
    save_file(
        tensors,
        path,
        metadata={
            "description": "Questions about 3x3 scenes of handwritten digits, one of every kind per image. "
            "The answer is the token after the first `lengths` tokens. "
            "No digit occurs in the training or the calibration scenes.",
            "kinds": ",".join(KIND_NAMES),
            "seeds": f"split {SPLIT_SEED}, questions {TEST_SEED}",
            "digits": "UCI Optical Recognition of Handwritten Digits (scikit-learn load_digits)",
        },
    )


@torch.no_grad()
def save_fixture(folder, sequences, image_index, pixel_values, path):
    """What transformers computes for a few sequences with the model in `folder`.

    sequences: lists of ids, of which the first also gets its layers recorded;
    image_index: for each, its image or -1; pixel_values: [M, 3, H, W].
    """
    model = load_model(folder)
    decoder, tower = model.model.language_model, model.model.vision_tower
    layer_outputs = []
    hooks = [
        layer.register_forward_hook(
            lambda _, __, out: layer_outputs.append((out[0] if isinstance(out, tuple) else out).clone())
        )
        for layer in decoder.layers
    ]
    pixels = pixel_values.float()
    length = max(map(len, sequences))
    logits = torch.zeros(len(sequences), length, model.config.text_config.vocab_size)
    for row, (ids, image) in enumerate(zip(sequences, image_index, strict=True)):
        inputs = {"input_ids": torch.tensor([ids])}
        if image >= 0:
            inputs["pixel_values"] = pixels[image : image + 1]
        logits[row, : len(ids)] = model(**inputs).logits[0]
        if row == 0:
            for hook in hooks:
                hook.remove()
    features = [model.get_image_features(pixel_values=pixels[i : i + 1]).pooler_output[0] for i in range(len(pixels))]
    vision_states = tower(pixels[:1], output_hidden_states=True).hidden_states
    save_file(
        {
            "input_ids": torch.tensor(pad(sequences, length), dtype=torch.int32),
            "attention_mask": torch.tensor(
                [[1] * len(ids) + [0] * (length - len(ids)) for ids in sequences], dtype=torch.uint8
            ),
            "image_index": torch.tensor(image_index, dtype=torch.int32),
            "pixel_values": pixel_values,
            "logits": logits,
            "layer_outputs": torch.stack([out.reshape(len(sequences[0]), -1) for out in layer_outputs]),
            "image_features": torch.stack([f.reshape(-1, f.shape[-1]) for f in features]),
            "vision_states": torch.stack([state[0] for state in vision_states]),
        },
        path,
        metadata={
            "description": "Float32 results of transformers for the model beside. logits [B, T, V], zero "
            "where attention_mask is. layer_outputs [L, T0, D]: sequence 0 after every decoder layer, before "
            "the final norm. image_features [M, P, D]: what the projector puts in place of the image tokens. "
            "vision_states [1 + Lv, P + CLS, Dv]: image 0 before the vision encoder's first layer and after "
            "each layer."
        },
    )


def tiny_fixture_inputs(pool):
    rng = random.Random(FIXTURE_SEED)
    grids = [random_grid(rng) for _ in range(3)]
    short = encode([*image_prefix(), "digit", "at", "middle", "left", "?", str(grids[0][3])])
    sequences = [short, multimodal_sequence(grids[1], rng)[0], text_sequence(rng, random_grid)[0]]
    sequences += [multimodal_sequence(grids[2], rng)[0], text_sequence(rng, random_grid)[0][:30]]
    return sequences, [0, 1, -1, 2, -1], render(grids, pool, rng).half()


def random_gqa_config():
    """Odd sizes, another head grouping, and the options tiny-llava does not use."""
    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=72,
        projection_dim=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=12,
        patch_size=4,
        hidden_act="gelu",
        layer_norm_eps=1e-6,
    )
    text = LlamaConfig(
        vocab_size=41,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=128,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
    )
    return LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=40,
        image_seq_length=10,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        multimodal_projector_bias=False,
    )


def random_gqa_model(generator):
    """Weights of standard deviation 0.2, and gains about 1, so that every tensor matters."""
    model = LlavaForConditionalGeneration(random_gqa_config())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator) * 0.2
            is_gain = "norm" in name and name.endswith("weight")
            parameter.copy_(1 + noise if is_gain else noise)
    return model


def random_fixture_inputs(config, generator):
    """Random tokens, with the image at different places of the sequence."""
    image = [config.image_token_index] * config.image_seq_length

    def words(n):
        return torch.randint(1, config.image_token_index, (n,), generator=generator).tolist()

    sequences = [words(2) + image + words(5), words(1) + image + words(20), words(24), words(9) + image + words(3)]
    size = config.vision_config.image_size
    return sequences, [0, 1, -1, 2], torch.randn(3, 3, size, size, generator=generator)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True, help="model.pt of train.py")
    args = parser.parse_args()
    data, fixtures = REPOSITORY / "examples/data", REPOSITORY / "tests/data/llava"
    pools = load_pools()

    model = tiny_model(seed=0)
    model.load_state_dict(torch.load(args.checkpoint))
    save_model(model, data / "tiny-llava", torch.float16, OLD_NAMES, old_style)
    (data / "tiny-llava/vocab.json").write_text(json.dumps(TOKEN_TO_ID, indent=2) + "\n", encoding="utf-8")
    save_calibration(pools["calibration"], data / "calibration.safetensors")
    questions = single_questions(pools["test"], TEST_IMAGES, TEST_SEED)
    save_test(questions, data / "test.safetensors")

    save_fixture(
        data / "tiny-llava", *tiny_fixture_inputs(pools["calibration"]), fixtures / "tiny_logits.safetensors"
    )
    generator = torch.Generator().manual_seed(RANDOM_MODEL_SEED)
    model = random_gqa_model(generator)
    save_model(model, fixtures / "random-gqa", torch.bfloat16, NEW_NAMES)
    save_fixture(
        fixtures / "random-gqa",
        *random_fixture_inputs(model.config, generator),
        fixtures / "random_gqa_logits.safetensors",
    )

    print(format_table(accuracy_table(questions, predict(load_model(data / "tiny-llava"), questions))))


if __name__ == "__main__":
    main()
