# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Whether entropies of activations that differ by roundings are the same, as far as they can be."""

from collections.abc import Iterable


def assert_same_entropies(own: Iterable[dict[str, float] | None], expected: Iterable[float | None]) -> None:
    """The same to a thousandth of a bit, but for a few, which are inside the interval of the other.

    Roundings leave most clusterings as they are, and sometimes tip one: k-means then seeds another token, as it does
    under another seed.

    own: the fields of EntropyEstimate, or None. expected: in bits, perhaps in thousandths, or None.
    """
    same = []
    for estimate, bits in zip(own, expected, strict=True):
        assert (estimate is None) == (bits is None)
        if estimate is not None:
            assert estimate["low"] <= bits <= estimate["high"]
            same.append(abs(estimate["bits"] - bits) <= 1.5e-3)
    assert sum(same) >= 0.75 * len(same)
