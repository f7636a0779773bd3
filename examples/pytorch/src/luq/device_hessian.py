# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The Hessian of a linear's inputs, summed on the device where the activations are."""

import torch

from luq._luq import Hessian
from luq.errors import fail
from luq.token_class import TokenClass, checked_classes


class DeviceHessian:
    """Accumulates the matrix of `Hessian` by torch, without waiting for the device.

    Sums are of float32. Products of float16 and bfloat16 are exact; those of float32 are unless torch is told to round
    factors to TF32 (`torch.backends.cuda.matmul.allow_tf32`). A call with n tokens adds n numbers at once, so that an
    element is off by at most n 2^-24 of the sum of its terms' magnitudes; `Hessian` bounds n by 256.

    An activation that is no finite number is found when the sum is fetched: finding it earlier would wait.
    """

    def __init__(self, in_features: int, device: str | torch.device) -> None:
        self._sum = torch.zeros(in_features, in_features, dtype=torch.float32, device=device)
        self._tokens = 0
        self._missing_weight = torch.zeros((), dtype=torch.float64, device=device)  # what weights are below 1

    @property
    def in_features(self) -> int:
        return len(self._sum)

    @property
    def tokens(self) -> int:
        return self._tokens

    @torch.no_grad()
    def add(self, X: torch.Tensor, classes: torch.Tensor | None = None, weights: torch.Tensor | None = None) -> None:
        """Adds inputs X [..., tokens, in] on the device: all, or with classes [tokens] those that are not padding.

        classes: integers in memory of the CPU, where their number is known without waiting; see checked_classes().
        weights [tokens]: on the device, how much each of these tokens counts, > 0; 1 if not given.
        """
        rows = X.reshape(-1, self.in_features)
        weights = None if weights is None else weights.reshape(-1)
        if classes is not None:
            kinds = checked_classes(classes).reshape(-1)
            if len(kinds) != len(rows):
                fail("shape_mismatch", f"token classes: expected {len(rows)}, one for each token, got {len(kinds)}")
            valid = (kinds != TokenClass.PADDING).nonzero()[:, 0]
            if len(valid) != len(rows):
                valid = valid.to(rows.device, non_blocking=True)
                rows = rows.index_select(0, valid)
                weights = None if weights is None else weights.index_select(0, valid)
        rows = rows.to(torch.float32)
        if weights is not None:
            rows = rows * weights.sqrt()[:, None]
            self._missing_weight += (1 - weights.to(torch.float64)).sum()
        self._sum.addmm_(rows.T, rows)
        self._tokens += len(rows)

    def host(self) -> Hessian:
        """What was added, as an accumulator in memory of the CPU, to be merged with others.

        Raises luq.Error non_finite if an activation was no finite number.
        """
        return Hessian.from_sum(self._sum.cpu(), self._tokens, self._tokens - self._missing_weight.item())

    def matrix(self) -> torch.Tensor:
        """H as a float32 tensor [in x in] in memory of the CPU; zero before the first token."""
        return self.host().matrix()
