# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The Python of the README."""

import re
from pathlib import Path

import pytest
import torch

import luq
from conftest import DATA
from luq.checkpoint import Checkpoint
from luq.decoder_linears import LINEARS, planned_name

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_example_runs(capsys):
    torch.manual_seed(0)
    names = {}
    exec(compile(BLOCKS[0], "README.md", "exec"), names)
    assert "1.125 bits a weight" in capsys.readouterr().out
    linear, X = names["linear"], names["X"]
    lost = (names["small"](X) - linear(X)).norm() ** 2 / (linear(X) - linear.bias).norm() ** 2
    assert 0 < names["error"] < 0.4
    assert names["error"] == pytest.approx(lost.item(), rel=0.05)


def test_a_packed_file_is_used_as_described(tmp_path):
    checkpoint = Checkpoint(DATA / "tiny-llava")
    shape, layers = [], []
    for layer in range(12):
        names = [f"language_model.model.layers.{layer}.{linear}.weight" for linear in LINEARS]
        weights = [checkpoint.read(name) for name in names]
        layers.append([luq.quantize(W, None, "int8:g128/rtn") for W in weights])
        shape.append([luq.LinearShape(planned_name(layer, n), *W.shape) for n, W in zip(LINEARS, weights, strict=True)])
    file = tmp_path / "packed.safetensors"
    luq.write_packed_model(file, luq.Plan.uniform(shape, "int8:g128"), layers, DATA / "tiny-llava")

    assert len(BLOCKS) == 2
    block = BLOCKS[1].replace("examples/data", str(DATA)).replace("/tmp/packed.safetensors", str(file))
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    model = names["model"].eval()
    ids = torch.randint(5, 60, (1, 9), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = model(input_ids=ids).logits
        original = type(model).from_pretrained(DATA / "tiny-llava", dtype="float32").eval()(input_ids=ids).logits
    assert isinstance(model.model.language_model.layers[0].mlp.up_proj, luq.PackedLinear)
    assert 0 < (logits - original).norm() < 0.05 * original.norm()
