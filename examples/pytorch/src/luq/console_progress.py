# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Progress on standard error, by the same rules as luq-vlm.

On a terminal: one line, redrawn. Elsewhere, as in the log file of a job, and on a terminal that cannot move its cursor
(TERM is dumb or not set): plain lines, one for each finished task, and in a long task one a minute.
"""

import os
import sys
import time

_CLEAR_LINE = "\r\033[K"


def _can_redraw() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


class ConsoleProgress:
    """A `luq.calibrate.Progress`. As a context it removes the line of a task that an error ended."""

    def __init__(self, line_interval: float = 60.0) -> None:
        """line_interval: seconds between plain lines of a task that is not finished."""
        self._redraws = _can_redraw()
        self._interval = line_interval
        self._task: str | None = None  # that is not finished
        self._started = self._shown = 0.0

    def __enter__(self) -> "ConsoleProgress":
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._redraws and self._task is not None:
            self._write(_CLEAR_LINE)

    def __call__(self, task: str, done: int, units: int) -> None:
        now = time.monotonic()
        if task != self._task:
            self._task, self._started, self._shown = task, now, now
        if done == units:
            self._task = None
            line = f"{task}: {now - self._started:.1f} s\n"
            self._write(_CLEAR_LINE + line if self._redraws else line)
        elif self._redraws:
            self._write(f"{_CLEAR_LINE}{task}: {done} of {units}")
        elif now - self._shown >= self._interval:
            self._shown = now
            left = f", {(now - self._started) * (units - done) / done:.0f} s left" if done > 0 else ""
            self._write(f"{task}: {100 * done / units:.0f} %{left}\n")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
