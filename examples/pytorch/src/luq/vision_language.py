# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""A LLaVA or Qwen2.5-VL model of transformers of which only the part that is at work has its weights in memory.

The model is made on the meta device, where it has shapes and no numbers. Image encoder and embedding are loaded to make
the decoder's inputs, then each decoder layer in its turn. All is computed in float32, as luq-vlm does, on the device
that the caller names; what goes in and comes out is in memory of the CPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from torch import nn
from transformers import AutoConfig, LlavaForConditionalGeneration, Qwen2_5_VLForConditionalGeneration

from luq._luq import LinearShape
from luq.checkpoint import Checkpoint
from luq.dataset import CalibrationSequence, CalibrationSet
from luq.decoder_linears import layer_shape
from luq.errors import fail
from luq.token_class import token_classes

_ARCHITECTURES = {"llava": LlavaForConditionalGeneration, "qwen2_5_vl": Qwen2_5_VLForConditionalGeneration}

#: Names on disk of the parts of a model, published ones first, then those that transformers 4.52 and later writes.
_DECODER_PREFIXES = ("language_model.model.", "model.language_model.", "model.")
_ENCODER_PREFIXES = {
    "vision_tower": (
        "vision_tower.vision_model.",
        "vision_tower.",
        "model.vision_tower.vision_model.",
        "model.vision_tower.",
    ),
    "multi_modal_projector": ("multi_modal_projector.", "model.multi_modal_projector."),
    "visual": ("visual.", "model.visual."),
}
_HEADS = {"llava": ("language_model.lm_head.weight", "lm_head.weight"), "qwen2_5_vl": ("lm_head.weight",)}

#: Buffers of old checkpoints, whose numbers follow from the configuration.
_BUFFERS = (".rotary_emb.inv_freq", ".embeddings.position_ids")


def _first(flags: torch.Tensor) -> int | None:
    """The position of the first that is true, of some [tokens]."""
    return int(flags.to(torch.int8).argmax()) if flags.any() else None


class VisionLanguageModel:
    """The parts of a checkpoint that calibration needs, one at a time."""

    def __init__(self, directory: str | Path, device: str | torch.device = "cpu") -> None:
        self.device = torch.device(device)
        self.checkpoint = Checkpoint(directory)
        self.config = AutoConfig.from_pretrained(directory)
        if self.config.model_type not in _ARCHITECTURES:
            expected = " or ".join(_ARCHITECTURES)
            fail("unsupported", f"{directory}: expected a model of type {expected}, got {self.config.model_type}")
        text = self.config.get_text_config()
        if getattr(text, "use_sliding_window", False):
            fail("unsupported", f"{directory}: expected a decoder with full attention, got sliding windows")
        layer_types = getattr(text, "layer_types", None) or ()
        if any(kind != "full_attention" for kind in layer_types):
            fail("unsupported", f"{directory}: expected layers of full attention, got {sorted(set(layer_types))}")
        with torch.device("meta"):
            self._model = _ARCHITECTURES[self.config.model_type](self.config).eval()
        # Attention that masks what follows a token when it is given no mask.
        self._model.set_attn_implementation("sdpa")
        self._decoder = self._model.model.language_model
        self._rotary = type(self._decoder.rotary_emb)(config=text)
        self._prefix = self.checkpoint.find_prefix("norm.weight", _DECODER_PREFIXES)
        self._require_known_tensors()

    @property
    def layers(self) -> int:
        return len(self._decoder.layers)

    @property
    def hidden_size(self) -> int:
        return self.config.get_text_config().hidden_size

    @property
    def shape(self) -> list[list[LinearShape]]:
        """The linears of each layer, as plans name them."""
        return [layer_shape(module, layer) for layer, module in enumerate(self._decoder.layers)]

    def meta_layer(self, layer: int) -> nn.Module:
        """A decoder layer: shapes, and weights only inside loaded_layer()."""
        return self._decoder.layers[layer]

    def weight_name(self, layer: int, linear: str) -> str:
        """The name of a linear's weights in the checkpoint."""
        return f"{self._prefix}layers.{layer}.{linear}.weight"

    def classes(self, sequence: CalibrationSequence) -> torch.Tensor:
        """The TokenClass of each token [1, tokens]."""
        return token_classes(sequence.input_ids[None], self.config.image_token_id)

    @torch.no_grad()
    def embeddings(self, calibration: CalibrationSet, sequences: list[CalibrationSequence]) -> Iterator[torch.Tensor]:
        """The inputs of the first decoder layer [tokens x hidden] of each sequence: embeddings and image features.

        Raises luq.Error, with the file and the number of the sequence, for one that the model cannot take.
        """
        table = self.checkpoint.read(self._embedding_name)
        has_image = any(sequence.image >= 0 for sequence in sequences)
        with self._image_encoder() if has_image else nullcontext():
            for sequence in sequences:
                place = calibration.place(sequence)
                image_places = self._checked_image_places(place, sequence.input_ids, len(table))
                hidden = table[sequence.input_ids.where(~image_places, 0)]
                features = self._image_features(calibration, sequence)
                self._check_image(place, image_places, len(features))
                hidden[image_places] = features
                yield hidden

    def _checked_image_places(self, place: str, ids: torch.Tensor, vocabulary: int) -> torch.Tensor:
        """Which tokens [tokens] are of an image; all others must be text that the table of embeddings has."""
        image_places = ids == self.config.image_token_id
        position = _first(~image_places & ((ids < 0) | (ids >= vocabulary)))
        if position is not None:
            expected = f"expected an id in 0 ... {vocabulary - 1}"
            fail("invalid_argument", f"{place}: position {position}: {expected}, got {ids[position]}")
        position = _first(ids == getattr(self.config, "video_token_id", -1))
        if position is not None:
            fail("unsupported", f"{place}: position {position}: expected text and images, got the place of a video")
        return image_places

    def _check_image(self, place: str, image_places: torch.Tensor, features: int) -> None:
        count = int(image_places.sum())
        if count != features:
            expected = f"expected {features} image tokens, one for each feature of its image"
            fail("shape_mismatch", f"{place}: {expected}, got {count}")
        if count > 0 and self.config.model_type == "qwen2_5_vl":  # where an image's tokens have positions in a grid
            first = _first(image_places)
            if not image_places[first : first + count].all():
                expected = f"position {first}: expected the {count} tokens of its image side by side"
                fail("shape_mismatch", f"{place}: {expected}, got {_first(~image_places[first:])}")

    def position_embeddings(self, sequence: CalibrationSequence, grid: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        """Cosines and sines of the rotary embedding, on the device.

        grid: image_grid_thw [1, 3] of its image, for Qwen2.5-VL.
        """
        ids = sequence.input_ids[None]
        positions = torch.arange(ids.shape[1])[None]
        if self.config.model_type == "qwen2_5_vl":
            if grid is None:
                positions = positions.expand(3, 1, -1)
            else:
                types = (ids == self.config.image_token_id).int()
                positions, _ = self._model.model.get_rope_index(ids, mm_token_type_ids=types, image_grid_thw=grid)
        cosines, sines = self._rotary(torch.empty(0, dtype=torch.float32), positions)
        return cosines.to(self.device), sines.to(self.device)

    @contextmanager
    def loaded_layer(self, layer: int) -> Iterator[nn.Module]:
        """A decoder layer with its weights on the device, for as long as the context lasts."""
        module = self.meta_layer(layer)
        self.checkpoint.load(module, f"{self._prefix}layers.{layer}.")
        try:
            yield module.to(self.device)
        finally:
            module.to("meta")

    @property
    def _head_name(self) -> str:
        """The name of the head in the checkpoint, which a tied model need not have."""
        heads = _HEADS[self.config.model_type]
        return next((name for name in heads if name in self.checkpoint), heads[-1])

    @property
    def _embedding_name(self) -> str:
        """The name of the table of embeddings, which is the head if a tied model is stored with the head alone."""
        name = self._prefix + "embed_tokens.weight"
        is_head = name not in self.checkpoint and self.config.tie_word_embeddings and self._head_name in self.checkpoint
        return self._head_name if is_head else name

    def _encoder_prefix(self, name: str, part: nn.Module) -> str:
        first_tensor = next(iter(part.state_dict()))
        return self.checkpoint.find_prefix(first_tensor, _ENCODER_PREFIXES[name])

    def _require_known_tensors(self) -> None:
        """Fails if the checkpoint holds tensors that the configuration does not tell of, such as biases or layers.

        They would be left out of the model without a word.
        """
        known = {self._embedding_name, self._head_name}
        known.update(self._prefix + name for name in self._decoder.state_dict())
        for name, part in self._model.model.named_children():
            if name in _ENCODER_PREFIXES:
                prefix = self._encoder_prefix(name, part)
                known.update(prefix + tensor for tensor in part.state_dict())
        unknown = [name for name in self.checkpoint.names if name not in known and not name.endswith(_BUFFERS)]
        if unknown:
            others = f" and {len(unknown) - 1} others" if len(unknown) > 1 else ""
            fail(
                "corrupt_file",
                f"{self.checkpoint.directory}: tensor '{unknown[0]}'{others}: expected none, since the model that "
                "config.json describes has no such tensor",
            )

    @contextmanager
    def _image_encoder(self) -> Iterator[None]:
        """The parts before the decoder with their weights. Made anew, for some have buffers that no file holds."""
        parts = {name: part for name, part in self._model.model.named_children() if name in _ENCODER_PREFIXES}
        for name, part in parts.items():
            if name == "multi_modal_projector":
                loaded = type(part)(self.config)
            else:
                loaded = type(part)._from_config(self.config.vision_config, attn_implementation="sdpa")
            self.checkpoint.load(loaded, self._encoder_prefix(name, part))
            self._model.model.set_submodule(name, loaded.eval().to(self.device))
        try:
            yield
        finally:
            for name, part in parts.items():
                self._model.model.set_submodule(name, part)

    def _image_features(self, calibration: CalibrationSet, sequence: CalibrationSequence) -> torch.Tensor:
        """[features x hidden]; none for a sequence of text only."""
        if sequence.image < 0:
            return torch.empty(0, self.hidden_size)
        image = {name: tensor.to(self.device) for name, tensor in calibration.image(sequence.image).items()}
        return self._model.model.get_image_features(**image).pooler_output[0].cpu()
