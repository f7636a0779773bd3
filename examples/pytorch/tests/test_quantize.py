# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Searches, codecs and packed matrices."""

import copy
import pickle

import pytest
import torch

import luq

#: Every family, and options and groups that change what is stored.
CODECS = luq.codec_families() + ["int4:searched", "int4:g32:sym", "int8:g0", "ternary:g0", "trellis1.58:g0"]


@pytest.fixture(scope="module")
def weights() -> torch.Tensor:
    return torch.randn(48, 256, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def hessian() -> luq.Hessian:
    """Of inputs that are correlated, so that feedback pays."""
    generator = torch.Generator().manual_seed(1)
    X = torch.randn(1000, 256, generator=generator) @ (
        torch.eye(256) + 0.1 * torch.randn(256, 256, generator=generator)
    )
    H = luq.Hessian(256)
    H.add(X)
    return H


def search_of(codec: str) -> str:
    """A search that is fast and better than rounding."""
    if codec.startswith("trellis4"):
        return "rtn"
    return "beam" if codec.startswith("trellis") else "gptq"


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_quantizes_and_costs_what_it_says(codec, weights, hessian):
    packed = luq.quantize(weights, hessian, f"{codec}/{search_of(codec)}")
    assert packed.codec == luq.stored_name(codec)
    assert (packed.rows, packed.cols) == (48, 256)
    assert packed.nbytes == len(packed.bytes()) == luq.packed_bytes(codec, 48, 256)
    assert packed.bits_per_weight == luq.bits_per_weight(codec, 48, 256) == 8 * packed.nbytes / (48 * 256)
    assert luq.relative_output_error(weights, packed.dequantize(), hessian.matrix()) < 0.5


@pytest.mark.parametrize("codec", ["sign:g128", "int4:g128:searched", "int2:g128", "billm:g128"])
def test_better_searches_lose_less(codec, weights, hessian):
    H = hessian.matrix()
    errors = [
        luq.relative_output_error(weights, luq.quantize(weights, hessian, f"{codec}/{search}").dequantize(), H)
        for search in ("rtn", "gptq", "gptq+refine")
    ]
    assert errors[0] > errors[1] > errors[2]


def test_nearest_signs_are_means_of_magnitudes(weights):
    decoded = luq.quantize(weights, None, "sign:g128/rtn").dequantize()
    groups = weights.reshape(48, 2, 128)
    scales = groups.abs().mean(-1, keepdim=True)
    expected = (torch.where(groups >= 0, 1.0, -1.0) * scales).reshape(48, 256)
    torch.testing.assert_close(decoded, expected, rtol=1e-3, atol=0)  # scales are stored in 16 bits


def test_a_hessian_and_its_matrix_give_the_same_bytes(weights, hessian):
    packed = [luq.quantize(weights, H, "int4:g128:searched") for H in (hessian, hessian.matrix())]
    assert torch.equal(packed[0].bytes(), packed[1].bytes())


def test_bytes_do_not_depend_on_threads_or_on_the_type_of_weights(weights, hessian):
    rounded = weights.to(torch.bfloat16)
    one = luq.quantize(rounded, hessian, "ternary:g128").bytes()
    luq.set_threads(3)
    try:
        assert luq.threads() == 3
        assert torch.equal(one, luq.quantize(rounded.to(torch.float32), hessian, "ternary:g128").bytes())
    finally:
        luq.set_threads(0)


def test_the_report_tells_of_dead_inputs(weights):
    X = torch.randn(400, 256, generator=torch.Generator().manual_seed(2))
    X[:, 7] = 0
    H = luq.Hessian(256)
    H.add(X)
    report = luq.QuantizeReport()
    luq.quantize(weights, H, "int4:g128/gptq", report=report)
    assert report.dead_columns == 1
    assert report.damp > 0
    assert report.loss > 0


@pytest.mark.parametrize("codec", ["sign:g128", "int3:g128", "billm:g128", "trellis1.58:g0"])
def test_bytes_give_the_matrix_back(codec, weights, hessian):
    packed = luq.quantize(weights, hessian, codec + ("/gptq" if codec != "trellis1.58:g0" else "/rtn"))
    copies = [
        luq.PackedMatrix(codec, 48, 256, packed.bytes()),
        luq.PackedMatrix(codec, 48, 256, packed.bytes().numpy().tobytes()),
        pickle.loads(pickle.dumps(packed)),
        copy.deepcopy(packed),
    ]
    for restored in copies:
        assert restored.codec == packed.codec
        assert torch.equal(restored.bytes(), packed.bytes())
        assert torch.equal(restored.dequantize(), packed.dequantize())


def test_bytes_outlive_the_matrix(weights):
    data = luq.quantize(weights, None, "int4:g128/rtn").bytes()
    kept = data.clone()
    torch.randn(100000)
    assert torch.equal(data, kept)


@pytest.mark.parametrize("transform", ["hadamard", "awq", "rowcol"])
@pytest.mark.parametrize("codec", ["sign:g128", "int4:g128", "trellis2:g0"])
def test_transforms_are_part_of_the_matrix(transform, codec, weights, hessian):
    recipe = f"{transform}/{codec}/{search_of(codec)}"
    packed = luq.quantize(weights, hessian, recipe, seed=5)
    assert packed.codec == luq.stored_name(recipe) == f"{'hadamard' if transform == 'hadamard' else 'scaling'}/{codec}"
    behind = 12 if transform == "hadamard" else 2 * 256
    assert packed.nbytes == luq.packed_bytes(recipe, 48, 256) == luq.packed_bytes(codec, 48, 256) + behind
    assert packed.bits_per_weight == luq.bits_per_weight(recipe, 48, 256) == 8 * packed.nbytes / (48 * 256)
    assert luq.relative_output_error(weights, packed.dequantize(), hessian.matrix()) < 0.5
    for restored in (pickle.loads(pickle.dumps(packed)), luq.PackedMatrix(packed.codec, 48, 256, packed.bytes())):
        assert restored.codec == packed.codec
        assert torch.equal(restored.dequantize(), packed.dequantize())
    X = torch.randn(5, 256, generator=torch.Generator().manual_seed(6))
    torch.testing.assert_close(packed.matmul(X), X @ packed.dequantize().T, rtol=1e-4, atol=1e-4)


def test_linears_that_share_inputs_share_a_factor(weights, hessian):
    inputs = luq.LinearInputs(hessian)
    assert (inputs.in_features, inputs.factorizations) == (256, 0)
    for rows in (weights, weights[:20], -weights):
        shared = luq.quantize(rows, inputs, "int4:g128/gptq+refine")
        assert torch.equal(shared.bytes(), luq.quantize(rows, hessian, "int4:g128/gptq+refine").bytes())
    assert inputs.factorizations == 1
    luq.quantize(weights, inputs, "hadamard/int4:g128/gptq")
    luq.quantize(-weights, inputs, "hadamard/int4:g128/gptq")
    assert inputs.factorizations == 2


def test_what_is_known_of_inputs_is_used(weights, hessian):
    """Half of what float inputs would have been is missing: with D = H/2, QEP moves weights towards 1.25 W."""
    H = hessian.matrix()
    drifted = luq.LinearInputs(H, drift=H / 2, magnitudes=torch.arange(1, 257).float())
    plain = luq.quantize(weights, hessian, "int8:g128/gptq").dequantize()
    moved = luq.quantize(weights, drifted, "int8:g128/qep+gptq").dequantize()
    assert (moved - weights).norm() > 5 * (plain - weights).norm()
    assert (moved * plain).sum() > plain.norm() ** 2
    assert not torch.equal(luq.quantize(weights, drifted, "int2:g128/gptaq").bytes(),
                           luq.quantize(weights, hessian, "int2:g128/gptq").bytes())
    assert not torch.equal(luq.quantize(weights, drifted, "awq/int2:g128/rtn").bytes(),
                           luq.quantize(weights, hessian, "awq/int2:g128/rtn").bytes())


def test_names_of_recipes_are_completed():
    assert luq.recipe_name("int4") == "int4:g128/gptq+refine"
    assert luq.recipe_name("awq/trellis2:g0") == "awq/trellis2:g0/beam"
    assert luq.recipe_name("hadamard/sign:g64/qep+billm+refine") == "hadamard/sign:g64/qep+billm+refine"


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("tokens", [0, 1, 7])
def test_products_are_those_of_the_weights(codec, tokens, weights):
    packed = luq.quantize(weights, None, f"{codec}/rtn")
    X = torch.randn(tokens, 300, generator=torch.Generator().manual_seed(3))[:, 20:276]
    bias = torch.randn(48, generator=torch.Generator().manual_seed(4))
    expected = X @ packed.dequantize().T + bias
    torch.testing.assert_close(packed.matmul(X, bias), expected, rtol=1e-4, atol=1e-4)
    rounded = packed.matmul(X, bias, activations="int8")
    assert (rounded - expected).norm() <= 2e-2 * expected.norm()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda W, H: luq.quantize(W, H, "sign:g-1"), "invalid_argument"),
        (lambda W, H: luq.quantize(W, H, "int5"), "invalid_argument"),
        (lambda W, H: luq.quantize(W, H, "sign/guess"), "invalid_argument"),
        (lambda W, H: luq.quantize(W, None, "sign"), "insufficient_data"),
        (lambda W, H: luq.quantize(W, luq.Hessian(256), "sign"), "insufficient_data"),
        (lambda W, H: luq.quantize(W, 0 * H.matrix(), "sign/gptq"), "insufficient_data"),
        (lambda W, H: luq.quantize(W, 0 * H.matrix(), "billm/billm"), "insufficient_data"),
        (lambda W, H: luq.quantize(W, 0 * H.matrix(), "trellis1.58:g0"), "insufficient_data"),
        (lambda W, H: luq.quantize(W, H, "trellis2/gptq"), "invalid_argument"),
        (lambda W, H: luq.quantize(W, H, "sign/gptaq"), "insufficient_data"),
        (lambda W, H: luq.quantize(W, H, "sign/qep+rtn"), "insufficient_data"),
        (lambda W, H: luq.quantize(W, luq.LinearInputs(H), "sign/qep+rtn"), "insufficient_data"),
        (lambda W, H: luq.LinearInputs(H, drift=H.matrix()[:, :9]), "shape_mismatch"),
        (lambda W, H: luq.LinearInputs(H, drift=H.matrix() / 0), "non_finite"),
        (lambda W, H: luq.LinearInputs(H, magnitudes=torch.ones(255)), "shape_mismatch"),
        (lambda W, H: luq.LinearInputs(H, magnitudes=torch.ones(2, 256)), "shape_mismatch"),
        (lambda W, H: luq.LinearInputs(H, magnitudes=-torch.ones(256)), "invalid_argument"),
        (lambda W, H: luq.PackedMatrix("turned/sign:g128", 48, 256, b""), "unsupported"),
        (lambda W, H: luq.PackedMatrix("hadamard/sign:g128", 48, 256, bytes(1728)), "corrupt_file"),
        (lambda W, H: luq.quantize(W[:, :128], H, "sign"), "shape_mismatch"),
        (lambda W, H: luq.quantize(W, H.matrix()[:100], "sign"), "shape_mismatch"),
        (lambda W, H: luq.quantize(W, -H.matrix(), "sign"), "indefinite_hessian"),
        (lambda W, H: luq.quantize(W, H.matrix() * float("nan"), "sign"), None),
        (lambda W, H: luq.quantize(W / 0, H, "sign"), "non_finite"),
        (lambda W, H: luq.quantize(W[:0], H, "sign"), "shape_mismatch"),
        (lambda W, H: luq.relative_output_error(W, W[:3], H.matrix()), "shape_mismatch"),
        (lambda W, H: luq.PackedMatrix("sign", 48, 256, b"too short"), "corrupt_file"),
        (lambda W, H: luq.PackedMatrix("sign", 1 << 40, 1 << 40, b""), "invalid_argument"),
        (lambda W, H: luq.PackedMatrix("sign", 0, 256, b""), "invalid_argument"),
        (lambda W, H: luq.packed_bytes("sign", -1, 5), "invalid_argument"),
        (lambda W, H: luq.quantize(W, None, "sign/rtn").matmul(W[:, :5]), "shape_mismatch"),
        (lambda W, H: luq.quantize(W, None, "sign/rtn").matmul(W, torch.zeros(5)), "shape_mismatch"),
        (lambda W, H: luq.quantize(W, None, "sign/rtn").matmul(W, None, "int4"), "invalid_argument"),
    ],
)
def test_bad_data_is_an_error_with_a_code(call, code, weights, hessian):
    with pytest.raises(luq.Error) as raised:
        call(weights, hessian)
    assert code is None or raised.value.code == code


@pytest.mark.parametrize(
    "call",
    [
        lambda W: luq.quantize(W.tolist(), None, "sign/rtn"),
        lambda W: luq.quantize(W, [1.0], "sign"),
        lambda W: luq.quantize(W, None, 4),
        lambda W: luq.PackedMatrix("sign", 48, 256, torch.zeros(1728)),
        lambda W: luq.PackedMatrix("sign", 48, 256, [0] * 1728),
        lambda W: luq.PackedMatrix("sign", "48", 256, b""),
    ],
)
def test_wrong_types_are_type_errors(call, weights):
    with pytest.raises(TypeError):
        call(weights)
