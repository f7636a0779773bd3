# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Hessians summed by torch where activations are, against those of the library. On a GPU too, where there is one."""

import math

import pytest
import torch

import luq
from conftest import LLAVA_IMAGE_TOKEN, llava_model, load_script, normal
from luq.decoder_linears import LINEARS_OF_INPUT

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
DEVICES = [pytest.param("cpu"), pytest.param("cuda", marks=GPU)]


def bound(X: torch.Tensor) -> torch.Tensor:
    """How far two sums of float32 over the same tokens may be apart: n 2^-24 of the terms' magnitudes for each."""
    magnitudes = X.to(torch.float64).abs()
    return (2 * len(X) * 2**-24 * (2 / len(X)) * magnitudes.T @ magnitudes).to(torch.float32)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("tokens", [0, 1, 7, 300])
def test_it_is_the_hessian_of_the_library(device, dtype, tokens):
    X = normal(tokens, 24).to(dtype)
    host, on_device = luq.Hessian(24), luq.DeviceHessian(24, device)
    host.add(X)
    on_device.add(X.to(device))
    assert (on_device.in_features, on_device.tokens) == (24, tokens)
    difference = (on_device.matrix() - host.matrix()).abs()
    assert (difference <= (bound(X) if tokens else 0)).all()
    assert torch.equal(on_device.matrix(), on_device.matrix().T)


@pytest.mark.parametrize("device", DEVICES)
def test_padding_does_not_count(device):
    X = normal(60, 8)
    classes = torch.tensor([0, 1, 2] * 20)
    X[2::3] = math.nan
    H, expected = luq.DeviceHessian(8, device), luq.Hessian(8)
    H.add(X.reshape(3, 20, 8).to(device), classes.reshape(3, 20))
    expected.add(X[classes != luq.TokenClass.PADDING])
    assert H.tokens == 40
    torch.testing.assert_close(H.matrix(), expected.matrix(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_what_was_added_in_parts_and_elsewhere_is_merged(device):
    X = normal(500, 12)
    parts = [luq.DeviceHessian(12, device), luq.DeviceHessian(12, "cpu")]
    parts[0].add(X[:100].to(device))
    parts[0].add(X[100:130].clone().requires_grad_().to(device))
    parts[1].add(X[130:])
    merged, expected = parts[0].host(), luq.Hessian(12)
    merged.merge(parts[1].host())
    expected.add(X)
    assert merged.tokens == 500
    torch.testing.assert_close(merged.matrix(), expected.matrix(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_what_is_no_finite_number_is_found_when_it_is_fetched(device):
    H = luq.DeviceHessian(4, device)
    X = normal(10, 4)
    X[3, 2] = math.inf
    H.add(X.to(device))
    with pytest.raises(luq.Error, match="no finite number") as raised:
        H.matrix()
    assert raised.value.code == "non_finite"


@pytest.mark.parametrize(
    ("classes", "code"),
    [
        (torch.tensor([0, 3]), "invalid_argument"),
        (torch.tensor([-1, 0]), "invalid_argument"),
        (torch.tensor([0]), "shape_mismatch"),
        (torch.tensor([0, 0, 2]), "shape_mismatch"),
    ],
)
def test_classes_are_those_of_the_tokens(classes, code):
    for H in (luq.DeviceHessian(4, "cpu"), luq.Hessian(4)):
        with pytest.raises(luq.Error, match="token class|tokens") as raised:
            H.add(normal(2, 4), classes)
        assert raised.value.code == code
        assert H.tokens == 0


def test_sums_that_are_none_are_refused():
    for arguments, code in {
        (torch.zeros(3, 4), 1): "shape_mismatch",
        (torch.full((3, 3), math.nan), 1): "non_finite",
        (torch.zeros(3, 3), -1): "invalid_argument",
    }.items():
        with pytest.raises(luq.Error) as raised:
            luq.Hessian.from_sum(*arguments)
        assert raised.value.code == code
    with pytest.raises(TypeError):
        luq.Hessian.from_sum(None, 1)


@pytest.mark.parametrize("name", ["nonsense", "meta"])
def test_the_script_says_that_a_device_is_of_no_use(name):
    with pytest.raises(luq.Error, match=f"^--device {name}: ") as raised:
        load_script().usable_device(name)
    assert raised.value.code == "device_failure"


def statistics_of_layer(device: str, inputs: dict[str, luq.DeviceHessian] | None = None) -> luq.LayerStatistics:
    """Of a layer of a small model that runs on a device."""
    model = llava_model().to(device)
    layer = model.model.language_model.layers[1]
    ids = torch.randint(1, 45, (3, 10), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    statistics = luq.LayerStatistics(layer, device, clusters=5)
    statistics.inputs = inputs or statistics.inputs
    statistics.expect(luq.token_classes(ids, LLAVA_IMAGE_TOKEN, mask), first_sequence=0)
    with torch.no_grad(), statistics.watching(layer):
        model(input_ids=ids.to(device), attention_mask=mask.to(device))
    return statistics


@pytest.mark.parametrize("device", DEVICES)
def test_statistics_of_a_layer_that_runs_on_the_device(device):
    expected = statistics_of_layer("cpu")
    inputs = {name: luq.DeviceHessian(H.in_features, device) for name, H in expected.inputs.items()}
    statistics = statistics_of_layer(device, inputs if device == "cpu" else None)
    assert statistics.outputs.tokens(luq.TokenClass.TEXT) == 28
    assert statistics.outputs.estimate().all.bits == pytest.approx(expected.outputs.estimate().all.bits, abs=0.1)
    for name in LINEARS_OF_INPUT:
        assert isinstance(statistics.inputs[name], luq.DeviceHessian)
        H = statistics.inputs[name].matrix()
        torch.testing.assert_close(H, expected.inputs[name].matrix(), rtol=1e-4, atol=1e-6)
