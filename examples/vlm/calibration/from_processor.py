# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Makes calibration sequences for luq-vlm from pictures and texts, with a processor of LLaVA-1.5 or Qwen2.5-VL.

    pip install transformers safetensors torch torchvision pillow
    python from_processor.py /models/llava-1.5-7b-hf lines.jsonl calibration.safetensors

Each line of the JSONL file is a sequence: {"image": "cat.jpg", "text": "..."} or {"text": "..."} alone. Paths are
relative to the file. A text may hold the model's image token, else its picture is put before it.
"""

import argparse
import json
import stat
import tempfile
from pathlib import Path

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import save_file
from transformers import AutoProcessor


def encode(processor, line, folder):
    """What the processor makes of one line: input_ids, attention_mask and, of a picture, its pixels."""
    if "image" not in line:
        return processor(text=[line["text"]], return_tensors="pt")
    text = line["text"]
    if processor.image_token not in text:
        start, end = "<|vision_start|>", "<|vision_end|>"  # of Qwen2.5-VL
        marked = start in processor.tokenizer.get_vocab()
        text = (start + processor.image_token + end if marked else processor.image_token) + "\n" + text
    return processor(text=[text], images=[Image.open(folder / line["image"]).convert("RGB")], return_tensors="pt")


def collect(encoded):
    """One file's tensors, padded on the right, in the layout of examples/vlm/README.md."""
    length = max(e["input_ids"].shape[1] for e in encoded)
    rows = len(encoded)
    tensors = {name: torch.zeros(rows, length, dtype=torch.int32) for name in ("input_ids", "attention_mask")}
    tensors["image_index"] = torch.full((rows,), -1, dtype=torch.int32)
    pictures = [row for row, e in enumerate(encoded) if "pixel_values" in e]
    if not pictures:
        raise SystemExit("no line has a picture")
    for row, e in enumerate(encoded):
        tensors["input_ids"][row, : e["input_ids"].shape[1]] = e["input_ids"][0]
        tensors["attention_mask"][row, : e["input_ids"].shape[1]] = 1
    for image, row in enumerate(pictures):
        tensors["image_index"][row] = image
    for name in ("pixel_values", "image_grid_thw"):
        if name in encoded[pictures[0]]:
            tensors[name] = torch.cat([encoded[row][name] for row in pictures])
    return tensors


def require_creatable(output, source):
    """Finds out before the work that a file cannot be written."""
    try:
        if output.resolve() == source.resolve():
            raise SystemExit(f"{output}: cannot be written: it is read, too")
        try:
            old = output.stat()
        except FileNotFoundError:
            old = None
        if old is not None and not stat.S_ISREG(old.st_mode):
            raise SystemExit(f"{output}: cannot be written: expected a file or a new name")
        with tempfile.NamedTemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise SystemExit(f"{output}: cannot be written: {error.strerror}") from None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="directory or name of a model, for its processor")
    parser.add_argument("lines", type=Path, help="JSONL file")
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    require_creatable(arguments.output, arguments.lines)
    processor = AutoProcessor.from_pretrained(arguments.model)
    lines = [json.loads(line) for line in arguments.lines.read_text().splitlines() if line.strip()]
    encoded = [encode(processor, line, arguments.lines.parent) for line in lines]
    try:
        save_file(collect(encoded), arguments.output)
    except (OSError, SafetensorError) as error:
        raise SystemExit(f"{arguments.output}: cannot be written: {error}") from None


if __name__ == "__main__":
    main()
