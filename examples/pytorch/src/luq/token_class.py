# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""What a token of a multimodal sequence stands for."""

import enum

import torch


class TokenClass(enum.IntEnum):
    """Padding fills batches; it never counts in any estimate."""

    TEXT = 0
    IMAGE = 1
    PADDING = 2


def token_classes(
    input_ids: torch.Tensor, image_token: int, attention_mask: torch.Tensor | None = None
) -> torch.Tensor:
    """The classes of tokens, int64 of the shape of input_ids. attention_mask, of that shape: 0 for padding."""
    classes = torch.where(input_ids == image_token, TokenClass.IMAGE, TokenClass.TEXT)
    if attention_mask is not None:
        classes = torch.where(attention_mask == 0, TokenClass.PADDING, classes)
    return classes.to(torch.int64)
