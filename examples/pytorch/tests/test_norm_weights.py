# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Weights of tokens by their norms, and Hessians that take weights. On a GPU too, where there is one."""

import math

import pytest
import torch

import luq
from conftest import LLAVA_IMAGE_TOKEN, llava_model, normal
from luq.decoder_linears import LINEARS_OF_INPUT
from test_device_hessian import DEVICES


def tokens_of_norms(*norms: float) -> torch.Tensor:
    return torch.tensor(norms)[:, None] * torch.tensor([[0.6, -0.8]])


def weighted_hessian(X: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    X, weights = X.to(torch.float64), weights.to(torch.float64)
    return (2 / weights.sum() * X.T @ (weights[:, None] * X)).to(torch.float32)


def close(actual: torch.Tensor, expected: list[float]) -> bool:
    return torch.allclose(actual.cpu(), torch.tensor(expected, dtype=torch.float32), rtol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_the_weights_are_those_of_the_library(device):
    """The same numbers as in tests/estimators/norm_weights_test.cpp."""
    weights = lambda clip, *norms: luq.norm_weights(tokens_of_norms(*norms).to(device), clip=clip)  # noqa: E731
    assert close(weights(2, 1, 2, 40, 3, 10), [1, 1, 36 / 1600, 1, 0.36])
    assert close(weights(8, 1, 2, 40, 3, 10), [1, 1, 0.36, 1, 1])
    assert luq.DEFAULT_NORM_CLIP == 10
    assert close(weights(math.inf, 1, 2, 40, 3, 10), [1, 1, 1, 1, 1])
    assert close(weights(10, 100, 1), [0.01, 1])
    assert close(weights(10, 4, 100, 2, 1), [1, 0.04, 1, 1])
    assert close(weights(1, 7, 7, 7, 7), [1, 1, 1, 1])
    assert close(weights(3, 0, 1, 0, 2, 0, 60, 0, 0), [1, 1, 1, 1, 1, 0.01, 1, 1])
    assert close(weights(1, 0, 0), [1, 1])
    assert close(weights(3, 3e38, 1e37, 1e37), [0.01, 1, 1])
    assert weights(1).shape == (0,)


@pytest.mark.parametrize("device", DEVICES)
def test_padding_has_no_weight_and_each_sequence_its_own_median(device):
    X = torch.stack([tokens_of_norms(50, 1, 50, 3, 50, 2, 50), tokens_of_norms(1, 1, 1, 1, 1, 1, 100)])
    X[0, 2] = math.nan
    classes = torch.tensor([[0, 1, 2, 0, 2, 1, 2], [0, 0, 0, 1, 1, 1, 1]])
    weights = luq.norm_weights(X.to(device), classes, clip=5)
    assert close(weights, [[0.04, 1, 0, 1, 0, 1, 0], [1, 1, 1, 1, 1, 1, 0.0025]])
    assert close(luq.norm_weights(X.to(device), torch.full((2, 7), 2)), [[0.0] * 7] * 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_power_of_two_on_all_tokens_changes_no_bit(dtype):
    X = (normal(101, 16) * torch.exp2(torch.arange(101)[:, None] % 5)).to(dtype)
    assert torch.equal(luq.norm_weights(X, clip=1.5), luq.norm_weights(X * 0.25, clip=1.5))
    assert torch.equal(luq.norm_weights(X, clip=1.5), luq.norm_weights(X.to(torch.float32), clip=1.5))


def test_what_is_wrong_with_clips_and_classes_is_said():
    for clip in (0, -1, math.nan):
        with pytest.raises(luq.Error, match="expected a clip > 0") as raised:
            luq.norm_weights(normal(3, 2), clip=clip)
        assert raised.value.code == "invalid_argument"
    with pytest.raises(luq.Error, match=r"expected a class for each token \[3\], got \[2\]") as raised:
        luq.norm_weights(normal(3, 2), torch.zeros(2, dtype=torch.int64))
    assert raised.value.code == "shape_mismatch"


@pytest.mark.parametrize("device", DEVICES)
def test_hessians_take_weights(device):
    X = normal(60, 8)
    classes = torch.tensor([0, 1, 2] * 20)
    X[2::3] = math.nan
    weights = torch.rand(60, generator=torch.Generator().manual_seed(1)) + 0.1
    valid = classes != luq.TokenClass.PADDING
    expected = weighted_hessian(X[valid], weights[valid])
    host = luq.Hessian(8)
    host.add(X, classes, weights)
    on_device = luq.DeviceHessian(8, device)
    on_device.add(X.to(device), classes, weights.to(device))
    for H in (host, on_device.host()):
        assert H.tokens == 40
        assert H.total_weight == pytest.approx(weights[valid].sum().item())
        torch.testing.assert_close(H.matrix(), expected, rtol=1e-5, atol=1e-6)
    host.add(normal(20, 8, seed=2))
    assert host.total_weight == pytest.approx(weights[valid].sum().item() + 20)


def test_weights_that_do_not_fit_are_refused():
    H, X = luq.Hessian(4), normal(5, 4)
    for arguments, code in (
        ((X, None, torch.ones(4)), "shape_mismatch"),
        ((X, torch.zeros(5, dtype=torch.int64), torch.ones(4)), "shape_mismatch"),
        ((X, None, -torch.ones(5)), "invalid_argument"),
    ):
        with pytest.raises(luq.Error) as raised:
            H.add(*arguments)
        assert raised.value.code == code
    assert H.tokens == 0


@pytest.mark.parametrize("device", DEVICES)
def test_a_token_that_is_no_finite_number_is_not_weighted_away(device):
    X = normal(10, 4)
    X[3, 2] = math.inf
    host, on_device = luq.Hessian(4), luq.DeviceHessian(4, device)
    with pytest.raises(luq.Error, match="token 3"):
        host.add(X, weights=luq.norm_weights(X))
    on_device.add(X.to(device), weights=luq.norm_weights(X.to(device)))
    with pytest.raises(luq.Error, match="no finite number"):
        on_device.matrix()


def statistics_with(norm_clip: float, device: str) -> tuple[luq.LayerStatistics, dict[str, torch.Tensor], torch.Tensor]:
    """Of a layer under a padded batch; the inputs of its linears; and the tokens' classes."""
    model = llava_model().to(device)
    layer = model.model.language_model.layers[1]
    ids = torch.randint(1, 45, (3, 10), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    classes = luq.token_classes(ids, LLAVA_IMAGE_TOKEN, mask)
    statistics = luq.LayerStatistics(layer, device, norm_clip=norm_clip, clusters=5)
    statistics.expect(classes, first_sequence=0)
    inputs = {}
    for name, linears in LINEARS_OF_INPUT.items():
        keep = lambda _m, arguments, name=name: inputs.__setitem__(name, arguments[0].cpu())  # noqa: E731
        layer.get_submodule(linears[0]).register_forward_pre_hook(keep)
    with torch.no_grad(), statistics.watching(layer):
        model(input_ids=ids.to(device), attention_mask=mask.to(device))
    return statistics, inputs, classes


@pytest.mark.parametrize("device", DEVICES)
def test_statistics_of_a_layer_weight_its_tokens(device):
    for clip in (0.5, 0):
        statistics, inputs, classes = statistics_with(clip, device)
        valid = classes != luq.TokenClass.PADDING
        for name, H in statistics.inputs.items():
            weights = valid.to(torch.float32)
            if clip:
                for i in range(3):  # a sequence at a time
                    weights[i, valid[i]] = luq.norm_weights(inputs[name][i, valid[i]], clip=clip)
                assert weights.sum() < 0.5 * valid.sum()
            expected = weighted_hessian(inputs[name][valid], weights[valid])
            torch.testing.assert_close(H.matrix(), expected, rtol=1e-4, atol=1e-6)
