# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of the script that cannot be written: found out before the work, or when the disk is full."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import luq
from conftest import SavedModel, file_size_limit, load_script, run_script

SCRIPT = Path(__file__).parents[1] / "quantize_vlm.py"
SETTINGS = ["--tokens", "80", "--clusters", "10", "--threads", "1"]
SETTINGS += ["--low", "sign:g32/gptq", "--high", "int4:g32/gptq", "--saving", "0.3"]
FROM_PROCESSOR = Path(__file__).parents[2] / "vlm" / "calibration" / "from_processor.py"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> SavedModel:
    return SavedModel("llava", tmp_path_factory.mktemp("llava"))


def arguments(model: SavedModel, folder: Path, **changed: object) -> list[str]:
    options = {"model": model.directory, "calibration": model.calibration, "work": folder / "work"}
    options.update({"output": folder / "packed.safetensors", **changed})
    return [text for name, value in options.items() for text in ("--" + name.replace("_", "-"), str(value))] + SETTINGS


@pytest.mark.parametrize("option", ["output", "plan_file"])
def test_files_that_cannot_be_written(model, tmp_path, monkeypatch, option):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("content", encoding="utf-8")
    impossible = {
        folder: "got a folder",
        folder / "none" / "x": "there is no folder",
        folder / "file" / "x": "is no folder",
        folder / ("n" * 256): "File name too long",
        "/proc/x": "cannot create a temporary file",
        "/dev/full": "expected a file or a new name",
        "": "expected the name of a file",
    }
    for path, reason in impossible.items():
        with pytest.raises(luq.Error, match=reason) as raised:
            run_script(monkeypatch, *arguments(model, tmp_path, **{option: path}))
        assert str(path) in str(raised.value)
    assert os.listdir(tmp_path) == ["folder"]  # no work was begun
    assert os.listdir(folder) == ["file"]


def test_folders_that_cannot_be_made(model, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("content", encoding="utf-8")
    for path in (tmp_path / "file", tmp_path / "file" / "work", Path("/proc/work")):
        with pytest.raises(luq.Error, match=f"^{path}: cannot be made: "):
            run_script(monkeypatch, *arguments(model, tmp_path, work=path))
    assert os.listdir(tmp_path) == ["file"]


def test_outputs_that_are_inputs_or_one_another(model, tmp_path, monkeypatch):
    (tmp_path / "here").symlink_to(".")
    inputs = [model.calibration, model.directory / "config.json", *model.directory.glob("*.safetensors")]
    assert len(inputs) > 3
    for path in (*inputs, tmp_path / "work" / "journal.jsonl"):
        (tmp_path / "work").mkdir(exist_ok=True)
        with pytest.raises(luq.Error, match="cannot be written: it is read, too"):
            run_script(monkeypatch, *arguments(model, tmp_path, output=path))
    with pytest.raises(luq.Error, match="name of two outputs"):
        run_script(monkeypatch, *arguments(model, tmp_path, plan_file=tmp_path / "here" / "packed.safetensors"))
    assert os.listdir(tmp_path / "work") == []


def script(*options: object, **streams: object) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TERM": "xterm"}
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, options)], env=environment, text=True, **streams, encoding="utf-8"
    )


def test_errors_are_one_line(model, tmp_path):
    done = script(*arguments(model, tmp_path, plan_file=tmp_path / "none" / "x"), capture_output=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"quantize_vlm.py: {tmp_path}/none/x: cannot be written: ")
    assert done.stderr.count("\n") == 1


def test_a_log_file_has_plain_lines(model, tmp_path):
    with (tmp_path / "log").open("w", encoding="utf-8") as log:
        done = script(*arguments(model, tmp_path), stderr=log, stdout=subprocess.DEVNULL)
    assert done.returncode == 0
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert "\r" not in text
    assert "\033" not in text
    tasks = [f"layer {layer}: {task}" for layer in range(4) for task in ("sequences", "entropy")]
    assert [line.rsplit(": ", 1)[0] for line in text.splitlines()] == [
        "checkpoint: files hashed",
        *tasks,
        "layers quantized",
    ]


def test_results_that_cannot_be_printed_are_one_line(model, tmp_path):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = script(*arguments(model, tmp_path), stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "quantize_vlm.py: [Errno 28] No space left on device"


def test_a_run_goes_on_after_each_file_that_did_not_fit(saved, tmp_path, monkeypatch):
    """A limit on the size of files stands in for the full disk."""
    (tmp_path / "other").mkdir()
    run_script(monkeypatch, *arguments(saved, tmp_path / "other"))
    options = arguments(saved, tmp_path)
    for limit, file in ((10_000, "hidden-states-0.npy"), (50_000, "layer-0.hessians"), (100_000, "packed.safetensors")):
        with file_size_limit(limit), pytest.raises(luq.Error, match=rf"/{file}.*: cannot \w+ \d+ bytes: .*too large"):
            run_script(monkeypatch, *options)
        assert not list(tmp_path.glob("**/*.part"))
        assert not list(tmp_path.glob("**/.*"))
    run_script(monkeypatch, *options)
    assert (tmp_path / "packed.safetensors").read_bytes() == (tmp_path / "other/packed.safetensors").read_bytes()


def test_a_run_that_needs_more_than_there_is_does_not_begin(model, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=50_000))
    with pytest.raises(luq.Error, match=r"work: \d+ bytes are still to be written, 50000 bytes are free"):
        run_script(monkeypatch, *arguments(model, tmp_path))
    assert os.listdir(tmp_path / "work") == ["journal.jsonl"]


ON_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size="$1" none disk
shift
if "$@" 2> full.err; then exit 1; else echo $? > full.status; fi
mount -o remount,size=20m none disk
"$@"
cp disk/packed.safetensors .
"""

#: The script, but for its look at the free space beforehand, which others may take meanwhile.
UNAWARE = """
import runpy, sys
import luq.calibrate
luq.calibrate.require_space = lambda *_: None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(("kilobytes", "file"), [(40, "hidden-states-1.npy"), (160, "layer-1.hessians.safetensors")])
def test_a_disk_that_fills_up(model, tmp_path, kilobytes, file):
    enter = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() != 0 else [])]
    if shutil.which("unshare") is None or subprocess.run([*enter, "true"], capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a small file system")
    (tmp_path / "disk").mkdir()
    script = [sys.executable, "-c", UNAWARE, SCRIPT, *arguments(model, tmp_path / "disk")]
    command = [*enter, "sh", "-c", ON_A_SMALL_DISK, "sh", f"{kilobytes}k", *script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "full.status").read_text(encoding="utf-8") == "1\n"  # and no signal
    error = (tmp_path / "full.err").read_text(encoding="utf-8").splitlines()[-1]
    assert error.startswith(f"quantize_vlm.py: {tmp_path}/disk/work/{file}: cannot write ")
    assert "bytes: No space left on device, " in error or "bytes: Error while serializing: " in error
    assert error.endswith(" bytes are free")
    assert (tmp_path / "packed.safetensors").exists()


def test_calibration_that_cannot_be_written(tmp_path, monkeypatch):
    """from_processor.py, which says so before a processor is loaded."""
    from_processor = load_script(FROM_PROCESSOR)
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"text": "a"}\n', encoding="utf-8")
    impossible = {
        tmp_path: "expected a file or a new name",
        tmp_path / "none" / "x": "No such file or directory",
        tmp_path / ("n" * 256): "File name too long",
        "/proc/x": "cannot be written: ",
        "/dev/full": "expected a file or a new name",
        lines: "it is read, too",
    }
    for path, reason in impossible.items():
        monkeypatch.setattr(sys, "argv", ["from_processor.py", "/absent", str(lines), str(path)])
        with pytest.raises(from_processor.InputError, match=reason) as raised:
            from_processor.main()
        assert str(raised.value).startswith(f"{path}: ")
    assert os.listdir(tmp_path) == ["lines.jsonl"]
