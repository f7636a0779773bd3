# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The second pass over a checkpoint: every decoder layer under its recipe of a plan, one layer at a time.

Layers are quantized independently of one another, under the Hessians of the float model that the first pass left in the
journal's folder (calibrate.py), as luq-vlm does. Linears with the same inputs share a factor of their Hessian. Results
are `layer-3.RECIPE.safetensors` in that folder, so that layers that two plans have in common are quantized once.
"""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from luq._luq import (
    Error,
    LinearInputs,
    PackedMatrix,
    PackedModelSize,
    Plan,
    QuantizeReport,
    quantize,
    stored_name,
    write_packed_model,
)
from luq.calibrate import Progress, hessian_file, no_progress
from luq.decoder_linears import LINEARS_OF_INPUT
from luq.errors import fail
from luq.journal import Journal
from luq.vision_language import VisionLanguageModel
from luq.whole_file import write_tensors


def _quantize_layer(
    model: VisionLanguageModel, layer: int, recipe: str, hessians: Path
) -> tuple[dict[str, torch.Tensor], dict[str, int]]:
    """The bytes of each packed linear of a layer, and how many inputs are dead of those linears that have such."""
    packed = {}
    dead = {}
    with safe_open(hessians, "pt") as file:
        for name, linears in LINEARS_OF_INPUT.items():
            inputs = LinearInputs(file.get_tensor(name))
            for linear in linears:
                W = model.checkpoint.read(model.weight_name(layer, linear))
                report = QuantizeReport()
                try:
                    packed[linear] = quantize(W, inputs, recipe, report).bytes()
                except Error as error:
                    fail(error.code, f"{model.weight_name(layer, linear)}: {error}")
                if report.dead_columns > 0:
                    dead[linear] = report.dead_columns
    return packed, dead


def _step(layer: int, recipe: str) -> str:
    return f"packed {layer} {recipe}"


def dead_inputs(plan: Plan, journal: Journal) -> list[dict[str, int]]:
    """For each layer that quantize_decoder() has quantized: the linears, some of whose inputs were zero for every token
    of calibration, and how many of them. Weights of such inputs are zero, or as near to it as the codec can come.
    """
    steps = [_step(layer, recipe) for layer, recipe in enumerate(plan.recipes)]
    return [(journal.data(step) or {}).get("dead_inputs", {}) for step in steps]


def quantize_decoder(
    model: VisionLanguageModel,
    plan: Plan,
    journal: Journal,
    output: str | Path,
    progress: Progress = no_progress,
) -> PackedModelSize:
    """Quantizes all layers under a plan and writes them, with all other tensors of the model, as one packed file.

    journal: that of calibrate() with the same model. Packed layers are in memory together when the file is written, and
    no sooner. Raises luq.Error that names the linear; insufficient_data if none of its inputs was ever used, which no
    search but rtn can do without.
    """
    files = []
    progress("layers quantized", 0, len(plan.recipes))
    for layer, recipe in enumerate(plan.recipes):
        step = _step(layer, recipe)
        name = f"layer-{layer}.{recipe}.safetensors".replace(":", "-").replace("/", ".").replace("+", ".")
        if journal.data(step) is None:
            packed, dead = _quantize_layer(model, layer, recipe, journal.path(hessian_file(layer)))
            journal.write(name, lambda path, packed=packed: write_tensors(path, packed))
            journal.record(step, {"dead_inputs": dead} if dead else {}, (name,))
        files.append(journal.path(name))
        progress("layers quantized", layer + 1, len(plan.recipes))
    layers = []
    for file, shapes, recipe in zip(files, plan.shape, plan.recipes, strict=True):
        tensors = load_file(file)
        linears = [(shape, tensors[shape.name.split(".", 3)[3]]) for shape in shapes]
        layers.append([PackedMatrix(stored_name(recipe), shape.rows, shape.cols, data) for shape, data in linears])
    return write_packed_model(output, plan, layers, model.checkpoint.directory)
