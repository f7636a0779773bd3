# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""What a token of a multimodal sequence stands for."""

import enum

import numpy as np
import torch

from luq.errors import fail


class TokenClass(enum.IntEnum):
    """Padding fills batches; it never counts in any estimate."""

    TEXT = 0
    IMAGE = 1
    PADDING = 2


def checked_classes(classes: torch.Tensor | np.ndarray) -> torch.Tensor:
    """Integers of TokenClass as an int64 tensor of their shape, where they are.

    Raises TypeError for all else: a mask of truth values would be taken for text and image, and weights for the class
    below them. Raises luq.Error invalid_argument for another integer.
    """
    expected = "token classes: expected integers of TokenClass, 0 (text), 1 (image) or 2 (padding)"
    if not isinstance(classes, (torch.Tensor, np.ndarray)):
        raise TypeError(f"{expected}, got {type(classes).__name__}")
    tensor = torch.as_tensor(classes)
    if tensor.dtype == torch.bool or tensor.dtype.is_floating_point or tensor.dtype.is_complex:
        raise TypeError(f"{expected}, got {type(classes).__name__} of {tensor.dtype}")
    tensor = tensor.to(torch.int64)
    others = tensor[(tensor < 0) | (tensor > 2)]
    if len(others) > 0:
        fail("invalid_argument", f"{expected}, got {int(others[0])}")
    return tensor


def token_classes(
    input_ids: torch.Tensor, image_token: int, attention_mask: torch.Tensor | None = None
) -> torch.Tensor:
    """The classes of tokens, int64 of the shape of input_ids. attention_mask, of that shape: 0 for padding."""
    classes = torch.where(input_ids == image_token, TokenClass.IMAGE, TokenClass.TEXT)
    if attention_mask is not None:
        classes = torch.where(attention_mask == 0, TokenClass.PADDING, classes)
    return classes.to(torch.int64)
