# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Orders, budgets and plans."""

import json

import pytest

import luq


@pytest.fixture
def shape() -> list[list[luq.LinearShape]]:
    return [
        [luq.LinearShape(f"model.layers.{i}.up", 256, 128), luq.LinearShape(f"model.layers.{i}.down", 128, 256)]
        for i in range(4)
    ]


@pytest.fixture
def policy(shape) -> luq.PrefixPolicy:
    return luq.PrefixPolicy(shape, [2, 0, 3, 1], "sign:g128", "int4", "lowest entropy first")


HIGH, LOW = 4.15625, 1.125  # true bits a weight: 4 and a scale and a zero point for 128, 1 and a scale


def test_orders():
    entropies = [3.0, 1.0, 2.0, 1.0]
    assert luq.lowest_entropy_first(entropies) == [1, 3, 2, 0]
    assert luq.highest_entropy_first(entropies) == [0, 2, 3, 1]
    assert luq.named_order("lowest", entropies) == ("lowest entropy first", [1, 3, 2, 0])
    assert luq.named_order("highest", entropies) == ("highest entropy first", [0, 2, 3, 1])
    assert luq.named_order("depth", entropies) == ("depth", [0, 1, 2, 3])
    name, order = luq.named_order("random:7", entropies)
    assert name == "random 7"
    assert sorted(order) == [0, 1, 2, 3]
    assert order == luq.random_order(4, 7)
    assert luq.named_order("random", entropies) == ("random 1", luq.random_order(4, 1))


def test_a_prefix_plan(policy):
    plan = policy.prefix_plan(2)
    assert plan.recipes == ["sign:g128/gptq+refine", "int4:g128/gptq+refine"] * 2
    assert plan.bits == pytest.approx((HIGH + LOW) / 2)
    assert plan.nominal_bits == pytest.approx(2.5)
    weights = 4 * 2 * 256 * 128
    assert plan.bytes == plan.bits * weights / 8 == sum(plan.layer_bytes(layer) for layer in range(4))
    assert plan.reason == "lowest entropy first, 2 of 4 layers low"


@pytest.mark.parametrize(
    ("budget", "low_layers"),
    [
        ({"low_layers": 3}, 3),
        ({"bits": 4.2}, 0),
        ({"bits": 3.4}, 1),
        ({"bits": 3.39}, 2),
        ({"bytes": 136192}, 0),
        ({"bytes": 136191}, 1),
        ({"saving": 0.0}, 0),
        ({"saving": 0.3}, 2),
    ],
)
def test_budgets_take_the_fewest_low_layers(policy, budget, low_layers):
    assert luq.choose_plan(policy, **budget).recipes.count("sign:g128/gptq+refine") == low_layers


def test_saving_is_measured_against_another_plan(policy, shape):
    uniform = luq.Plan.uniform(shape, "int4")
    assert policy.prefix_plan(4).saving(uniform) == pytest.approx(1 - LOW / HIGH)
    assert uniform.saving(uniform) == 0


def test_json_gives_the_plan_back(policy):
    plan = policy.within_bits(3.0)
    text = plan.to_json()
    assert json.loads(text)["bytes"] == plan.bytes
    restored = luq.Plan.from_json(text)
    assert restored == plan
    assert restored != policy.prefix_plan(0)
    assert restored.to_json() == text
    assert restored.shape == plan.shape


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda p: luq.choose_plan(p), "invalid_argument"),
        (lambda p: luq.choose_plan(p, bits=3, saving=0.2), "invalid_argument"),
        (lambda p: luq.choose_plan(p, bits=1.0), "impossible_budget"),
        (lambda p: luq.choose_plan(p, saving=1.5), "invalid_argument"),
        (lambda p: p.prefix_plan(5), "invalid_argument"),
        (lambda p: p.prefix_plan(1).layer_bytes(4), "invalid_argument"),
        (lambda p: luq.named_order("best", [1.0]), "invalid_argument"),
        (lambda p: luq.named_order("random:x", [1.0]), "invalid_argument"),
        (lambda p: luq.lowest_entropy_first([float("nan")]), "non_finite"),
        (lambda p: luq.PrefixPolicy([], [], "sign", "int4"), "invalid_argument"),
        (lambda p: luq.PrefixPolicy(p.prefix_plan(0).shape, [0, 1, 2, 2], "sign", "int4"), "invalid_argument"),
        (lambda p: luq.Plan.uniform([[luq.LinearShape("a", -1, 2)]], "sign"), "invalid_argument"),
        (lambda p: luq.Plan.from_json("{"), "corrupt_file"),
        (
            lambda p: luq.Plan.from_json(p.prefix_plan(0).to_json().replace('"rows": 256', '"rows": 255')),
            "corrupt_file",
        ),
    ],
)
def test_bad_data_is_an_error_with_a_code(call, code, policy):
    with pytest.raises(luq.Error) as raised:
        call(policy)
    assert raised.value.code == code or code is None
