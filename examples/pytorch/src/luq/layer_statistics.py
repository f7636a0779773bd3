# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Accumulators of one decoder layer, fed by hooks while the model runs."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from luq._luq import DEFAULT_NORM_CLIP, ActivationEntropy, Hessian
from luq.decoder_linears import LINEARS_OF_INPUT
from luq.device_hessian import DeviceHessian
from luq.norm_weights import norm_weights
from luq.token_class import checked_classes


class LayerStatistics:
    """The entropy of a layer's outputs and the Hessians of its linears' inputs.

    statistics = LayerStatistics(layer)
    with statistics.watching(layer):
        for number, batch in enumerate(batches):
            statistics.expect(classes_of(batch), first_sequence=number * len(batch))
            model(**batch)

    Hessians weight the tokens of a sequence by their norms, see norm_weights(); entropies count every token once.

    On the CPU, activations are read where the model has them, without a copy if they are float32. With another device,
    Hessians are summed there; outputs, of which k-means takes a sample, are copied to the CPU, which waits for them.
    """

    def __init__(
        self,
        layer: nn.Module,
        device: str | torch.device = "cpu",
        norm_clip: float = DEFAULT_NORM_CLIP,
        **entropy_options: float,
    ) -> None:
        """layer: a decoder layer, of which only shapes are read. device: where it runs. norm_clip: of norm_weights();
        0: Hessians count every token once. entropy_options: of ActivationEntropy.
        """
        self._norm_clip = norm_clip
        self._device = torch.device(device)
        features = {name: layer.get_submodule(linears[0]).in_features for name, linears in LINEARS_OF_INPUT.items()}
        self.outputs = ActivationEntropy(features["attention"], **entropy_options)
        self.inputs = {name: self._accumulator(width) for name, width in features.items()}
        self._classes: torch.Tensor | None = None
        self._first_sequence = 0

    def expect(self, classes: torch.Tensor, first_sequence: int) -> None:
        """Says what the next forward pass runs.

        classes: the TokenClass of each token [sequences, tokens], integers; see checked_classes(). first_sequence: the
        number of the first of these sequences; each number stands for one sequence of the stream.
        """
        self._classes = checked_classes(classes).cpu()
        self._first_sequence = first_sequence

    @contextmanager
    def watching(self, layer: nn.Module) -> Iterator[None]:
        """Hooks on the layer while the context lasts."""
        handles = [layer.register_forward_hook(self._on_output)]
        for name, linears in LINEARS_OF_INPUT.items():
            handles.append(layer.get_submodule(linears[0]).register_forward_pre_hook(self._input_hook(name)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _accumulator(self, in_features: int) -> Hessian | DeviceHessian:
        return Hessian(in_features) if self._device.type == "cpu" else DeviceHessian(in_features, self._device)

    def _expected_classes(self) -> torch.Tensor:
        if self._classes is None:
            raise RuntimeError("LayerStatistics: expect() was not called before the forward pass")
        return self._classes

    def _input_hook(self, name: str):
        def on_input(_module: nn.Module, arguments: tuple[torch.Tensor, ...]) -> None:
            classes = self._expected_classes()
            X = arguments[0].detach().to(self._device)
            weights = None
            if self._norm_clip != 0:
                weights = norm_weights(X.reshape(*classes.shape, -1), classes, self._norm_clip).reshape(-1)
            self.inputs[name].add(X, classes.reshape(-1), weights)

        return on_input

    def _on_output(self, _module: nn.Module, _arguments: tuple, output: torch.Tensor | tuple) -> None:
        outputs = (output[0] if isinstance(output, tuple) else output).detach().cpu()
        classes = self._expected_classes()
        for i, X in enumerate(outputs.reshape(*classes.shape, -1)):
            self.outputs.add(X, classes[i], self._first_sequence + i)
