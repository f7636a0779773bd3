# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Small models with random weights, as transformers makes and saves them, and calibration files for them."""

import importlib.util
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    LlavaConfig,
    LlavaForConditionalGeneration,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)

import luq

DATA = Path(__file__).parents[2] / "data"
LLAVA_IMAGE_TOKEN = 49
QWEN_IMAGE_TOKEN = 55


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def llava_model() -> LlavaForConditionalGeneration:
    torch.manual_seed(1)
    vision = dict(
        hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=2, image_size=28, patch_size=14
    )
    text = dict(
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=50,
        max_position_embeddings=64,
    )
    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model", **vision},
        text_config={"model_type": "llama", **text},
        image_token_id=LLAVA_IMAGE_TOKEN,
    )
    return LlavaForConditionalGeneration(config).eval()


def qwen_model() -> Qwen2_5_VLForConditionalGeneration:
    torch.manual_seed(2)
    text = dict(
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=60,
        max_position_embeddings=64,
        rope_parameters={"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]},
    )
    vision = dict(
        depth=2,
        hidden_size=32,
        intermediate_size=48,
        num_heads=2,
        out_hidden_size=64,
        window_size=56,
        fullatt_block_indexes=[1],
    )
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=QWEN_IMAGE_TOKEN,
        video_token_id=56,
        vision_start_token_id=57,
        vision_end_token_id=58,
        tie_word_embeddings=False,
    )
    return Qwen2_5_VLForConditionalGeneration(config).eval()


def _calibration_tensors(image_tokens: list[int], image_token: int, sequences: int = 12) -> dict[str, torch.Tensor]:
    """Every third sequence is of text only; the others begin with text, hold the places of an image, end with text."""
    generator = torch.Generator().manual_seed(3)
    length = 24
    ids = torch.zeros(sequences, length, dtype=torch.int32)
    mask = torch.zeros(sequences, length, dtype=torch.uint8)
    images = torch.full((sequences,), -1, dtype=torch.int32)
    for i in range(sequences):
        tokens = torch.randint(1, 45, (12 + i % 5,), generator=generator).tolist()
        if i % 3 != 2:
            images[i] = i % len(image_tokens)
            tokens[3:3] = [image_token] * image_tokens[images[i]]
        ids[i, : len(tokens)] = torch.tensor(tokens)
        mask[i, : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask, "image_index": images}


def llava_calibration() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    pixels = torch.randn(3, 3, 28, 28, generator=generator).to(torch.float16)
    return {**_calibration_tensors([4, 4, 4], LLAVA_IMAGE_TOKEN), "pixel_values": pixels}


def qwen_calibration() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    grids = torch.tensor([[1, 4, 6], [1, 6, 4], [1, 2, 2]])
    pixels = torch.randn(int(grids.prod(-1).sum()), 3 * 2 * 14 * 14, generator=generator)
    tokens = (grids.prod(-1) // 4).tolist()
    return {**_calibration_tensors(tokens, QWEN_IMAGE_TOKEN), "pixel_values": pixels, "image_grid_thw": grids}


class SavedModel:
    """A model and where it is saved, with a calibration file beside it.

    Transformers writes the names that published checkpoints have; other files have the names of its modules.
    """

    def __init__(self, architecture: str, directory: Path, module_names: bool = False) -> None:
        self.model = llava_model() if architecture == "llava" else qwen_model()
        self.directory = directory
        self.model.save_pretrained(directory, max_shard_size="100KB")
        if module_names:
            for file in directory.glob("model*"):
                file.unlink()
            save_file(self.model.state_dict(), directory / "model.safetensors")
        self.calibration = directory / "calibration.safetensors"
        save_file(llava_calibration() if architecture == "llava" else qwen_calibration(), self.calibration)


@pytest.fixture(scope="session", params=["llava", "qwen2_5_vl"])
def saved(request, tmp_path_factory) -> SavedModel:
    return SavedModel(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session", params=["llava", "qwen2_5_vl"])
def saved_with_module_names(request, tmp_path_factory) -> SavedModel:
    return SavedModel(request.param, tmp_path_factory.mktemp(request.param), module_names=True)


def write_one_kind(source: Path, with_image: bool, path: Path) -> Path:
    """Those sequences of a calibration file that have an image, or those of text only, without tensors of images."""
    tensors = load_file(source)
    rows = (tensors["image_index"] >= 0) == with_image
    kept = {name: tensors[name][rows] for name in ("input_ids", "attention_mask", "image_index")}
    images = {name: tensor for name, tensor in tensors.items() if name not in kept}
    save_file({**kept, **(images if with_image else {})}, path)
    return path


def load_script(path: Path = Path(__file__).parents[1] / "quantize_vlm.py"):
    """A script as a module."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def run_script(monkeypatch, *arguments: object) -> None:
    """Runs quantize_vlm.py in this process, whose numbers of threads are then as before."""
    monkeypatch.setattr("sys.argv", ["quantize_vlm.py", *map(str, arguments)])
    threads = torch.get_num_threads()
    try:
        load_script().main()
    finally:
        torch.set_num_threads(threads)
        luq.set_threads(0)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """The system refuses larger files, as it does when a disk is full."""
    old, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (old, most))
