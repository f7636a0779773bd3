# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""`luq.Error` raised from Python, as the library raises it."""

from typing import NoReturn

from luq._luq import Error


def fail(code: str, message: str) -> NoReturn:
    """Raises `luq.Error`. message: what is wrong, where, what was expected and what was found, in one line."""
    error = Error(message)
    error.code = code
    raise error
