# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The first pass over a checkpoint: statistics of every decoder layer under calibration sequences.

One layer at a time is loaded and run over the stored hidden states of all sequences. What stays in memory is the layer,
its Hessians and one sequence; the rest is in the folder of the journal:

    hidden-states-3.npy           [tokens x hidden] float32, the inputs of layer 3, until those of layer 4 are there
    layer-3.hessians.safetensors  [in x in] float32 for each of the layer's four inputs

Hessians stay on disk for the second pass (quantize_decoder.py), since running the layers again would take longer than
reading them; any number of plans can be quantized from them. They take 4 in^2 bytes each: 22 GB for LLaVA-1.5-7B.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from luq._luq import DEFAULT_NORM_CLIP, EntropyEstimate, LayerEntropy, __version__
from luq.dataset import CalibrationSequence, CalibrationSet
from luq.decoder_linears import LINEARS, LINEARS_OF_INPUT
from luq.errors import fail
from luq.file_sum import file_sum
from luq.journal import Journal
from luq.layer_statistics import LayerStatistics
from luq.vision_language import VisionLanguageModel
from luq.whole_file import require_space, reserve, write_errors, write_tensors

#: Called as progress(task, units done, units in all): with 0 when a task begins, and with all of them at its end.
Progress = Callable[[str, int, int], None]


def no_progress(_task: str, _done: int, _units: int) -> None:
    """Shows nothing."""


def hessian_file(layer: int) -> str:
    return f"layer-{layer}.hessians.safetensors"


def _states_file(layer: int) -> str:
    return f"hidden-states-{layer}.npy"


def _states_bytes(model: VisionLanguageModel, tokens: int) -> int:
    return 4 * tokens * model.hidden_size


def _hessian_bytes(model: VisionLanguageModel, layer: int) -> int:
    columns = dict(zip(LINEARS, (linear.cols for linear in model.shape[layer]), strict=True))
    return sum(4 * columns[linears[0]] ** 2 for linears in LINEARS_OF_INPUT.values())


def _bytes_to_store(model: VisionLanguageModel, tokens: int, journal: Journal, layers: list[int]) -> int:
    """Of the Hessians of these layers, and of hidden states, those of two layers at a time."""
    states = sum(path.stat().st_size for path in journal.folder.glob("hidden-states-*"))  # of a killed run, too
    missing_states = max(0, 2 * _states_bytes(model, tokens) - states)
    return missing_states + sum(_hessian_bytes(model, layer) for layer in layers)


def _as_data(entropy: LayerEntropy) -> dict[str, dict[str, float] | None]:
    fields = ("bits", "miller_madow", "seed_deviation", "low", "high", "tokens")

    def numbers(estimate: EntropyEstimate | None) -> dict[str, float] | None:
        return None if estimate is None else {field: getattr(estimate, field) for field in fields}

    return {kind: numbers(getattr(entropy, kind)) for kind in ("all", "text", "image")}


class _Run:
    """The pass over the layers, with what all of its steps need."""

    def __init__(
        self,
        model: VisionLanguageModel,
        calibration: CalibrationSet,
        sequences: list[CalibrationSequence],
        journal: Journal,
        progress: Progress,
    ) -> None:
        self.model, self.calibration, self.sequences = model, calibration, sequences
        self.journal, self.progress = journal, progress
        lengths = [len(sequence.input_ids) for sequence in sequences]
        self.tokens = sum(lengths)
        self.rows = [slice(end - length, end) for end, length in zip(np.cumsum(lengths), lengths, strict=True)]

    def first_stored_states(self, last: int) -> int:
        """The latest layer up to `last` whose inputs are stored; makes those of layer 0 if none are."""
        for layer in range(last, -1, -1):
            if self.journal.data(f"states {layer}") is not None:
                return layer
        self.store_states(0, self.model.embeddings(self.calibration, self.sequences))
        return 0

    def run_layer(self, layer: int, **statistics_options: float) -> None:
        """Runs one layer for its statistics, unless they are there, and for the inputs of the next one."""
        module = self.model.meta_layer(layer)
        needed = self.journal.data(f"statistics {layer}") is None
        statistics = LayerStatistics(module, self.model.device, **statistics_options) if needed else None
        with nullcontext() if statistics is None else statistics.watching(module):
            outputs = self.outputs(layer, statistics)
            if layer + 1 < self.model.layers:
                self.store_states(layer + 1, outputs)
            else:
                for _ in outputs:
                    pass
        if statistics is not None:
            self.store_statistics(layer, statistics)
        # Not before: without statistics the layer has to run again.
        self.journal.remove(_states_file(layer))

    @torch.no_grad()
    def outputs(self, layer: int, statistics: LayerStatistics | None) -> Iterator[torch.Tensor]:
        """The outputs of a layer [tokens x hidden] for each sequence in turn."""
        states = np.lib.format.open_memmap(self.journal.path(_states_file(layer)), mode="c")
        task = f"layer {layer}: sequences"
        self.progress(task, 0, len(self.sequences))
        with self.model.loaded_layer(layer) as module:
            for number, (sequence, rows) in enumerate(zip(self.sequences, self.rows, strict=True)):
                if statistics is not None:
                    statistics.expect(self.model.classes(sequence), number)
                rotary = self.model.position_embeddings(sequence, self.calibration.grid(sequence.image))
                hidden = torch.from_numpy(states[rows])[None].to(self.model.device)
                yield module(hidden, attention_mask=None, position_embeddings=rotary)[0].cpu()
                self.progress(task, number + 1, len(self.sequences))

    def store_states(self, layer: int, states: Iterable[torch.Tensor]) -> None:
        """Stores the inputs of a layer, [tokens x hidden] of each sequence."""
        shape = (self.tokens, self.model.hidden_size)
        data_bytes = _states_bytes(self.model, self.tokens)

        def write(path: Path) -> None:
            with write_errors(path, data_bytes), path.open("wb") as file:
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                first = file.tell()
                file.flush()
                reserve(file, first + data_bytes)
            for rows, hidden in zip(self.rows, states, strict=True):
                values = np.ascontiguousarray(hidden.numpy(), dtype="<f4")
                if values.shape != (rows.stop - rows.start, shape[1]):
                    fail("shape_mismatch", f"{path}: rows {rows}: expected [.. x {shape[1]}], got {values.shape}")
                with write_errors(path, data_bytes), path.open("r+b") as file:
                    file.seek(first + 4 * shape[1] * rows.start)
                    file.write(values)

        name = self.journal.write(_states_file(layer), write)
        self.journal.record(f"states {layer}", {}, (name,))

    def store_statistics(self, layer: int, statistics: LayerStatistics) -> None:
        self.progress(f"layer {layer}: entropy", 0, 1)
        entropy = _as_data(statistics.outputs.estimate())
        self.progress(f"layer {layer}: entropy", 1, 1)
        hessians = {name: hessian.matrix() for name, hessian in statistics.inputs.items()}
        name = self.journal.write(hessian_file(layer), lambda path: write_tensors(path, hessians))
        self.journal.record(f"statistics {layer}", entropy, (name,))


def calibration_inputs(
    model: VisionLanguageModel,
    calibration: CalibrationSet,
    sequences: list[CalibrationSequence],
    progress: Progress = no_progress,
    norm_clip: float = DEFAULT_NORM_CLIP,
    **entropy_options: float,
) -> dict[str, Any]:
    """All that the results of calibrate() depend on, for its journal: of files their content, not where or when."""
    chosen = hashlib.sha256()
    for sequence in sequences:
        chosen.update(f"{sequence.image} {sequence.input_ids.tolist()}".encode())
    return {
        "model": model.checkpoint.fingerprint(lambda *files: progress("checkpoint: files hashed", *files)),
        "device": str(model.device),
        "calibration": file_sum(calibration.source),
        "sequences": chosen.hexdigest(),
        "norm clip": norm_clip,
        "entropy": entropy_options,
        "versions": {"luq": __version__, "torch": str(torch.__version__), "transformers": transformers.__version__},
    }


def calibrate(
    model: VisionLanguageModel,
    calibration: CalibrationSet,
    sequences: list[CalibrationSequence],
    journal: Journal,
    progress: Progress = no_progress,
    norm_clip: float = DEFAULT_NORM_CLIP,
    **entropy_options: float,
) -> list[dict[str, dict[str, float] | None]]:
    """Entropies in bits of each layer's outputs, by class of tokens, and Hessians in the journal's folder.

    sequences: of the calibration set, see CalibrationSet.mix(). norm_clip: of the weights of tokens in Hessians, see
    LayerStatistics. entropy_options: of ActivationEntropy. The entropies of a layer are
    {"all": ..., "text": ..., "image": ...}, each the fields of EntropyEstimate or None.
    """
    steps = [f"statistics {layer}" for layer in range(model.layers)]
    missing = [layer for layer, step in enumerate(steps) if journal.data(step) is None]
    if missing:
        tokens = sum(len(sequence.input_ids) for sequence in sequences)
        require_space(journal.folder, _bytes_to_store(model, tokens, journal, missing))
        run = _Run(model, calibration, sequences, journal, progress)
        for layer in range(run.first_stored_states(missing[0]), missing[-1] + 1):
            run.run_layer(layer, norm_clip=norm_clip, **entropy_options)
    for layer in range(model.layers):  # also those that a killed run left behind
        journal.remove(_states_file(layer))
    return [journal.data(step) for step in steps]
