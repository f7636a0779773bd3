# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration sequences: what a file may leave out, how they are mixed, and what is said of those that are wrong."""

import re

import pytest
import torch
from safetensors.torch import load_file, save_file

import luq
from conftest import LLAVA_IMAGE_TOKEN, QWEN_IMAGE_TOKEN, SavedModel, run_script, write_one_kind
from luq.dataset import CalibrationSet
from luq.journal import read_entries
from luq.vision_language import VisionLanguageModel


def tokens_of(sequences) -> dict[bool, int]:
    """Tokens in sequences with an image (True) and without (False)."""
    counts = {True: 0, False: 0}
    for sequence in sequences:
        counts[sequence.image >= 0] += len(sequence.input_ids)
    return counts


def set_of(path, lengths: list[tuple[bool, int]]) -> CalibrationSet:
    """A file of sequences with an image or without, of so many tokens."""
    length = max(tokens for _, tokens in lengths)
    mask = (torch.arange(length) < torch.tensor([[tokens] for _, tokens in lengths])).to(torch.int32)
    images = torch.tensor([0 if with_image else -1 for with_image, _ in lengths])
    save_file(
        {
            "input_ids": torch.ones_like(mask),
            "attention_mask": mask,
            "image_index": images,
            "pixel_values": torch.zeros(1, 3, 4, 4),
        },
        path,
    )
    return CalibrationSet(path)


def test_a_mix_takes_what_its_ratio_needs(tmp_path):
    calibration = set_of(tmp_path / "set", [(True, 5), (False, 2), (True, 3), (False, 6), (True, 4), (False, 1)])
    assert tokens_of(calibration.mix(0.0)) == {True: 0, False: 9}
    assert tokens_of(calibration.mix(1.0)) == {True: 12, False: 0}
    assert tokens_of(calibration.mix(0.5)) == {True: 5, False: 8}  # of 9, 5 and 4, in whole sequences
    assert tokens_of(calibration.mix(1.0, 6)) == {True: 8, False: 0}
    assert tokens_of(calibration.mix(0.25, 4)) == {True: 5, False: 8}


def test_a_ratio_of_one_kind_needs_no_other(tmp_path):
    """As much of one kind as there is, whether there are none, few or many of the other."""
    texts, images = [(False, 4)] * 3, [(True, 5)] * 2
    assert tokens_of(set_of(tmp_path / "texts", texts).mix(0.0)) == {True: 0, False: 12}
    assert tokens_of(set_of(tmp_path / "images", images).mix(1.0)) == {True: 10, False: 0}
    assert tokens_of(set_of(tmp_path / "few texts", [*images, (False, 1)]).mix(1.0)) == {True: 10, False: 0}
    assert tokens_of(set_of(tmp_path / "few images", [*texts, (True, 1)]).mix(0.0)) == {True: 0, False: 12}


@pytest.mark.parametrize(
    ("with_image", "alpha", "needed"),
    [(False, 1.0, "multimodal"), (True, 0.0, "text-only"), (True, 0.5, "multimodal and text-only")],
)
def test_a_ratio_that_needs_an_absent_kind_is_refused(tmp_path, with_image, alpha, needed):
    calibration = set_of(tmp_path / "one kind", [(with_image, 4)] * 3)
    with pytest.raises(luq.Error, match=f"one kind: expected {needed} sequences .* ratio of {alpha:g}") as raised:
        calibration.mix(alpha)
    assert raised.value.code == "insufficient_data"


def quantize_vlm(monkeypatch, saved: SavedModel, calibration, folder, alpha: float) -> None:
    options = ["--model", saved.directory, "--calibration", calibration, "--work", folder / "work"]
    options += ["--output", folder / "packed", "--alpha", alpha, "--clusters", 10]
    options += ["--low", "sign:g32/rtn", "--high", "int4:g32/rtn", "--saving", 0.3]
    run_script(monkeypatch, *options)


@pytest.mark.parametrize(("with_image", "alpha"), [(False, 0.0), (True, 1.0)])
def test_a_checkpoint_is_quantized_with_one_kind_of_sequences(saved, tmp_path, monkeypatch, with_image, alpha):
    file = write_one_kind(saved.calibration, with_image, tmp_path / "calibration.safetensors")
    assert ("pixel_values" in load_file(file)) == with_image
    quantize_vlm(monkeypatch, saved, file, tmp_path, alpha)
    packed = luq.PackedModel(tmp_path / "packed")
    assert set(packed.plan.recipes) == {"sign:g32/rtn", "int4:g32/rtn"}
    tokens = tokens_of(CalibrationSet(saved.calibration).sequences)[with_image]
    entries = read_entries(tmp_path / "work" / "journal.jsonl")
    for layer in range(len(packed.layers)):
        entropies = entries[f"statistics {layer}"]["data"]
        assert entropies["all"]["tokens"] == tokens
        assert (entropies["image"] is None) == (not with_image)


def spoiled(saved: SavedModel, path, alter) -> CalibrationSet:
    tensors = load_file(saved.calibration)
    alter(tensors)
    save_file(tensors, path)
    return CalibrationSet(path)


def put(name: str, place, value):
    return lambda tensors: tensors[name].__setitem__(place, value)


@pytest.mark.parametrize(
    ("alter", "message", "code"),
    [
        (put("attention_mask", (4, 2), 0), "4: expected padding at the end only, got it at position 2", "unsupported"),
        (put("attention_mask", 7, 0), "7: expected a valid token, found none", "corrupt_file"),
        (put("image_index", 5, 3), "5: image_index: expected -1 ... 3 - 1, got 3", "corrupt_file"),
        (put("image_index", 6, -2), "6: image_index: expected -1 ... 3 - 1, got -2", "corrupt_file"),
    ],
)
def test_wrong_sequences_are_named_with_their_file(saved, tmp_path, alter, message, code):
    with pytest.raises(luq.Error, match=re.escape(f"{tmp_path / 'set'}: sequence {message}")) as raised:
        spoiled(saved, tmp_path / "set", alter)
    assert raised.value.code == code


def test_pixels_that_a_sequence_needs_are_missed(saved, tmp_path):
    with pytest.raises(luq.Error, match='expected a tensor "pixel_values"') as raised:
        spoiled(saved, tmp_path / "set", lambda tensors: tensors.pop("pixel_values"))
    assert raised.value.code == "corrupt_file"


@pytest.mark.parametrize("content", [b"", b"no safetensors file", bytes(8)])
def test_another_file_is_named(tmp_path, content):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(luq.Error, match=f"^{re.escape(str(tmp_path / 'other'))}: ") as raised:
        CalibrationSet(tmp_path / "other")
    assert raised.value.code == "corrupt_file"
    with pytest.raises(luq.Error, match="absent: cannot be read"):
        CalibrationSet(tmp_path / "absent")


def embedding_error(saved: SavedModel, path, alter) -> luq.Error:
    """What is said when all sequences of the second half of a spoiled file are embedded."""
    calibration = spoiled(saved, path, alter)
    with pytest.raises(luq.Error, match=re.escape(f"{path}: sequence 7: ")) as raised:
        list(VisionLanguageModel(saved.directory).embeddings(calibration, calibration.sequences[6:]))
    return raised.value


@pytest.mark.parametrize("token", [-1, 60, 100000])
def test_ids_outside_the_vocabulary_are_named(saved, tmp_path, token):
    error = embedding_error(saved, tmp_path / "set", put("input_ids", (7, 1), token))
    assert error.code == "invalid_argument"
    assert re.search(rf"position 1: expected an id in 0 ... (49|59), got {token}$", str(error))


def test_image_tokens_must_be_those_of_the_image(saved, tmp_path):
    place = LLAVA_IMAGE_TOKEN if saved.model.config.model_type == "llava" else QWEN_IMAGE_TOKEN
    error = embedding_error(saved, tmp_path / "set", put("input_ids", (7, 0), place))
    assert error.code == "shape_mismatch"
    assert "image tokens, one for each feature of its image, got" in str(error)


@pytest.mark.parametrize("saved", ["qwen2_5_vl"], indirect=True)
def test_places_in_a_grid_must_be_side_by_side_and_of_no_video(saved, tmp_path):
    def apart(tensors) -> None:
        ids = tensors["input_ids"][7]
        assert ids[3] == QWEN_IMAGE_TOKEN != ids[2]
        ids[1], ids[3] = ids[3].item(), ids[1].item()

    error = embedding_error(saved, tmp_path / "apart", apart)
    assert re.search(r"position 1: expected the \d tokens of its image side by side, got 1$", str(error))
    error = embedding_error(saved, tmp_path / "video", put("input_ids", (7, 0), 56))
    assert error.code == "unsupported"
