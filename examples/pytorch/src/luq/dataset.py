# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration sequences from a safetensors file that a processor made, as luq-vlm reads them (examples/vlm/README.md).

input_ids       [sequences, length]      integers; the image's places hold the image token
attention_mask  as input_ids             0 for padding, on the right
image_index     [sequences]              the sequence's image, -1 for none
pixel_values    [images, 3, height, width], or for Qwen2.5-VL the patches of all images [patches, values]
image_grid_thw  [images, 3]              for Qwen2.5-VL: frames, rows and columns of patches
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open

from luq.errors import fail


@dataclass(frozen=True)
class CalibrationSequence:
    """input_ids: the valid tokens [tokens], int64. image: its place among the images, -1 for none."""

    input_ids: torch.Tensor
    image: int


class CalibrationSet:
    """Sequences in memory, images read when they are asked for."""

    def __init__(self, path: str | Path) -> None:
        self.source = Path(path)
        if not self.source.is_file():
            fail("io_failure", f"{self.source}: cannot be read")
        self._file = safe_open(self.source, "pt")
        self._pixels = self._slice("pixel_values")
        self._grids, self._first_patch = self._read_grids()
        self.sequences = self._read_sequences()

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

    def mix(self, alpha: float, tokens: int = 0) -> list[CalibrationSequence]:
        """About `tokens` tokens, of which the share alpha in [0, 1] stands in sequences with an image.

        Each kind is taken from the front in whole sequences, as luq-vlm does. tokens: 0 takes as many as the set allows
        for every alpha.
        """
        if not 0 <= alpha <= 1:
            fail("invalid_argument", f"mixing ratio: expected 0 ... 1, got {alpha}")
        multimodal = [sequence for sequence in self.sequences if sequence.image >= 0]
        text_only = [sequence for sequence in self.sequences if sequence.image < 0]
        if tokens == 0:
            tokens = min(sum(len(sequence.input_ids) for sequence in kind) for kind in (multimodal, text_only))
            if tokens == 0:
                fail("insufficient_data", f"{self.source}: expected multimodal and text-only sequences, found one kind")
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

    def _read_sequences(self) -> list[CalibrationSequence]:
        ids = self._slice("input_ids")[:].to(torch.int64)
        mask = self._slice("attention_mask")[:] != 0
        images = self._slice("image_index")[:].to(torch.int64)
        if ids.ndim != 2 or mask.shape != ids.shape or images.shape != ids.shape[:1]:
            fail(
                "corrupt_file",
                f"{self.source}: expected input_ids and attention_mask of one shape and an image_index per sequence, "
                f"got {list(ids.shape)}, {list(mask.shape)} and {list(images.shape)}",
            )
        count = len(self._grids) if self._grids is not None else self._pixels.get_shape()[0]
        if ((images < -1) | (images >= count)).any():
            fail("corrupt_file", f"{self.source}: image_index: expected -1 ... {count} - 1")
        lengths = mask.sum(-1)
        if (mask != (torch.arange(ids.shape[1]) < lengths[:, None])).any():
            fail("unsupported", f"{self.source}: expected padding at the end of sequences only")
        if (lengths == 0).any():
            fail("corrupt_file", f"{self.source}: sequence {int(lengths.argmin())}: expected a valid token, found none")
        return [CalibrationSequence(ids[i, : lengths[i]], image) for i, image in enumerate(images.tolist())]
