# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Orders by name and budgets by keyword, under the names of luq-vlm's options."""

from collections.abc import Sequence

from luq._luq import Plan, PrefixPolicy, highest_entropy_first, lowest_entropy_first, random_order
from luq.errors import fail


def named_order(name: str, entropies: Sequence[float]) -> tuple[str, list[int]]:
    """An order of layers and what plans call it.

    name: "lowest" (entropy first; LUQ's), or one of its controls "highest", "depth" and "random" or "random:SEED".
    entropies: in bits, one per layer.
    """
    if name == "lowest":
        return "lowest entropy first", lowest_entropy_first(entropies)
    if name == "highest":
        return "highest entropy first", highest_entropy_first(entropies)
    if name == "depth":
        return "depth", list(range(len(entropies)))
    family, _, seed = name.partition(":")
    if family == "random" and (seed.isdecimal() or name == "random"):
        number = int(seed or 1)
        return f"random {number}", random_order(len(entropies), number)
    fail("invalid_argument", f'order "{name}": expected lowest, highest, depth, random or random:SEED')


def choose_plan(
    policy: PrefixPolicy,
    *,
    low_layers: int | None = None,
    bits: float | None = None,
    bytes: int | None = None,
    saving: float | None = None,
) -> Plan:
    """The plan of a policy under one budget.

    low_layers: layers on the low recipe. bits: true bits a weight at most. bytes: of all linears at most. saving: share
    of a uniform high decoder's bytes to save, 0 ... 1.
    """
    budgets = {"prefix_plan": low_layers, "within_bits": bits, "within_bytes": bytes, "within_saving": saving}
    given = [(method, budget) for method, budget in budgets.items() if budget is not None]
    if len(given) != 1:
        fail("invalid_argument", f"budget: expected one of low_layers, bits, bytes and saving, got {len(given)}")
    method, budget = given[0]
    return getattr(policy, method)(budget)
