# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The seven linears of a decoder layer, and the four activations that are their inputs, named as luq-vlm names them."""

from torch import nn

from luq._luq import LinearShape

#: In the order of the computation, which is their order in plans and packed files.
LINEARS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)

#: The linears that multiply an input. They share one Hessian.
LINEARS_OF_INPUT = {
    "attention": LINEARS[0:3],
    "attention_output": LINEARS[3:4],
    "mlp": LINEARS[4:6],
    "mlp_output": LINEARS[6:7],
}


def planned_name(layer: int, linear: str) -> str:
    """The name of a linear in plans, whatever the checkpoint calls it."""
    return f"model.layers.{layer}.{linear}"


def layer_shape(module: nn.Module, layer: int) -> list[LinearShape]:
    """The linears of a decoder layer, which may be on the meta device."""
    weights = {linear: module.get_submodule(linear).weight for linear in LINEARS}
    return [LinearShape(planned_name(layer, linear), *weight.shape) for linear, weight in weights.items()]
