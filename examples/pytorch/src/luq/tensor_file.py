# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Safetensors files, whose errors name the file."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from luq.errors import fail


def open_tensors(path: Path) -> safe_open:
    """A file for tensors of torch, mapped while the object lives.

    Raises luq.Error io_failure if it cannot be read, corrupt_file if it is no safetensors file.
    """
    if not path.is_file():
        fail("io_failure", f"{path}: cannot be read")
    try:
        return safe_open(path, "pt")
    except SafetensorError as error:
        fail("corrupt_file", f"{path}: {error}")
