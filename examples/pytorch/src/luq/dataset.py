# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration sequences from a safetensors file that a processor made, as luq-vlm reads them (examples/vlm/README.md).

input_ids       [sequences, length]      integers; the image's places hold the image token
attention_mask  as input_ids             0 for padding, on the right
image_index     [sequences]              the sequence's image, -1 for none
pixel_values    [images, 3, height, width], or for Qwen2.5-VL the patches of all images [patches, values]; may be absent
                                         if no sequence has an image
image_grid_thw  [images, 3]              for Qwen2.5-VL: frames, rows and columns of patches
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from luq.errors import fail
from luq.tensor_file import open_tensors


@dataclass(frozen=True)
class CalibrationSequence:
    """input_ids: the valid tokens [tokens], int64. image: its place among the images, -1 for none. number: its row."""

    input_ids: torch.Tensor
    image: int
    number: int


class CalibrationSet:
    """Sequences in memory, images read when they are asked for."""

    def __init__(self, path: str | Path) -> None:
        self.source = Path(path)
        self._file = open_tensors(self.source)
        images = self._slice("image_index")[:].to(torch.int64)
        self._pixels, self._grids, self._first_patch = None, None, []
        if "pixel_values" in self._file.keys() or (images != -1).any():
            self._pixels = self._slice("pixel_values")
            self._grids, self._first_patch = self._read_grids()
        self.sequences = self._read_sequences(images)

    def image(self, number: int) -> dict[str, torch.Tensor]:
        """What a model's get_image_features() takes of an image."""
        grid = self.grid(number)
        if grid is None:
            return {"pixel_values": self._pixels[number : number + 1].to(torch.float32)}
        first, end = self._first_patch[number], self._first_patch[number + 1]
        return {"pixel_values": self._pixels[first:end].to(torch.float32), "image_grid_thw": grid}

    def grid(self, number: int) -> torch.Tensor | None:
        """The image_grid_thw [1, 3] of an image; None where images have none, and for the number -1."""
        return self._grids[number : number + 1] if self._grids is not None and number >= 0 else None

    def place(self, sequence: CalibrationSequence) -> str:
        """Where a sequence came from, for messages."""
        return f"{self.source}: sequence {sequence.number}"

    def mix(self, alpha: float, tokens: int = 0) -> list[CalibrationSequence]:
        """About `tokens` tokens, of which the share alpha in [0, 1] stands in sequences with an image.

        Each kind is taken from the front in whole sequences, as luq-vlm does. tokens: 0 takes as many as the set allows
        for every alpha, so that mixes can be compared; for an alpha of 0 or 1 all of the one kind, however much there
        is of the other.
        """
        if not 0 <= alpha <= 1:
            fail("invalid_argument", f"mixing ratio: expected 0 ... 1, got {alpha}")
        multimodal = [sequence for sequence in self.sequences if sequence.image >= 0]
        text_only = [sequence for sequence in self.sequences if sequence.image < 0]
        if tokens == 0:
            needed = {0: {"text-only": text_only}, 1: {"multimodal": multimodal}}.get(
                alpha, {"multimodal": multimodal, "text-only": text_only}
            )
            tokens = min(sum(len(sequence.input_ids) for sequence in kind) for kind in needed.values())
            if tokens == 0:
                fail(
                    "insufficient_data",
                    f"{self.source}: expected {' and '.join(needed)} sequences for a mixing ratio of {alpha:g}, found "
                    f"{len(multimodal)} multimodal and {len(text_only)} text-only ones",
                )
        multimodal_tokens = int(alpha * tokens + 0.5)
        return self._take(multimodal, multimodal_tokens) + self._take(text_only, tokens - multimodal_tokens)

    def _take(self, sequences: list[CalibrationSequence], tokens: int) -> list[CalibrationSequence]:
        taken, count = [], 0
        for sequence in sequences:
            if count >= tokens:
                break
            taken.append(sequence)
            count += len(sequence.input_ids)
        if count < tokens:
            fail("insufficient_data", f"{self.source}: expected {tokens} tokens of a kind of sequence, found {count}")
        return taken

    def _slice(self, name: str):
        if name not in self._file.keys():
            fail("corrupt_file", f'{self.source}: expected a tensor "{name}", found none')
        return self._file.get_slice(name)

    def _read_grids(self) -> tuple[torch.Tensor | None, list[int]]:
        if "image_grid_thw" not in self._file.keys():
            return None, []
        grids = self._file.get_tensor("image_grid_thw").to(torch.int64)
        patches = self._pixels.get_shape()[0]
        if grids.ndim != 2 or grids.shape[1] != 3 or (grids < 1).any() or int(grids.prod(-1).sum()) != patches:
            fail("corrupt_file", f"{self.source}: expected grids [images, 3] of all {patches} patches of pixel_values")
        return grids, [0, *grids.prod(-1).cumsum(0).tolist()]

    def _count_images(self) -> int:
        if self._pixels is None:
            return 0
        return len(self._grids) if self._grids is not None else self._pixels.get_shape()[0]

    def _read_sequences(self, images: torch.Tensor) -> list[CalibrationSequence]:
        ids = self._slice("input_ids")[:].to(torch.int64)
        mask = self._slice("attention_mask")[:] != 0
        if ids.ndim != 2 or mask.shape != ids.shape or images.shape != ids.shape[:1]:
            fail(
                "corrupt_file",
                f"{self.source}: expected input_ids and attention_mask of one shape and an image_index per sequence, "
                f"got {list(ids.shape)}, {list(mask.shape)} and {list(images.shape)}",
            )
        count, lengths = self._count_images(), mask.sum(-1)
        sequences = [CalibrationSequence(ids[i, : lengths[i]], image, i) for i, image in enumerate(images.tolist())]
        for sequence, valid in zip(sequences, mask, strict=True):
            place, length = self.place(sequence), len(sequence.input_ids)
            if not -1 <= sequence.image < count:
                fail("corrupt_file", f"{place}: image_index: expected -1 ... {count} - 1, got {sequence.image}")
            if length == 0:
                fail("corrupt_file", f"{place}: expected a valid token, found none")
            if not valid[:length].all():
                first = int(valid.to(torch.int8).argmin())
                fail("unsupported", f"{place}: expected padding at the end only, got it at position {first}")
        return sequences
