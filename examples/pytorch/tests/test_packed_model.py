# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Packed model files."""

import itertools
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import luq


@pytest.fixture
def plan() -> luq.Plan:
    shape = [
        [
            luq.LinearShape(f"model.layers.{i}.mlp.up_proj", 96, 64),
            luq.LinearShape(f"model.layers.{i}.mlp.down_proj", 64, 96),
        ]
        for i in range(2)
    ]
    return luq.PrefixPolicy(shape, [1, 0], "hadamard/sign:g32/rtn", "int4:g32/rtn").prefix_plan(1)


def packed_layers(plan: luq.Plan) -> list[list[luq.PackedMatrix]]:
    generator = torch.Generator().manual_seed(0)
    return [
        [luq.quantize(torch.randn(s.rows, s.cols, generator=generator), None, recipe) for s in linears]
        for linears, recipe in zip(plan.shape, plan.recipes, strict=True)
    ]


def test_what_is_written_is_read(plan, tmp_path):
    layers = packed_layers(plan)
    size = luq.write_packed_model(tmp_path / "packed.safetensors", plan, layers)
    assert size.linears == plan.bytes
    assert size.others == 0
    assert size.file == (tmp_path / "packed.safetensors").stat().st_size
    model = luq.PackedModel(tmp_path / "packed.safetensors")
    assert model.plan == plan
    assert model.size.file == size.file
    linears = model.layers
    del model  # its linears keep what they need
    for written, read in zip(itertools.chain(*layers), itertools.chain(*linears), strict=True):
        assert read.codec == written.codec
        assert torch.equal(read.bytes(), written.bytes())
    with safe_open(tmp_path / "packed.safetensors", "pt") as file:
        assert json.loads(file.metadata()["luq.plan"])["luq_plan"] == 2
        assert file.get_tensor("model.layers.1.mlp.up_proj.packed").dtype == torch.uint8


@pytest.mark.parametrize("prefix", ["language_model.model.", "model.language_model.", "model."])
def test_other_tensors_of_a_model_stand_beside(plan, tmp_path, prefix):
    tensors = {
        f"{prefix}layers.0.mlp.up_proj.weight": torch.zeros(96, 64),  # of the plan: not copied
        f"{prefix}layers.0.mlp.up_proj.bias": torch.randn(96),
        f"{prefix}embed_tokens.weight": torch.randn(10, 64).to(torch.bfloat16),
        "visual.blocks.0.mlp.up_proj.weight": torch.randn(8, 8),
        "something.else": torch.arange(5),
    }
    save_file(tensors, tmp_path / "model.safetensors")
    size = luq.write_packed_model(tmp_path / "packed.safetensors", plan, packed_layers(plan), tmp_path)
    kept = {name: tensor for name, tensor in tensors.items() if not name.endswith("layers.0.mlp.up_proj.weight")}
    assert size.others == sum(tensor.nbytes for tensor in kept.values())
    with safe_open(tmp_path / "packed.safetensors", "pt") as file:
        assert {name for name in file.keys() if not name.endswith(".packed")} == set(kept)
        for name, tensor in kept.items():
            assert torch.equal(file.get_tensor(name), tensor)


def test_bad_files_and_layers_are_errors(plan, tmp_path):
    path = tmp_path / "packed.safetensors"
    layers = packed_layers(plan)
    with pytest.raises(luq.Error) as raised:
        luq.PackedModel(path)
    assert raised.value.code == "io_failure"
    with pytest.raises(luq.Error, match="expected 2 layers, got 1") as raised:
        luq.write_packed_model(path, plan, layers[:1])
    assert raised.value.code == "shape_mismatch"
    with pytest.raises(luq.Error, match="int4"):
        luq.write_packed_model(path, plan, layers[::-1])
    with pytest.raises(TypeError, match="PackedMatrix"):
        luq.write_packed_model(path, plan, [[torch.zeros(3)] * 2] * 2)
    with pytest.raises(TypeError):
        luq.write_packed_model(path, plan, None)
    assert not path.exists()
    luq.write_packed_model(path, plan, layers)
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(luq.Error) as raised:
        luq.PackedModel(path)
    assert raised.value.code == "corrupt_file"
