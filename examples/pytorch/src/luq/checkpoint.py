# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The tensors of a Hugging Face model directory, read one at a time, in one file or in shards."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import nn

from luq.errors import fail
from luq.file_sum import file_sum
from luq.tensor_file import open_tensors


def _shards_of(index: Path) -> list[str]:
    """The names of the files that an index speaks of."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8-sig"))["weight_map"].values()))
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # no UTF-8, no JSON, or another structure
        fail("corrupt_file", f'{index}: expected a "weight_map" of tensors and files: {error!r}')
    if not all(isinstance(name, str) and Path(name).name == name for name in names):
        fail("corrupt_file", f"{index}: expected shards beside it, got {names}")
    return names


class Checkpoint:
    """Files stay mapped while it lives; a tensor takes memory when it is read."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        single = self.directory / "model.safetensors"
        index = self.directory / "model.safetensors.index.json"
        if single.is_file():
            names = [single.name]
        elif index.is_file():
            names = _shards_of(index)
        else:
            fail("io_failure", f"{self.directory}: holds neither {single.name} nor {index.name}")
        self.files = [self.directory / name for name in names]
        shards = [open_tensors(file) for file in self.files]
        self._shard_of = {name: shard for shard in shards for name in shard.keys()}
        if len(self._shard_of) != sum(len(shard.keys()) for shard in shards):
            fail("corrupt_file", f"{index}: expected every tensor in one shard, got one that is in two")

    @property
    def names(self) -> list[str]:
        """The names of all tensors, in ascending order, whether the index of shards has them or not."""
        return sorted(self._shard_of)

    def __contains__(self, name: str) -> bool:
        return name in self._shard_of

    def read(self, name: str) -> torch.Tensor:
        """A tensor as float32."""
        if name not in self._shard_of:
            fail("corrupt_file", f"{self.directory}: expected a tensor {name}, found none")
        return self._shard_of[name].get_tensor(name).to(torch.float32)

    def find_prefix(self, tensor: str, prefixes: Iterable[str]) -> str:
        """The first prefix under which the checkpoint has a tensor; names differ between generations of checkpoints."""
        for prefix in prefixes:
            if prefix + tensor in self:
                return prefix
        fail("corrupt_file", f"{self.directory}: expected a tensor {tensor} under one of {list(prefixes)}, found none")

    def load(self, module: nn.Module, prefix: str) -> None:
        """Gives a module, which may be on the meta device, its parameters: those of the checkpoint under a prefix."""
        state = {name: self.read(prefix + name) for name in module.state_dict()}
        for name, parameter in module.state_dict().items():
            if state[name].shape != parameter.shape:
                fail(
                    "shape_mismatch",
                    f"{self.directory}: tensor {prefix}{name}: expected {list(parameter.shape)}, "
                    f"got {list(state[name].shape)}",
                )
        module.load_state_dict(state, assign=True)

    def fingerprint(self, seen: Callable[[int, int], None] = lambda _done, _files: None) -> dict[str, list[int | str]]:
        """The size and SHA-256 of config.json and of each file of tensors, whole: it changes when any byte does.

        Copies have the same, whatever their times. All is read, since a sample would not see a weight that is changed
        elsewhere. That takes a core 0.5 s for a GB if it has instructions for SHA-256, 8 s for LLaVA-1.5-7B, or as long
        as the disk takes. seen: called with the number of files read and of all.
        """
        sums = {}
        for file in (self.directory / "config.json", *self.files):
            sums[file.name] = file_sum(file)
            seen(len(sums), len(self.files) + 1)
        return sums
