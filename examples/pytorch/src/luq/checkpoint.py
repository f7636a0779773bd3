# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The tensors of a Hugging Face model directory, read one at a time, in one file or in shards."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

from luq.errors import fail


class Checkpoint:
    """Files stay mapped while it lives; a tensor takes memory when it is read."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        single = self.directory / "model.safetensors"
        index = self.directory / "model.safetensors.index.json"
        if single.is_file():
            names = [single.name]
        elif index.is_file():
            names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
            if any(Path(name).name != name for name in names):
                fail("corrupt_file", f"{index}: expected shards beside it, got {names}")
        else:
            fail("io_failure", f"{self.directory}: holds neither {single.name} nor {index.name}")
        self.files = [self.directory / name for name in names]
        for file in self.files:
            if not file.is_file():
                fail("io_failure", f"{file}: cannot be read")
        shards = [safe_open(file, "pt") for file in self.files]
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

    def fingerprint(self) -> str:
        """Changes when any file does, unless its size, its header and its time of change stay the same."""
        digest = hashlib.sha256((self.directory / "config.json").read_bytes())
        for file in self.files:
            status = file.stat()
            with file.open("rb") as stream:
                header = stream.read(8 + int.from_bytes(stream.read(8), "little"))
            digest.update(f"{file.name} {status.st_size} {status.st_mtime_ns} ".encode() + header)
        return digest.hexdigest()
