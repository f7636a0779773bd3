# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Files have all of their content or none, and what a disk does not take is an error that says so."""

import errno
import os

import pytest
import torch
from safetensors.torch import load_file

import luq
from conftest import file_size_limit
from luq.errors import fail
from luq.journal import Journal
from luq.whole_file import require_space, reserve, write_errors, write_tensors, write_text_file, write_whole

TENSORS = {"a": torch.arange(3000.0)}


def test_a_text_that_does_not_fit_leaves_the_old_one(tmp_path):
    path = tmp_path / "plan.json"
    write_text_file(path, "old")
    with file_size_limit(4096), pytest.raises(luq.Error, match="plan.json: cannot write 10000 bytes: File too large$"):
        write_text_file(path, "x" * 10000)
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["plan.json"]
    write_text_file(path, "new")
    assert path.read_text(encoding="utf-8") == "new"


def test_tensors_that_do_not_fit_leave_nothing(tmp_path):
    path = tmp_path / "a.safetensors"
    with file_size_limit(4096), pytest.raises(luq.Error, match="a.safetensors: cannot write 12000 bytes: .*too large"):
        write_whole(path, lambda temporary: write_tensors(temporary, TENSORS))
    assert os.listdir(tmp_path) == []
    write_whole(path, lambda temporary: write_tensors(temporary, TENSORS))
    assert torch.equal(load_file(path)["a"], TENSORS["a"])


def test_a_full_disk_is_said_with_what_is_free(tmp_path):
    expected = rf"^{tmp_path}/a: cannot write 5 bytes: No space left on device, \d+ bytes are free$"
    with pytest.raises(luq.Error, match=expected) as raised, write_errors(tmp_path / "a.part", 5):
        raise OSError(errno.ENOSPC, "anything")
    assert raised.value.code == "io_failure"


def test_an_error_of_what_is_written_is_no_error_of_the_file(tmp_path):
    def write(_temporary) -> None:
        raise OSError("the source")

    with pytest.raises(OSError, match="the source"):
        write_whole(tmp_path / "a", write)
    with pytest.raises(luq.Error, match="^shapes$"), write_errors(tmp_path / "a", 5):
        fail("shape_mismatch", "shapes")


def test_reserved_space_is_taken(tmp_path):
    with (tmp_path / "a").open("wb") as file:
        reserve(file, 100_000)
    assert (tmp_path / "a").stat().st_blocks * 512 >= 100_000
    with (tmp_path / "b").open("wb") as file, file_size_limit(4096), pytest.raises(OSError):
        reserve(file, 100_000)


def test_space_is_required_before_it_is_used(tmp_path):
    require_space(tmp_path, 1)
    with pytest.raises(luq.Error, match=r": \d{18} bytes are still to be written, \d+ bytes are free"):
        require_space(tmp_path, 10**17)


def test_a_journal_goes_on_when_there_is_space(tmp_path):
    journal = Journal(tmp_path, {"model": "a"})
    journal.record("one", {"value": 1})
    size = (tmp_path / "journal.jsonl").stat().st_size
    with file_size_limit(size + 10), pytest.raises(luq.Error, match=r"journal.jsonl: cannot write \d+ bytes: File too"):
        journal.record("two", {"value": 2})
    journal = Journal(tmp_path, {"model": "a"})
    assert journal.data("one") == {"value": 1}
    assert journal.data("two") is None
    journal.record("two", {"value": 3})
    assert Journal(tmp_path, {"model": "a"}).data("two") == {"value": 3}
