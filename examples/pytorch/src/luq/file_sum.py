# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""What a file holds, in a few bytes: two files of the same size and SHA-256 are the same."""

import hashlib
from pathlib import Path


def file_sum(path: Path) -> list[int | str]:
    """[bytes, SHA-256 in hexadecimal digits] of a whole file, as JSON has lists. Neither name nor times count."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            digest.update(block)
            size += len(block)
    return [size, digest.hexdigest()]
