# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The second pass, under Hessians some of whose inputs calibration never used."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import luq
from conftest import SavedModel, normal
from luq.calibrate import hessian_file
from luq.decoder_linears import LINEARS_OF_INPUT
from luq.journal import Journal
from luq.quantize_decoder import dead_inputs, quantize_decoder
from luq.vision_language import VisionLanguageModel


class Run:
    """A model, a plan and a journal with Hessians, of which `dead` inputs of layer 1's down projection are zero."""

    def __init__(self, saved: SavedModel, folder: Path, dead: int | None, search: str = "gptq") -> None:
        self.model = VisionLanguageModel(saved.directory)
        order = list(range(self.model.layers))
        self.plan = luq.choose_plan(
            luq.PrefixPolicy(self.model.shape, order, f"sign:g32/{search}", f"int4:g32/{search}", "depth"), low_layers=1
        )
        self.journal = Journal(folder, {})
        self.output = folder / "packed.safetensors"
        for layer, shapes in enumerate(self.model.shape):
            columns = {shape.name.split(".", 3)[3]: shape.cols for shape in shapes}
            hessians = {}
            for name, linears in LINEARS_OF_INPUT.items():
                X = normal(300, columns[linears[0]], seed=layer)
                if layer == 1 and name == "mlp_output":
                    X[:, :dead] = 0
                hessians[name] = X.T @ X
            save_file(hessians, self.journal.path(hessian_file(layer)))

    def quantize(self) -> None:
        quantize_decoder(self.model, self.plan, self.journal, self.output)


def test_dead_inputs_are_remembered_and_their_weights_zero(saved, tmp_path):
    run = Run(saved, tmp_path, 5)
    run.quantize()
    expected = [{"mlp.down_proj": 5} if layer == 1 else {} for layer in range(run.model.layers)]
    assert dead_inputs(run.plan, run.journal) == expected
    assert dead_inputs(run.plan, Journal(tmp_path, {})) == expected
    decoded = luq.PackedModel(run.output).layers[1][6].dequantize()
    assert torch.count_nonzero(decoded[:, :5]) == 0
    assert torch.count_nonzero(decoded[:, 5:]) > 0


def test_a_linear_without_inputs_is_an_error_that_names_it(saved, tmp_path):
    run = Run(saved, tmp_path, None)
    name = run.model.weight_name(1, "mlp.down_proj")
    with pytest.raises(luq.Error, match=f"^{name}: Hessian of [0-9]+ inputs: expected one") as raised:
        run.quantize()
    assert raised.value.code == "insufficient_data"
    rounded = Run(saved, tmp_path, None, "rtn")
    rounded.quantize()
    assert not any(dead_inputs(rounded.plan, rounded.journal))
