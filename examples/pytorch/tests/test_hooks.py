# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Statistics by hooks, in a model that is run as a whole and in one that is run layer by layer."""

import re

import pytest
import torch
from safetensors.torch import load_file

import luq
from conftest import LLAVA_IMAGE_TOKEN, SavedModel, llava_model
from luq.calibrate import calibrate, calibration_inputs, hessian_file
from luq.checkpoint import Checkpoint
from luq.dataset import CalibrationSet
from luq.decoder_linears import LINEARS
from luq.journal import Journal
from luq.vision_language import VisionLanguageModel
from same_entropies import assert_same_entropies


def recorded_inputs(model, **inputs) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
    """Of a forward pass of the whole model: the outputs of all layers, and the inputs of the linears of layer 1."""
    outputs, features = [], {}
    layers = model.model.language_model.layers
    handles = [layer.register_forward_hook(lambda _m, _a, output: outputs.append(output.clone())) for layer in layers]
    for name in LINEARS:
        keep = lambda _m, arguments, name=name: features.__setitem__(name, arguments[0].clone())  # noqa: E731
        handles.append(layers[1].get_submodule(name).register_forward_pre_hook(keep))
    with torch.no_grad():
        model(**inputs)
    for handle in handles:
        handle.remove()
    return outputs, features


def test_hooks_feed_the_accumulators_of_a_padded_batch():
    model = llava_model()
    ids = torch.randint(1, 45, (3, 10), generator=torch.Generator().manual_seed(0))
    ids[:, 2:6] = LLAVA_IMAGE_TOKEN
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    inputs = {"input_ids": ids, "attention_mask": mask, "pixel_values": torch.randn(3, 3, 28, 28)}
    layer = model.model.language_model.layers[1]
    statistics = luq.LayerStatistics(layer, clusters=5)
    classes = luq.token_classes(ids, LLAVA_IMAGE_TOKEN, mask)
    assert classes[1].tolist() == [0, 0, 1, 1, 1, 1, 0, 0, 2, 2]
    with statistics.watching(layer):
        statistics.expect(classes, first_sequence=0)
        outputs, features = recorded_inputs(model, **inputs)
    with torch.no_grad():
        model(**inputs)  # nobody watches now
    assert statistics.outputs.tokens(luq.TokenClass.TEXT) == 16
    assert statistics.outputs.tokens(luq.TokenClass.IMAGE) == 12

    for name, linear in {
        "attention": "self_attn.k_proj",
        "attention_output": "self_attn.o_proj",
        "mlp": "mlp.up_proj",
        "mlp_output": "mlp.down_proj",
    }.items():
        valid = features[linear][mask.bool()].to(torch.float64)
        expected = (2 / len(valid) * valid.T @ valid).to(torch.float32)
        torch.testing.assert_close(statistics.inputs[name].matrix(), expected, rtol=1e-4, atol=1e-6)

    entropy = luq.ActivationEntropy(64, clusters=5)
    for i in range(3):
        entropy.add(outputs[1][i], classes[i], sequence=i)
    assert statistics.outputs.estimate().all.bits == entropy.estimate().all.bits


def test_a_forward_pass_that_was_not_announced_is_an_error():
    model = llava_model()
    layer = model.model.language_model.layers[0]
    statistics = luq.LayerStatistics(layer)
    with statistics.watching(layer), pytest.raises(RuntimeError, match="expect"):
        model(input_ids=torch.ones(1, 4, dtype=torch.int64))


def whole_model_inputs(model: VisionLanguageModel, calibration: CalibrationSet, sequence) -> dict[str, torch.Tensor]:
    ids = sequence.input_ids[None]
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if sequence.image >= 0:
        inputs.update(calibration.image(sequence.image))
        if model.config.model_type == "qwen2_5_vl":
            inputs["mm_token_type_ids"] = (ids == model.config.image_token_id).int()
    return inputs


def check_against_the_whole_model(saved: SavedModel, folder) -> None:
    model = VisionLanguageModel(saved.directory)
    calibration = CalibrationSet(saved.calibration)
    sequences = calibration.mix(0.5, 80)
    assert {s.image >= 0 for s in sequences} == {True, False}
    options = {"clusters": 10, "seeds": 2}
    journal = Journal(folder, calibration_inputs(model, calibration, sequences, **options))
    seen = []

    def progress(task: str, done: int, _units: int) -> None:
        if task.endswith("sequences") and done == 1:
            loaded = [not next(model.meta_layer(layer).parameters()).is_meta for layer in range(model.layers)]
            seen.append((int(task.split()[1].rstrip(":")), loaded))

    entropies = calibrate(model, calibration, sequences, journal, progress, **options)
    for layer, loaded in seen:
        assert loaded == [other == layer for other in range(model.layers)]  # one layer has weights, the others none
    assert [layer for layer, _ in seen] == list(range(model.layers))

    accumulators = [luq.ActivationEntropy(model.hidden_size, **options) for _ in range(model.layers)]
    hessians = {name: luq.Hessian(96 if name == "mlp.down_proj" else 64) for name in LINEARS}
    for number, sequence in enumerate(sequences):
        outputs, features = recorded_inputs(saved.model, **whole_model_inputs(model, calibration, sequence))
        for accumulator, X in zip(accumulators, outputs, strict=True):
            accumulator.add(X, model.classes(sequence)[0], sequence=number)
        for name, X in features.items():
            hessians[name].add(X)
    kinds = ("all", "text", "image")
    expected = [getattr(accumulator.estimate(), kind) for accumulator in accumulators for kind in kinds]
    own = [entropy[kind] for entropy in entropies for kind in kinds]
    assert [estimate["tokens"] for estimate in own] == [estimate.tokens for estimate in expected]
    assert_same_entropies(own, [estimate.bits for estimate in expected])
    stored = load_file(journal.path(hessian_file(1)))
    for name, linear in {"attention": LINEARS[2], "attention_output": LINEARS[3], "mlp_output": LINEARS[6]}.items():
        torch.testing.assert_close(stored[name], hessians[linear].matrix(), rtol=1e-3, atol=1e-5)


def test_layer_by_layer_is_as_the_whole_model(saved, tmp_path):
    names = list(Checkpoint(saved.directory)._shard_of)
    assert any(name.startswith(("language_model.model.layers.", "model.layers.")) for name in names)
    check_against_the_whole_model(saved, tmp_path)


def test_names_of_modules_are_read_as_well(saved_with_module_names, tmp_path):
    assert "model.language_model.embed_tokens.weight" in Checkpoint(saved_with_module_names.directory)
    check_against_the_whole_model(saved_with_module_names, tmp_path)


def test_a_missing_tensor_and_another_architecture_are_errors(saved, tmp_path):
    with pytest.raises(luq.Error, match="neither model.safetensors nor") as raised:
        Checkpoint(tmp_path)
    assert raised.value.code == "io_failure"
    checkpoint = Checkpoint(saved.directory)
    with pytest.raises(luq.Error, match="expected a tensor nothing.weight"):
        checkpoint.read("nothing.weight")
    with pytest.raises(luq.Error, match="shape_mismatch|expected \\[7, 3\\]"):
        checkpoint.load(torch.nn.Linear(3, 7, bias=False), _prefix_of_a_linear(checkpoint))
    (tmp_path / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    for file in saved.directory.glob("model*"):
        (tmp_path / file.name).symlink_to(file)
    with pytest.raises(luq.Error, match="got llama") as raised:
        VisionLanguageModel(tmp_path)
    assert raised.value.code == "unsupported"


def _prefix_of_a_linear(checkpoint: Checkpoint) -> str:
    return next(name for name in checkpoint._shard_of if name.endswith("0.mlp.up_proj.weight")).removesuffix("weight")


def test_an_index_that_is_none_is_named(saved, tmp_path):
    """It may begin with a byte-order mark, as luq-vlm reads it; shards beside it are all that it may name."""
    shards = sorted(saved.directory.glob("model-*"))
    for file in shards:
        (tmp_path / file.name).symlink_to(file)
    index = tmp_path / "model.safetensors.index.json"
    index.write_bytes(b"\xef\xbb\xbf" + (saved.directory / index.name).read_bytes())
    assert len(Checkpoint(tmp_path).files) == len(shards) > 1
    for content in (
        b"",
        b"[]",
        b'{"weight_map": ["a"]}',
        b'{"weight_map": {"a": 5}}',
        b'{"weight_map": {"\xff": "a"}}',
    ):
        index.write_bytes(content)
        with pytest.raises(luq.Error, match=f"^{re.escape(str(index))}: expected ") as raised:
            Checkpoint(tmp_path)
        assert raised.value.code == "corrupt_file"
