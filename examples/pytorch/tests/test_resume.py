# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""A run that was killed, or whose folder was damaged, goes on and writes the same bytes."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import luq
from conftest import SavedModel, run_script
from luq.journal import Journal, read_entries

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def runs(saved: SavedModel, tmp_path_factory) -> Path:
    """The folder of killed_runs.py after a run that was left alone and one that was killed many times."""
    folder = tmp_path_factory.mktemp("runs")
    command = [sys.executable, TESTS / "killed_runs.py", saved.directory, saved.calibration, folder]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-2000:]
    kills = int(done.stdout.split()[0])
    assert kills >= 4
    return folder


def test_a_killed_run_writes_the_same_bytes(runs):
    assert (runs / "killed.safetensors").read_bytes() == (runs / "whole.safetensors").read_bytes()
    assert not list((runs / "killed.work").glob("hidden-states*"))


def rerun(saved: SavedModel, folder: Path, monkeypatch, *more: str) -> bytes:
    """Runs the script on the folder of the finished run; what it writes."""
    output = folder / "again.safetensors"
    options = ["--model", saved.directory, "--calibration", saved.calibration, "--work", folder / "whole.work"]
    options += ["--output", output, "--tokens", "80", "--clusters", "10", "--threads", "1"]
    options += ["--low", "sign:g32/gptq", "--high", "int4:g32/gptq", "--saving", "0.3", *more]
    run_script(monkeypatch, *options)
    return output.read_bytes()


def steps_done_again(saved: SavedModel, folder: Path, monkeypatch) -> list[str]:
    """Reruns a damaged folder, checks the result, and says what was recorded anew."""
    path = folder / "whole.work" / "journal.jsonl"
    before = len(path.read_bytes().splitlines())
    assert rerun(saved, folder, monkeypatch) == (folder / "whole.safetensors").read_bytes()
    return [json.loads(line)["step"] for line in path.read_bytes().splitlines()[before:]]


def test_nothing_is_done_twice(runs, saved, monkeypatch):
    assert steps_done_again(saved, runs, monkeypatch) == []


def change_a_number(path: Path, step: str) -> None:
    """Changes an entropy in an entry, without its checksum."""
    lines = path.read_text(encoding="utf-8").splitlines()
    changed = [line.replace('"bits": ', '"bits": 1') if f'"{step}"' in line else line for line in lines]
    assert changed != lines
    path.write_text("\n".join(changed) + "\n", encoding="utf-8")


def test_a_corrupted_entry_is_done_again(runs, saved, monkeypatch):
    change_a_number(runs / "whole.work" / "journal.jsonl", "statistics 1")
    again = steps_done_again(saved, runs, monkeypatch)
    assert again == ["states 0", "states 1", "states 2", "statistics 1"]


def test_a_corrupted_file_is_done_again(runs, saved, monkeypatch):
    file = next((runs / "whole.work").glob("layer-2.*.gptq.safetensors"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert [step.rsplit(" ", 1)[0] for step in steps_done_again(saved, runs, monkeypatch)] == ["packed 2"]


def test_garbage_in_the_journal_is_passed_over(runs, saved, monkeypatch):
    with (runs / "whole.work" / "journal.jsonl").open("ab") as stream:
        stream.write(
            b'\xff\xfe{"step": 5}\n[1, 2]\n{"step": "statistics 0", "data": {}, "files": {}, "checksum": ""}\n'
        )
    assert rerun(saved, runs, monkeypatch) == (runs / "whole.safetensors").read_bytes()


def test_a_folder_of_other_inputs_is_refused(runs, saved, monkeypatch):
    with pytest.raises(luq.Error, match="made with other \\['entropy'\\]"):
        rerun(saved, runs, monkeypatch, "--clusters", "11")
    with pytest.raises(luq.Error, match="made with other \\['norm clip'\\]"):
        rerun(saved, runs, monkeypatch, "--norm-clip", "0")
    with pytest.raises(luq.Error, match="made with other \\['sequences'\\]"):
        rerun(saved, runs, monkeypatch, "--tokens", "90")


def copy_of(saved: SavedModel, folder: Path) -> SavedModel:
    """The checkpoint and its calibration file in another folder, an hour younger."""
    copied = copy.copy(saved)
    copied.directory = folder / "another place"
    shutil.copytree(saved.directory, copied.directory)
    copied.calibration = copied.directory / saved.calibration.name
    for file in copied.directory.iterdir():
        os.utime(file, (file.stat().st_atime + 3600, file.stat().st_mtime + 3600))
    return copied


def test_a_copy_of_the_checkpoint_goes_on(runs, saved, tmp_path, monkeypatch):
    assert steps_done_again(copy_of(saved, tmp_path), runs, monkeypatch) == []


def with_a_bit_changed(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def with_another_header(data: bytes) -> bytes:
    """One more blank at the end of the header, which means the same."""
    length = int.from_bytes(data[:8], "little") + 8
    return (length).to_bytes(8, "little") + data[8:length] + b" " * 8 + data[length:]


@pytest.mark.parametrize(
    ("files", "alter", "other"),
    [
        ("model*.safetensors", with_a_bit_changed, "model"),  # the last bit of the last weight
        ("model*.safetensors", with_another_header, "model"),
        ("config.json", lambda data: data + b"\n", "model"),
        ("calibration.safetensors", with_another_header, "calibration"),
    ],
)
def test_other_content_is_refused(runs, saved, tmp_path, monkeypatch, files, alter, other):
    copied = copy_of(saved, tmp_path)
    file = sorted(copied.directory.glob(files))[-1]
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_bytes(alter(file.read_bytes()))
    os.utime(file, ns=times)
    with pytest.raises(luq.Error, match=f"made with other \\['{other}'\\]: take another folder"):
        rerun(copied, runs, monkeypatch)


def test_a_journal_of_another_format_is_refused(tmp_path):
    """Of the first format, which said nothing of itself, and of one to come."""
    for number, recorded in enumerate(({"model": "a hash"}, {"format": 3, "checkpoint": "a"}, {"format": "new"})):
        folder = tmp_path / str(number)
        Journal(folder, {}).record("inputs", recorded)
        with pytest.raises(luq.Error, match="expected a journal of format 2, got one of format (1|3|new)") as raised:
            Journal(folder, {"model": "a hash"})
        assert raised.value.code == "unsupported"
        assert "take another folder" in str(raised.value)


def test_another_plan_is_made_from_the_same_statistics(runs, saved, monkeypatch):
    path = runs / "whole.work" / "journal.jsonl"
    before = set(read_entries(path))
    rerun(saved, runs, monkeypatch, "--saving", "0")
    plan = luq.PackedModel(runs / "again.safetensors").plan
    assert set(plan.recipes) == {"int4:g32/gptq"}
    low = luq.PackedModel(runs / "whole.safetensors").plan.recipes.count("sign:g32/gptq")
    added = set(read_entries(path)) - before
    assert len(added) == low > 0
    assert all(step.startswith("packed ") and "int4:g32" in step for step in added)


def test_a_line_counts_only_when_it_is_whole(tmp_path):
    journal = Journal(tmp_path, {"model": "a"})
    journal.write("result", lambda path: path.write_bytes(b"bytes"))
    journal.record("one", {"value": 0.1}, ("result",))
    journal.record("two", {})
    text = (tmp_path / "journal.jsonl").read_bytes()
    ends = [i for i, byte in enumerate(text) if byte == 10]
    for length in sorted({*range(0, len(text), 20), *ends, *(end + 1 for end in ends)} - {len(text)}):
        (tmp_path / "journal.jsonl").write_bytes(text[:length])
        reopened = Journal(tmp_path, {"model": "a"})
        whole_lines = text[:length].count(b"\n") + (text[length : length + 1] == b"\n")
        assert (reopened.data("one") == {"value": 0.1}) == (whole_lines >= 2)
        assert (reopened.data("two") == {}) == (whole_lines >= 3)
        reopened.record("three", {"after": length})
        assert Journal(tmp_path, {"model": "a"}).data("three") == {"after": length}
