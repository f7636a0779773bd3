# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Linears that multiply packed weights."""

import torch
from torch import nn

from luq._luq import PackedMatrix, PackedModel
from luq.decoder_linears import LINEARS


class PackedLinear(nn.Module):
    """y = x W^T + bias with W packed [out_features x in_features], on the CPU; for inference, without gradients.

    The state is the bytes of W, `packed` (uint8 [nbytes]), how it is stored, `codec` (uint8, as PackedMatrix.codec),
    and `bias`. A state of another codec or size is refused.
    """

    def __init__(self, packed: PackedMatrix, bias: torch.Tensor | None = None, activations: str = "float32") -> None:
        """bias: [out_features]. activations: "float32", or "int8" for inputs rounded to 8 bits, which is faster."""
        super().__init__()
        if activations not in ("float32", "int8"):
            raise ValueError(f"activations: expected float32 or int8, got {activations!r}")
        if bias is not None and bias.shape != (packed.rows,):
            raise ValueError(f"bias: expected [{packed.rows}], got {list(bias.shape)}")
        self.packed = packed
        self.activations = activations
        self.bias = None if bias is None else nn.Parameter(bias.detach(), requires_grad=False)

    @property
    def in_features(self) -> int:
        return self.packed.cols

    @property
    def out_features(self) -> int:
        return self.packed.rows

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [..., in_features] in float32, bfloat16 or float16; the result [..., out_features] is of that type."""
        if x.shape[-1:] != (self.in_features,):  # before reshape(), which would make tokens of what are features
            raise ValueError(f"PackedLinear: expected [..., {self.in_features}] activations, got {list(x.shape)}")
        y = self.packed.matmul(x.reshape(-1, self.in_features), self.bias, self.activations)
        return y.reshape(*x.shape[:-1], self.out_features).to(x.dtype)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, {self.packed.codec}, activations={self.activations}"

    def _save_to_state_dict(self, destination, prefix, keep_vars) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "packed"] = self.packed.bytes()
        destination[prefix + "codec"] = torch.tensor(list(self.packed.codec.encode()), dtype=torch.uint8)

    def _load_from_state_dict(self, state, prefix, metadata, strict, missing, unexpected, errors) -> None:
        super()._load_from_state_dict(state, prefix, metadata, strict, missing, unexpected, errors)
        own_keys = [prefix + "packed", prefix + "codec"]
        unexpected[:] = [key for key in unexpected if key not in own_keys]
        absent = [key for key in own_keys if key not in state]
        missing.extend(absent)
        if absent:
            return
        codec = bytes(state[prefix + "codec"].tolist()).decode(errors="replace")
        data = state[prefix + "packed"].cpu().contiguous()
        if codec != self.packed.codec or data.dtype != torch.uint8 or data.shape != (self.packed.nbytes,):
            errors.append(
                f"{prefix}packed: expected {self.packed.nbytes} bytes of {self.packed.codec}, "
                f"got {list(data.shape)} {data.dtype} of {codec}"
            )
            return
        self.packed = PackedMatrix(codec, self.packed.rows, self.packed.cols, data)


def decoder_layers(model: nn.Module) -> nn.ModuleList:
    """The decoder layers of a model of transformers, multimodal or not."""
    model = getattr(model, "model", model)
    return getattr(model, "language_model", model).layers


def use_packed_decoder(model: nn.Module, packed: PackedModel, activations: str = "float32") -> None:
    """Replaces the decoder's linears of a model of transformers by those of a packed file; biases stay."""
    layers = decoder_layers(model)
    if len(layers) != len(packed.layers):
        raise ValueError(f"packed decoder: expected {len(layers)} layers, got {len(packed.layers)}")
    for layer, linears in zip(layers, packed.layers, strict=True):
        for name, linear in zip(LINEARS, linears, strict=True):
            replaced = layer.get_submodule(name)
            if (replaced.out_features, replaced.in_features) != (linear.rows, linear.cols):
                raise ValueError(
                    f"packed decoder: {name}: expected {replaced.out_features} x {replaced.in_features}, "
                    f"got {linear.rows} x {linear.cols}"
                )
            layer.set_submodule(name, PackedLinear(linear, replaced.bias, activations))
