# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Files that appear under their names when they are whole and on the disk.

They are written, never mapped: a page of a mapped file for which the disk has no room kills the process with SIGBUS,
where a write says what is wrong. That becomes `luq.Error`, with the file, how large it would be and what is free.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from luq.errors import fail

_ENDING = ".part"

#: What systems and file systems say that cannot promise space. There a write may still find the disk full.
_NO_RESERVATION = (errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


@contextmanager
def write_errors(path: Path, size: int) -> Iterator[None]:
    """What goes wrong inside is `luq.Error`. path: the file, or its temporary one; size: bytes that are written."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        target = path.with_name(path.name.removesuffix(_ENDING))
        is_system_error = isinstance(error, OSError) and error.errno is not None
        reason = os.strerror(error.errno) if is_system_error else str(error).splitlines()[0]
        free = ""
        if (is_system_error and error.errno == errno.ENOSPC) or os.strerror(errno.ENOSPC) in reason:
            free = f", {shutil.disk_usage(path.parent).free} bytes are free"
        fail("io_failure", f"{target}: cannot write {size} bytes: {reason}{free}")


def reserve(file: BinaryIO, size: int) -> None:
    """Takes the space of a new file of `size` > 0 bytes, where the system can; OSError if there is too little."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno not in _NO_RESERVATION:
            raise


def require_space(folder: Path, size: int) -> None:
    """Raises luq.Error if a folder that is there has not so many bytes free."""
    free = shutil.disk_usage(folder).free
    if size > free:
        fail("io_failure", f"{folder}: {size} bytes are still to be written, {free} bytes are free")


def synchronize(path: Path) -> None:
    """Waits until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Calls write(temporary) for a file beside `path`, which then takes its name. On any error nothing is left of it.

    `write` puts its own writing under write_errors(), and nothing else that could fail.
    """
    temporary = path.with_name(path.name + _ENDING)
    try:
        write(temporary)
        with write_errors(path, temporary.stat().st_size):
            synchronize(temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """A safetensors file; for write_whole()."""
    with write_errors(path, sum(tensor.nbytes for tensor in tensors.values())):
        save_file(tensors, path)


def write_text_file(path: Path, text: str) -> None:
    """Replaces the content of a file by a text, or makes it."""
    content = text.encode()

    def write(temporary: Path) -> None:
        with write_errors(path, len(content)):
            temporary.write_bytes(content)

    write_whole(path, write)
