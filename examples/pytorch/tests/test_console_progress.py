# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Progress on a terminal and in a log file, by the rules of luq-vlm."""

import itertools
import os
import sys
import time

import pytest

from luq.console_progress import ConsoleProgress


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> None:
    """Seconds of which half a minute passes at every call of a progress."""
    times = itertools.count(0.0, 30.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(times))


def work() -> None:
    with ConsoleProgress() as progress:
        for done in range(5):
            progress("first task", done, 4)
        progress("second task", 0, 1)
        progress("second task", 1, 1)


def written_to_file(monkeypatch, tmp_path, action) -> str:
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as log:
        monkeypatch.setattr(sys, "stderr", log)
        action()
    return path.read_text(encoding="utf-8")


def written_to_terminal(monkeypatch, action) -> str:
    controller, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        action()
    text = b""
    try:
        while part := os.read(controller, 1024):
            text += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(controller)
    return text.decode()


LINES = "first task: 50 %, 60 s left\nfirst task: 120.0 s\nsecond task: 30.0 s\n"


def test_a_line_a_minute_and_one_for_each_finished_task_in_a_log_file(monkeypatch, tmp_path):
    monkeypatch.setenv("TERM", "xterm")
    assert written_to_file(monkeypatch, tmp_path, work) == LINES


@pytest.mark.parametrize("terminal", ["dumb", "", None])
def test_plain_lines_on_a_terminal_that_cannot_redraw_one(monkeypatch, terminal):
    monkeypatch.delenv("TERM", raising=False)
    if terminal is not None:
        monkeypatch.setenv("TERM", terminal)
    assert written_to_terminal(monkeypatch, work) == LINES.replace("\n", "\r\n")


def test_one_line_that_is_redrawn_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    clear = "\r\033[K"
    first = "".join(f"{clear}first task: {done} of 4" for done in range(4)) + f"{clear}first task: 120.0 s\r\n"
    second = f"{clear}second task: 0 of 1{clear}second task: 30.0 s\r\n"
    assert written_to_terminal(monkeypatch, work) == first + second


def fail_in_a_task() -> None:
    with pytest.raises(ValueError), ConsoleProgress() as progress:
        progress("failing task", 0, 4)
        raise ValueError("the reason")


def test_a_task_that_an_error_ends_leaves_no_line(monkeypatch, tmp_path):
    monkeypatch.setenv("TERM", "xterm")
    assert written_to_terminal(monkeypatch, fail_in_a_task) == "\r\033[Kfailing task: 0 of 4\r\033[K"
    assert written_to_file(monkeypatch, tmp_path, fail_in_a_task) == ""
