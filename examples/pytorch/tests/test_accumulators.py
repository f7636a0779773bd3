# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Accumulators: what they compute, and how tensors reach them."""

import math
import threading
import time

import numpy as np
import pytest
import torch

import luq
from conftest import llava_model, normal


def reference_hessian(X: torch.Tensor) -> torch.Tensor:
    X = X.to(torch.float64)
    return (2 / len(X) * X.T @ X).to(torch.float32)


def hessian_of(X, classes=None) -> torch.Tensor:
    H = luq.Hessian(X.shape[-1])
    H.add(X, classes)
    return H.matrix()


def test_hessian_is_the_mean_of_outer_products_doubled():
    X = normal(700, 24)
    torch.testing.assert_close(hessian_of(X), reference_hessian(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_hessian_takes_any_float_type(dtype):
    X = normal(300, 16).to(dtype)
    torch.testing.assert_close(hessian_of(X), reference_hessian(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "strided",
    [
        lambda X: X[:, 4:20],  # rows farther apart than they are long
        lambda X: X[::3],
        lambda X: X.T.contiguous().T,  # columns of adjacent elements
        lambda X: X[:, ::2],
        lambda X: X[:1].expand(50, -1),  # one row, repeated
        lambda X: X.reshape(6, 50, 32),
        lambda X: X.reshape(6, 50, 32)[:, :30],  # batches that do not follow one another
        lambda X: X.to(torch.bfloat16)[:, 3:],
        lambda X: X.clone().requires_grad_(),
    ],
)
def test_hessian_takes_any_strides(strided):
    X = strided(normal(300, 32))
    expected = reference_hessian(X.detach().reshape(-1, X.shape[-1]))
    torch.testing.assert_close(hessian_of(X), expected, rtol=1e-5, atol=1e-6)


def test_hessian_takes_numpy_and_read_only_memory():
    X = normal(40, 8).numpy()
    X.flags.writeable = False
    torch.testing.assert_close(hessian_of(X), reference_hessian(torch.from_numpy(X.copy())), rtol=1e-5, atol=1e-6)


class Lender:
    """Lends a tensor and keeps the capsule, to see what became of it."""

    def __init__(self, tensor: torch.Tensor, knows_versions: bool) -> None:
        self.tensor, self.knows_versions = tensor, knows_versions
        self.shape = tensor.shape
        self.capsule = None

    def __dlpack__(self, **options):
        if options and not self.knows_versions:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        self.capsule = self.tensor.__dlpack__(**options)
        return self.capsule


@pytest.mark.parametrize(("knows_versions", "name"), [(True, "used_dltensor_versioned"), (False, "used_dltensor")])
def test_capsules_are_taken_over_and_renamed(knows_versions, name):
    lender = Lender(normal(40, 8), knows_versions)
    torch.testing.assert_close(hessian_of(lender), reference_hessian(lender.tensor), rtol=1e-5, atol=1e-6)
    assert f'"{name}"' in repr(lender.capsule)


def test_a_used_capsule_is_refused():
    lender = Lender(normal(40, 8), True)
    hessian_of(lender)

    class Again:
        def __dlpack__(self, **_options):
            return lender.capsule

    with pytest.raises(TypeError, match="expected an unused DLPack capsule"):
        luq.Hessian(8).add(Again())


def test_padding_does_not_count():
    X = normal(60, 8)
    classes = torch.tensor([0, 1, 2] * 20)
    X[2::3] = math.nan
    H = luq.Hessian(8)
    H.add(X, classes)
    assert H.tokens == 40
    torch.testing.assert_close(H.matrix(), reference_hessian(X[classes != 2]), rtol=1e-5, atol=1e-6)


def test_merged_hessians_are_that_of_all_tokens():
    X = normal(500, 12)
    parts = [luq.Hessian(12), luq.Hessian(12)]
    parts[0].add(X[:123])
    parts[1].add(X[123:])
    parts[0].merge(parts[1])
    assert parts[0].tokens == 500
    torch.testing.assert_close(parts[0].matrix(), reference_hessian(X), rtol=1e-5, atol=1e-6)


def clustered_tokens(counts: list[int]) -> torch.Tensor:
    """Clusters so far from one another that any clustering finds them."""
    centres = 1000 * torch.eye(len(counts))
    return torch.cat([centres[i] + 0.01 * normal(count, len(counts), seed=i) for i, count in enumerate(counts)])


def entropy_of(counts: list[int]) -> float:
    return -sum(c / sum(counts) * math.log2(c / sum(counts)) for c in counts)


def test_entropy_is_that_of_the_clusters_of_each_class():
    entropy = luq.ActivationEntropy(4, clusters=4)
    entropy.add(clustered_tokens([10, 20, 30, 40]), torch.zeros(100, dtype=torch.int64), sequence=0)
    entropy.add(clustered_tokens([5, 5, 5, 25]), torch.ones(40, dtype=torch.int64), sequence=1)
    padding = torch.full((40, 4), math.nan)
    entropy.add(padding, torch.full((40,), luq.TokenClass.PADDING), sequence=2)
    estimate = entropy.estimate()
    assert estimate.all.bits == pytest.approx(entropy_of([15, 25, 35, 65]), abs=1e-9)
    assert estimate.text.bits == pytest.approx(entropy_of([10, 20, 30, 40]), abs=1e-9)
    assert estimate.image.bits == pytest.approx(entropy_of([5, 5, 5, 25]), abs=1e-9)
    assert estimate.all.low < estimate.all.bits < estimate.all.high
    assert [entropy.tokens(kind) for kind in luq.TokenClass] == [100, 40, 0]


def test_entropy_does_not_depend_on_how_the_stream_is_split():
    X, classes = normal(300, 8), torch.tensor([0, 0, 1] * 100)
    whole, first, second = (luq.ActivationEntropy(8, clusters=10, capacity=64) for _ in range(3))
    whole.add(X, classes, sequence=5)
    second.add(X[100:].to(torch.float64), classes[100:], sequence=5, first=100)
    first.add(X[:100].T.contiguous().T, classes[:100], sequence=5)
    first.merge(second)
    for kind in ("all", "text", "image"):
        assert getattr(first.estimate(), kind).bits == getattr(whole.estimate(), kind).bits


def test_a_class_with_too_few_tokens_has_no_entropy():
    entropy = luq.ActivationEntropy(4, clusters=10)
    entropy.add(normal(30, 4), torch.zeros(30, dtype=torch.int64), sequence=0)
    assert entropy.estimate().image is None


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: luq.Hessian(0), "invalid_argument"),
        (lambda: luq.Hessian(8).add(normal(4, 7)), "shape_mismatch"),
        (lambda: luq.Hessian(8).add(normal(4, 8), torch.zeros(3, dtype=torch.int64)), "shape_mismatch"),
        (lambda: luq.Hessian(8).add(normal(4, 8), torch.full((4,), 3)), "invalid_argument"),
        (lambda: luq.Hessian(8).add(torch.full((4, 8), math.inf)), "non_finite"),
        (lambda: luq.Hessian(8).add(torch.ones(4, 8, dtype=torch.int32)), "unsupported"),
        (lambda: luq.Hessian(8).add(normal(2, 2, 2, 8)), "unsupported"),
        (lambda: luq.Hessian(8).merge(luq.Hessian(9)), "shape_mismatch"),
        (lambda: luq.ActivationEntropy(8, clusters=0), "invalid_argument"),
        (lambda: luq.ActivationEntropy(8).estimate(), "insufficient_data"),
        (lambda: luq.set_threads(-1), "invalid_argument"),
    ],
)
def test_bad_data_is_an_error_with_a_code(call, code):
    with pytest.raises(luq.Error) as raised:
        call()
    assert raised.value.code == code
    assert "\n" not in str(raised.value)


def test_an_accumulator_does_not_merge_with_itself():
    H = luq.Hessian(8)
    with pytest.raises(luq.Error, match="the same"):
        H.merge(H)


@pytest.mark.parametrize("thing", [None, 5, "text", [[1.0, 2.0]], object()])
def test_what_is_no_tensor_is_a_type_error(thing):
    with pytest.raises(TypeError, match="expected a tensor"):
        luq.Hessian(8).add(thing)
    with pytest.raises(TypeError):
        luq.ActivationEntropy(8).add(normal(4, 8), thing, sequence=0)


#: What is no class of a token: a cast would make classes of all of these.
NO_CLASSES = {
    "mask": torch.tensor([True, True, False, True]),
    "mask of numpy": np.array([True, True, False, True]),
    "weights": torch.tensor([0.0, 1.0, 0.5, 2.0]),
    "weights of numpy": np.array([0.0, 1.0, 0.5, 2.0]),
    "weights in 16 bits": torch.tensor([0.0, 1.0, 0.5, 2.0], dtype=torch.bfloat16),
    "complex": torch.zeros(4, dtype=torch.complex64),
}


@pytest.mark.parametrize("classes", NO_CLASSES.values(), ids=NO_CLASSES.keys())
def test_only_integers_are_classes(classes):
    """A mask would make padding of nothing, text of padding and images of all else, without a word."""
    layer = llava_model().model.language_model.layers[0]
    for take in (
        lambda: luq.Hessian(8).add(normal(4, 8), classes),
        lambda: luq.ActivationEntropy(8).add(normal(4, 8), classes, sequence=0),
        lambda: luq.DeviceHessian(8, "cpu").add(normal(4, 8), classes),
        lambda: luq.LayerStatistics(layer).expect(classes, first_sequence=0),
    ):
        with pytest.raises(TypeError, match=r"expected integers .*TokenClass, 0 \(text\), 1 \(image\) or 2 \(pad"):
            take()


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8, np.int64, np.int8])
def test_integers_of_any_width_are_classes(dtype):
    X, numbers = normal(4, 8), [0, 2, 1, 2]
    classes = torch.tensor(numbers, dtype=dtype) if isinstance(dtype, torch.dtype) else np.array(numbers, dtype)
    entropy, layer = luq.ActivationEntropy(8), llava_model().model.language_model.layers[0]
    entropy.add(X, classes, sequence=0)
    assert [entropy.tokens(kind) for kind in luq.TokenClass] == [1, 1, 0]
    for H in (luq.Hessian(8), luq.DeviceHessian(8, "cpu")):
        H.add(X, classes)
        assert H.tokens == 2
    luq.LayerStatistics(layer).expect(classes, first_sequence=0)


def test_other_threads_run_during_long_calls():
    X = normal(4000, 1200)
    H = luq.Hessian(1200)
    call = []

    def work() -> None:
        call.append(time.perf_counter())
        H.add(X)
        call.append(time.perf_counter())

    worker = threading.Thread(target=work)
    worker.start()
    longest_pause, last = 0.0, time.perf_counter()
    while worker.is_alive():
        now = time.perf_counter()
        longest_pause, last = max(longest_pause, now - last), now
    # With the interpreter's lock held this thread would stand still as long as the call lasts.
    assert longest_pause < (call[1] - call[0]) / 2


def test_threads_add_to_one_accumulator():
    X = normal(800, 64)
    H = luq.Hessian(64)
    workers = [threading.Thread(target=H.add, args=(part,)) for part in X.chunk(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    torch.testing.assert_close(H.matrix(), reference_hessian(X), rtol=1e-5, atol=1e-6)
