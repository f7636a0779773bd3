# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint holds is used as transformers uses it, or refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import luq
from conftest import SavedModel
from luq.dataset import CalibrationSet
from luq.vision_language import VisionLanguageModel

Tensors = dict[str, torch.Tensor]


def altered(
    saved: SavedModel,
    directory: Path,
    tensors: Callable[[Tensors], None] = lambda _: None,
    config: Callable[[dict], None] = lambda _: None,
) -> Path:
    """A copy of a model in one file, with other tensors or another configuration."""
    stored: Tensors = {}
    for shard in saved.directory.glob("model*.safetensors"):
        stored.update(load_file(shard))
    tensors(stored)
    description = json.loads((saved.directory / "config.json").read_text(encoding="utf-8"))
    config(description)
    save_file(stored, directory / "model.safetensors", {"format": "pt"})
    (directory / "config.json").write_text(json.dumps(description), encoding="utf-8")
    return directory


def name_of(stored: Tensors, ending: str) -> str:
    return next(name for name in stored if name.endswith(ending))


def first_embeddings(model: VisionLanguageModel, saved: SavedModel) -> torch.Tensor:
    calibration = CalibrationSet(saved.calibration)
    return next(model.embeddings(calibration, calibration.mix(0.5, 0)))


@pytest.mark.parametrize(
    "ending, new_ending",
    [
        ("layers.0.self_attn.o_proj.weight", "layers.0.self_attn.o_proj.bias"),
        ("layers.1.input_layernorm.weight", "layers.1.self_attn.q_norm.weight"),
        ("layers.1.input_layernorm.weight", "layers.7.input_layernorm.weight"),
        ("lm_head.weight", "lm_head.bias"),
        ("lm_head.weight", "image_newline"),
    ],
)
def test_tensors_that_the_configuration_does_not_tell_of_are_refused(saved, tmp_path, ending, new_ending):
    added = []

    def add(stored: Tensors) -> None:
        added.append(name_of(stored, ending).removesuffix(ending) + new_ending)
        stored[added[0]] = torch.ones(64)

    directory = altered(saved, tmp_path, add)
    with pytest.raises(luq.Error, match="expected none") as error:
        VisionLanguageModel(directory)
    assert f"'{added[0]}'" in str(error.value)


def test_layers_beyond_those_of_the_configuration_are_refused(saved, tmp_path):
    def shorten(config: dict) -> None:
        config["text_config"]["num_hidden_layers"] -= 1
        config["text_config"].pop("layer_types", None)

    with pytest.raises(luq.Error, match="and [0-9]+ others: expected none"):
        VisionLanguageModel(altered(saved, tmp_path, config=shorten))


def test_buffers_of_old_checkpoints_are_not_read(saved, tmp_path):
    def add(stored: Tensors) -> None:
        decoder = name_of(stored, "layers.0.self_attn.q_proj.weight").removesuffix("q_proj.weight")
        stored[decoder + "rotary_emb.inv_freq"] = torch.ones(8)

    assert VisionLanguageModel(altered(saved, tmp_path, add)).layers == VisionLanguageModel(saved.directory).layers


def test_a_tied_model_may_be_stored_with_its_head_alone(saved, tmp_path):
    """As transformers reads it; writers that keep the first of two names of a tensor make such files."""
    expected = first_embeddings(VisionLanguageModel(saved.directory), saved)

    def keep_the_head(stored: Tensors) -> None:
        stored[name_of(stored, "lm_head.weight")] = stored.pop(name_of(stored, "embed_tokens.weight"))

    def tie(config: dict) -> None:
        config["tie_word_embeddings"] = True

    model = VisionLanguageModel(altered(saved, tmp_path, keep_the_head, tie))
    assert torch.equal(first_embeddings(model, saved), expected)


def test_an_untied_model_needs_its_table_of_embeddings(saved, tmp_path):
    def drop(stored: Tensors) -> None:
        stored.pop(name_of(stored, "embed_tokens.weight"))

    model = VisionLanguageModel(altered(saved, tmp_path, drop))
    with pytest.raises(luq.Error, match="embed_tokens.weight, found none"):
        first_embeddings(model, saved)


def test_layers_of_another_kind_than_full_attention_are_refused(saved, tmp_path):
    def slide(config: dict) -> None:
        layers = config["text_config"]["num_hidden_layers"]
        config["text_config"]["layer_types"] = ["sliding_attention"] + ["full_attention"] * (layers - 1)

    with pytest.raises(luq.Error, match="full attention"):
        VisionLanguageModel(altered(saved, tmp_path, config=slide))


def test_a_tensor_in_two_shards_is_refused(saved, tmp_path):
    shards = sorted(saved.directory.glob("model-*.safetensors"))
    first, second = load_file(shards[0]), load_file(shards[1])
    name = next(iter(first))
    save_file(first, tmp_path / "first.safetensors")
    save_file({**second, name: first[name]}, tmp_path / "second.safetensors")
    map_of_shards = {**dict.fromkeys(first, "first.safetensors"), **dict.fromkeys(second, "second.safetensors")}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": map_of_shards}), encoding="utf-8")
    shutil.copy(saved.directory / "config.json", tmp_path)
    with pytest.raises(luq.Error, match="in two"):
        VisionLanguageModel(tmp_path)
