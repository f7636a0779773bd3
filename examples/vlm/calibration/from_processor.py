# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Makes calibration sequences for luq-vlm from pictures and texts, with a processor of LLaVA-1.5 or Qwen2.5-VL.

    pip install transformers safetensors torch torchvision pillow
    python from_processor.py /models/llava-1.5-7b-hf lines.jsonl calibration.safetensors

Each line of the JSONL file, in UTF-8, is a sequence: {"image": "cat.jpg", "text": "..."}, or {"text": "..."} alone or
with "image": null. Other keys are ignored, blank lines are skipped. Paths are relative to the file. A text may hold the
model's image token, else its picture is put before it. What is wrong with a line is said as FILE:LINE: what.
"""

import argparse
import codecs
import json
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import save_file
from transformers import AutoProcessor


class InputError(Exception):
    """What is wrong with a file of the user, in one line that begins with the place."""


@dataclass(frozen=True)
class Line:
    """A sequence to be made. place: FILE:LINE, for messages. image: None for a sequence of text only."""

    place: str
    text: str
    image: Path | None


def read_lines(path):
    """The sequences of a JSONL file. Raises InputError at the first line that is none, and if all are blank.

    Only a newline ends a line: JSON may hold U+2028, U+2029 and U+0085 in a string, where str.splitlines() would cut. A
    byte-order mark and carriage returns before newlines are passed over. All is UTF-8, whatever the locale says.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    rows = enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), start=1)
    lines = [_parse_line(f"{path}:{number}", row, path.parent) for number, row in rows if row.strip()]
    if not lines:
        raise InputError(f"{path}: expected a sequence in each line, found blank lines alone")
    return lines


def _parse_line(place, row, folder):
    try:
        entry = json.loads(row.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{place}: expected UTF-8, got byte {row[error.start]:#04x} at {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{place}: expected JSON: {error.msg} (character {error.colno})") from None
    if not isinstance(entry, dict):
        raise InputError(f'{place}: expected an object with a "text", got {json.dumps(entry)[:40]}')
    text, image = _string(place, entry, "text"), None
    if entry.get("image") is not None:
        # Names on disk are UTF-8, too, even where the locale has another encoding.
        image = folder / os.fsdecode(_string(place, entry, "image").encode("utf-8"))
        if not image.is_file():
            raise InputError(f'{place}: "image": there is no file {image}')
    return Line(place, text, image)


def _string(place, entry, key):
    if key not in entry:
        raise InputError(f'{place}: expected a "{key}", found none')
    value = entry[key]
    if not isinstance(value, str):
        raise InputError(f'{place}: "{key}": expected a string, got {json.dumps(value)[:40]}')
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InputError(f'{place}: "{key}": expected Unicode, got half of a surrogate pair')
    return value


def encode(processor, line):
    """What the processor makes of a line: input_ids, attention_mask and, of a picture, its pixels."""
    text, pictures = line.text, {}
    if line.image is None:
        if processor.image_token in text:
            raise InputError(f'{line.place}: "text": expected no {processor.image_token} without an "image"')
    else:
        pictures["images"] = [_open_picture(line)]
        if processor.image_token not in text:
            start, end = "<|vision_start|>", "<|vision_end|>"  # of Qwen2.5-VL
            marked = start in processor.tokenizer.get_vocab()
            text = (start + processor.image_token + end if marked else processor.image_token) + "\n" + text
    try:
        encoded = processor(text=[text], **pictures, return_tensors="pt")
    except ValueError as error:
        raise InputError(f"{line.place}: {_first_line(error)}") from error
    if encoded["input_ids"].shape[1] == 0:
        raise InputError(f'{line.place}: "text": expected a token at least, got none')
    return encoded


def _open_picture(line):
    try:
        with Image.open(line.image) as picture:
            return picture.convert("RGB")
    except Exception as error:  # broken files make Pillow raise errors of many types
        raise InputError(f"{line.place}: {line.image}: cannot be read as a picture: {_first_line(error)}") from error


def _first_line(error):
    return (str(error) or type(error).__name__).split("\n")[0]


def collect(encoded):
    """One file's tensors, padded on the right, in the layout of examples/vlm/README.md; without images no pixels."""
    length = max(e["input_ids"].shape[1] for e in encoded)
    rows = len(encoded)
    tensors = {name: torch.zeros(rows, length, dtype=torch.int32) for name in ("input_ids", "attention_mask")}
    tensors["image_index"] = torch.full((rows,), -1, dtype=torch.int32)
    pictures = [row for row, e in enumerate(encoded) if "pixel_values" in e]
    for row, e in enumerate(encoded):
        tensors["input_ids"][row, : e["input_ids"].shape[1]] = e["input_ids"][0]
        tensors["attention_mask"][row, : e["input_ids"].shape[1]] = 1
    for image, row in enumerate(pictures):
        tensors["image_index"][row] = image
    for name in ("pixel_values", "image_grid_thw"):
        if pictures and name in encoded[pictures[0]]:
            tensors[name] = torch.cat([encoded[row][name] for row in pictures])
    return tensors


def require_creatable(output, source):
    """Finds out before the work that a file cannot be written."""
    try:
        if output.resolve() == source.resolve():
            raise InputError(f"{output}: cannot be written: it is read, too")
        try:
            old = output.stat()
        except FileNotFoundError:
            old = None
        if old is not None and not stat.S_ISREG(old.st_mode):
            raise InputError(f"{output}: cannot be written: expected a file or a new name")
        with tempfile.NamedTemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}") from None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="directory or name of a model, for its processor")
    parser.add_argument("lines", type=Path, help="JSONL file")
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    lines = read_lines(arguments.lines)
    require_creatable(arguments.output, arguments.lines)
    processor = AutoProcessor.from_pretrained(arguments.model)
    encoded = [encode(processor, line) for line in lines]
    try:
        save_file(collect(encoded), arguments.output)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{arguments.output}: cannot be written: {error}") from None


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
