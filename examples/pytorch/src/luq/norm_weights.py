# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Weights of tokens that bound how much one of them can say in a Hessian."""

import math

import torch

from luq._luq import DEFAULT_NORM_CLIP
from luq.errors import fail
from luq.token_class import TokenClass


@torch.no_grad()
def norm_weights(X: torch.Tensor, classes: torch.Tensor | None = None, clip: float = DEFAULT_NORM_CLIP) -> torch.Tensor:
    """min(1, (clip * typical / |x|)^2) for each token x; typical is the median norm of the tokens of its sequence.

    A few tokens of language models are a hundred to many thousand times as long as the others ("massive activations",
    Sun et al., COLM 2024), so that codes would be chosen for them alone. With these weights a token enters a `Hessian`
    with its direction and at most `clip` times the typical norm. The formula, its sources and its limits are those of
    the library's header `luq/estimators/norm_weights.hpp`, which luq-vlm uses; results agree within roundings of
    float32.

    X: inputs [..., tokens, in] of a linear, on any device; each matrix [tokens, in] is a sequence. classes: the
    TokenClass of each token [..., tokens]; padding has weight 0 and is not in the median, nor are tokens of zeros.
    clip: a multiple of the median norm, > 0. The result is float32 [..., tokens] on the device of X, which is not
    waited for: a token that is no finite number is left for the Hessian to find.

    Raises luq.Error invalid_argument for another clip, shape_mismatch unless each token has one class.
    """
    if not clip > 0:
        fail("invalid_argument", f"norm weights: expected a clip > 0, got {clip}")
    if classes is not None and classes.shape != X.shape[:-1]:
        fail(
            "shape_mismatch",
            f"norm weights: expected a class for each token {list(X.shape[:-1])}, got {list(classes.shape)}",
        )
    norms = torch.linalg.vector_norm(X, dim=-1, dtype=torch.float64)
    counts = (norms > 0) & norms.isfinite()
    if classes is not None:
        padding = (classes == TokenClass.PADDING).to(X.device, non_blocking=True)
        counts &= ~padding
    if norms.shape[-1] == 0:
        return norms.to(torch.float32)
    # Of an even number, nanmedian() is the lower of the two in the middle.
    limit = clip * norms.masked_fill(~counts, math.nan).nanmedian(dim=-1, keepdim=True).values
    weights = torch.where(counts & (norms > limit), (limit / norms).square(), 1.0)  # 1 where there is no median
    if classes is not None:
        weights = weights.masked_fill(padding, 0.0)
    return weights.to(torch.float32)
