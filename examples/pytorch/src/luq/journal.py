# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""What a long run has finished, so that one that was killed goes on where it stood.

A folder with the results of steps as files, and `journal.jsonl`, a line for each step that is done:

    {"step": "statistics 3", "data": {...}, "files": {"layer-3.hessians.safetensors": [bytes, sha256]}, "checksum": ...}

The step "inputs" has all that results depend on, and the format of the journal as "format".

A file is written under another name and renamed, and its step is recorded only when it is on the disk. A line counts if
its own checksum holds, and a step is done if those of its files do, too: what was torn or changed is done again. So it
is with what a full disk cut off: the run fails, and goes on where it stood when there is space.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from luq.errors import fail
from luq.file_sum import file_sum
from luq.whole_file import synchronize, write_errors, write_whole

JOURNAL_FILE = "journal.jsonl"

#: Of what is written here and of the inputs that folders are told apart by.
FORMAT = 2


def _checksum_of(entry: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def read_entries(path: Path) -> dict[str, dict[str, Any]]:
    """The entries of a journal whose lines are whole, by step; of several for a step, the last."""
    entries = {}
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
            checksum = entry.pop("checksum")
            if checksum == _checksum_of(entry):
                entries[entry["step"]] = entry
        except (ValueError, AttributeError, KeyError, TypeError):  # torn, or no entry at all
            continue
    return entries


class Journal:
    """The journal of one run in one folder; two processes must not share it."""

    def __init__(self, folder: str | Path, inputs: dict[str, Any]) -> None:
        """inputs: all that results depend on. A journal of other inputs is refused, for its results are others.

        So is one of another format, whose inputs cannot be compared.
        """
        inputs = {"format": FORMAT, **json.loads(json.dumps(inputs))}
        self.folder = Path(folder)
        self._path = self.folder / JOURNAL_FILE
        with write_errors(self._path, 0):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._path.open("ab").close()  # one that is there may be read-only
        self._entries = read_entries(self._path) if self._path.exists() else {}
        self._sound: set[str] = set()  # steps whose files have been checked or written by this process
        if "inputs" not in self._entries:
            self._entries.clear()
            self.record("inputs", inputs)
        self._compare(self._entries["inputs"]["data"], inputs)

    def _compare(self, recorded: dict[str, Any], inputs: dict[str, Any]) -> None:
        if recorded.get("format") != FORMAT:
            fail(
                "unsupported",
                f"{self._path}: expected a journal of format {FORMAT}, got one of format {recorded.get('format', 1)}, "
                "of another version of luq: take another folder",
            )
        changed = sorted(key for key in recorded.keys() | inputs.keys() if recorded.get(key) != inputs.get(key))
        if changed:
            fail("invalid_argument", f"{self._path}: made with other {changed}: take another folder")

    def data(self, step: str) -> dict[str, Any] | None:
        """What was recorded of a step; None unless it is done and its files are as they were written."""
        entry = self._entries.get(step)
        if entry is None:
            return None
        if step not in self._sound:
            for name, recorded in entry["files"].items():
                path = self.folder / name
                if not path.is_file() or path.stat().st_size != recorded[0] or file_sum(path) != recorded:
                    del self._entries[step]
                    return None
            self._sound.add(step)
        return entry["data"]

    def path(self, name: str) -> Path:
        return self.folder / name

    def write(self, name: str, write: Callable[[Path], None]) -> str:
        """Calls write(path) for a file of the folder, which then has its name at once and whole: see write_whole()."""
        write_whole(self.folder / name, write)
        return name

    def record(self, step: str, data: dict[str, Any], files: tuple[str, ...] = ()) -> None:
        """Says that a step is done. files: those of write() that are its result."""
        entry = {"step": step, "data": data, "files": {name: file_sum(self.folder / name) for name in files}}
        line = json.dumps({**entry, "checksum": _checksum_of(entry)}, sort_keys=True)
        self._append(line.encode() + b"\n")
        self._entries[step] = entry
        self._sound.add(step)

    def _append(self, line: bytes) -> None:
        with write_errors(self._path, len(line)):
            with self._path.open("ab") as stream:
                if stream.tell() > 0:
                    with self._path.open("rb") as written:
                        written.seek(-1, os.SEEK_END)
                        if written.read() != b"\n":  # a line that was torn stays one of its own
                            stream.write(b"\n")
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
            synchronize(self.folder)

    def remove(self, name: str) -> None:
        """A file that no step will need again."""
        (self.folder / name).unlink(missing_ok=True)
