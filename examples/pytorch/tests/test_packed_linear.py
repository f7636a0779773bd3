# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The module that multiplies packed weights."""

import copy
import io

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

import luq


@pytest.fixture(scope="module")
def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(256, 48)


@pytest.fixture(scope="module")
def packed(linear) -> luq.PackedMatrix:
    return luq.quantize(linear.weight, None, "int4:g128/rtn")


def reference(linear: nn.Linear, packed: luq.PackedMatrix) -> nn.Linear:
    """An ordinary linear with the weights that are packed."""
    result = copy.deepcopy(linear)
    result.weight.data = packed.dequantize()
    return result


@pytest.mark.parametrize("shape", [(256,), (1, 256), (5, 256), (2, 3, 256), (2, 0, 256)])
def test_it_is_a_linear_with_the_packed_weights(linear, packed, shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    module = luq.PackedLinear(packed, linear.bias)
    torch.testing.assert_close(module(x), reference(linear, packed)(x).detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_activations_keep_their_type(linear, packed, dtype):
    x = torch.randn(4, 256, generator=torch.Generator().manual_seed(1)).to(dtype)
    y = luq.PackedLinear(packed, linear.bias)(x)
    assert y.dtype == dtype
    expected = reference(linear, packed)(x.to(torch.float32)).to(dtype)
    torch.testing.assert_close(y, expected, rtol=1e-2, atol=1e-3)


def test_the_bias_is_left_out_and_may_have_another_type(linear, packed):
    x = torch.randn(3, 256, generator=torch.Generator().manual_seed(1))
    without = luq.PackedLinear(packed)(x)
    torch.testing.assert_close(without, x @ packed.dequantize().T, rtol=1e-4, atol=1e-5)
    half = luq.PackedLinear(packed, linear.bias.to(torch.float16))(x)
    torch.testing.assert_close(half, without + linear.bias.detach().to(torch.float16), rtol=1e-4, atol=1e-4)


def test_int8_activations_are_close_and_not_the_same(linear, packed):
    x = torch.randn(3, 256, generator=torch.Generator().manual_seed(1))
    exact = luq.PackedLinear(packed, linear.bias)(x)
    rounded = luq.PackedLinear(packed, linear.bias, activations="int8")(x)
    assert 0 < (rounded - exact).norm() <= 2e-2 * exact.norm()


@pytest.mark.parametrize(
    "through",
    [
        lambda state: torch.load(_saved(state), weights_only=True),
        lambda state: load(save(state)),
    ],
)
def test_the_state_goes_through_a_file(linear, packed, through):
    module = nn.Sequential(luq.PackedLinear(packed, linear.bias), nn.Linear(48, 4))
    state = module.state_dict()
    assert set(state) == {"0.packed", "0.codec", "0.bias", "1.weight", "1.bias"}
    zeros = luq.quantize(torch.zeros(48, 256), None, "int4:g128/rtn")
    restored = nn.Sequential(luq.PackedLinear(zeros, torch.zeros(48)), nn.Linear(48, 4))
    x = torch.randn(3, 256, generator=torch.Generator().manual_seed(1))
    assert not torch.equal(restored(x), module(x))
    restored.load_state_dict(through(state))
    assert torch.equal(restored(x), module(x))


def _saved(state) -> io.BytesIO:
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    return stream


def test_states_of_other_codecs_and_sizes_are_refused(linear, packed):
    state = luq.PackedLinear(packed, linear.bias).state_dict()
    other_codec = luq.PackedLinear(luq.quantize(linear.weight, None, "int4:g128:sym/rtn"), linear.bias)
    with pytest.raises(RuntimeError, match="of int4:g128:sym"):
        other_codec.load_state_dict(state)
    other_size = luq.PackedLinear(luq.quantize(linear.weight[:32], None, "int4:g128/rtn"), linear.bias[:32])
    with pytest.raises(RuntimeError, match="size mismatch|expected"):
        other_size.load_state_dict(state)
    with pytest.raises(RuntimeError, match="Missing key"):
        luq.PackedLinear(packed, linear.bias).load_state_dict({"bias": linear.bias})
    with pytest.raises(RuntimeError, match="Unexpected key"):
        luq.PackedLinear(packed).load_state_dict(state)


def test_it_is_copied_and_moved_with_its_model(linear, packed):
    module = luq.PackedLinear(packed, linear.bias)
    x = torch.randn(3, 256, generator=torch.Generator().manual_seed(1))
    assert torch.equal(copy.deepcopy(module)(x), module(x))
    assert torch.load(_saved(module), weights_only=False)(x).equal(module(x))
    assert module.to(torch.bfloat16)(x.to(torch.bfloat16)).dtype == torch.bfloat16
    assert "256, 48, int4:g128" in repr(module)


def test_wrong_shapes_are_refused(packed):
    with pytest.raises(ValueError, match="256"):
        luq.PackedLinear(packed)(torch.zeros(256, 3))
    with pytest.raises(ValueError, match="bias"):
        luq.PackedLinear(packed, torch.zeros(256))
    with pytest.raises(ValueError, match="activations"):
        luq.PackedLinear(packed, activations="int4")
    with pytest.raises(luq.Error, match="int32"):
        luq.PackedLinear(packed)(torch.zeros(3, 256, dtype=torch.int32))
