# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the script in processes that kill themselves: killed_runs.py MODEL CALIBRATION FOLDER.

Makes FOLDER/whole.safetensors by a run that is left alone and FOLDER/killed.safetensors by one that is killed over and
over, each time a layer later, at the worst moments: within a file, before a step's record, within its line, and
after it. Processes are forked after the imports, which take longer than the runs.
"""

import os
import signal
import sys
from pathlib import Path

import torch

import luq.journal
import luq.whole_file
from conftest import load_script

script = load_script()


def arguments(model: str, calibration: str, folder: Path, name: str) -> list[str]:
    return [
        "quantize_vlm.py",
        *("--model", model, "--calibration", calibration, "--work", str(folder / f"{name}.work")),
        *("--output", str(folder / f"{name}.safetensors"), "--tokens", "80", "--clusters", "10", "--threads", "1"),
        *("--low", "sign:g32/gptq", "--high", "int4:g32/gptq", "--saving", "0.3"),
    ]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(step: int, moment: str) -> None:
    """Makes this process die at the `step`-th step that its journal records, or while it writes the `step`-th file."""
    record, synchronize = luq.journal.Journal.record, luq.whole_file.synchronize
    steps = files_written = 0

    def dying_record(self, name, data, files=()) -> None:
        nonlocal steps
        steps += 1
        if steps < step or moment == "writing":
            return record(self, name, data, files)
        if moment != "before":
            record(self, name, data, files)
        if moment == "within":
            path = self.folder / "journal.jsonl"
            os.truncate(path, path.stat().st_size - 20)
        die()

    def dying_synchronize(path: Path) -> None:
        nonlocal files_written
        files_written += path.suffix == ".part"
        if moment == "writing" and files_written == step:
            os.truncate(path, path.stat().st_size // 2)
            die()
        synchronize(path)

    luq.journal.Journal.record, luq.whole_file.synchronize = dying_record, dying_synchronize


def run(options: list[str], step: int | None = None, moment: str = "") -> int:
    """The wait status of a process that runs the script."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if step is not None:
            kill_at(step, moment)
        sys.argv = options
        script.main()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main() -> None:
    torch.set_num_threads(1)
    model, calibration, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if run(arguments(model, calibration, folder, "whole")) != 0:
        sys.exit("the run that was left alone failed")
    kills = 0
    options = arguments(model, calibration, folder, "killed")
    # Each gets a layer farther, which takes two steps.
    ends = [(3, "after"), (3, "within"), (2, "after"), (3, "writing"), (3, "before")]
    while os.WIFSIGNALED(status := run(options, *ends[kills % len(ends)])):
        kills += 1
    if status != 0:
        sys.exit("the run that was killed failed to go on")
    print(f"{kills} kills")


if __name__ == "__main__":
    main()
