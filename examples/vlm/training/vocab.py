# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The word-level vocabulary: one token per word, so every answer is one token."""

PAD, BOS, EOS, UNKNOWN, IMAGE = "<pad>", "<bos>", "<eos>", "<unk>", "<image>"

ROWS = ("top", "middle", "bottom")
COLUMNS = ("left", "center", "right")

# The largest number the model can be asked for is the sum of three nines.
MAX_NUMBER = 27

_WORDS = (
    (PAD, BOS, EOS, UNKNOWN, IMAGE)
    + tuple(str(n) for n in range(MAX_NUMBER + 1))
    + ROWS
    + COLUMNS
    + ("row", "column", "scene", "list", "digit", "at", "how", "many", "any", "sum", "of")
    + ("largest", "smallest", "in", "larger", "or", "plus", "minus", "?", ";")
    + ("yes", "no", "first", "second", "equal")
)

TOKEN_TO_ID = {word: index for index, word in enumerate(_WORDS)}
ID_TO_TOKEN = dict(enumerate(_WORDS))

PAD_ID, BOS_ID, EOS_ID, IMAGE_ID = (TOKEN_TO_ID[t] for t in (PAD, BOS, EOS, IMAGE))


def encode(words):
    """Token ids of a sequence of words."""
    return [TOKEN_TO_ID[word] for word in words]


def decode(ids):
    """Words of a sequence of token ids, as one string."""
    return " ".join(ID_TO_TOKEN[int(i)] for i in ids)
