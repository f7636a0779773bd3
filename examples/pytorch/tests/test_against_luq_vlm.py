# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The package beside luq-vlm, the C++ engine, on the embedded model: entropies, plan, files and accuracy.

LUQ_VLM in the environment names the program.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import LlavaForConditionalGeneration

import luq
from conftest import DATA, SavedModel, run_script, write_one_kind
from luq.calibrate import hessian_file
from luq.checkpoint import Checkpoint
from luq.decoder_linears import LINEARS, LINEARS_OF_INPUT
from luq.journal import read_entries
from same_entropies import assert_same_entropies

PROGRAM = os.environ.get("LUQ_VLM")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="LUQ_VLM does not name the program luq-vlm")

# The five layers of lowest entropy, which is 0.06 bits below the others': more than roundings can move it.
BUDGET = ("--low", "sign:g128", "--saving", "0.3")
CALIBRATION = ("--tokens", "3000", "--alpha", "0.5")


def luq_vlm(*arguments: object) -> str:
    command = [PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows_of(table: str) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return lines[1:]


def printed_entropies(model: Path, *arguments: object) -> list[list[float | None]]:
    """Of all, text and image tokens of each layer, in thousandths of a bit."""
    table = luq_vlm("entropy", "--quiet", "--model", model, *arguments)
    number = lambda cell: float(cell.split()[0]) if re.match(r"\d", cell) else None  # noqa: E731
    return [[number(row[i]) for i in (1, 3, 4)] for row in rows_of(table)]


def check_entropies(work: Path, printed: list[list[float | None]]) -> None:
    entries = read_entries(work / "journal.jsonl")
    own = [entries[f"statistics {layer}"]["data"] for layer in range(len(printed))]
    assert len(printed) == sum(step.startswith("statistics ") for step in entries)
    kinds = ("all", "text", "image")
    assert_same_entropies([layer[kind] for layer in own for kind in kinds], [bits for row in printed for bits in row])


class Quantized:
    """The embedded model, quantized by both."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.own, self.own_plan = folder / "own.safetensors", folder / "own.json"
        self.other, self.other_plan = folder / "other.safetensors", folder / "other.json"


@pytest.fixture(scope="module")
def quantized(tmp_path_factory) -> Quantized:
    result = Quantized(tmp_path_factory.mktemp("quantized"))
    model, calibration = DATA / "tiny-llava", DATA / "calibration.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        options = ["--model", model, "--calibration", calibration, "--work", result.work, "--output", result.own]
        options += ["--plan-file", result.own_plan, *BUDGET, *CALIBRATION]
        run_script(patch, *options)
    luq_vlm("quantize", "--quiet", "--output", result.other, "--plan", result.other_plan, *BUDGET, *CALIBRATION)
    return result


def test_entropies_are_the_same(quantized):
    check_entropies(quantized.work, printed_entropies(DATA / "tiny-llava", *CALIBRATION))


def test_plans_are_the_same(quantized):
    assert quantized.own_plan.read_bytes() == quantized.other_plan.read_bytes()
    own, other = luq.PackedModel(quantized.own), luq.PackedModel(quantized.other)
    assert own.plan == other.plan
    assert own.size.file == other.size.file


def test_output_errors_are_the_same(quantized):
    """Bytes differ where sums of activations, taken in another order, tip a rounding; what is lost does not."""
    checkpoint = Checkpoint(DATA / "tiny-llava")
    own, other = luq.PackedModel(quantized.own), luq.PackedModel(quantized.other)
    input_of = {linear: name for name, linears in LINEARS_OF_INPUT.items() for linear in linears}
    for layer, pairs in enumerate(zip(own.layers, other.layers, strict=True)):
        hessians = load_file(quantized.work / hessian_file(layer))
        for linear, a, b in zip(LINEARS, *pairs, strict=True):
            W = checkpoint.read(f"language_model.model.layers.{layer}.{linear}.weight")
            H = hessians[input_of[linear]]
            losses = [luq.relative_output_error(W, packed.dequantize(), H) for packed in (a, b)]
            assert losses[0] == pytest.approx(losses[1], rel=0.05), (layer, linear)


def test_files_of_luq_vlm_are_rewritten_to_the_byte(quantized, tmp_path):
    model = luq.PackedModel(quantized.other)
    luq.write_packed_model(tmp_path / "again.safetensors", model.plan, model.layers, DATA / "tiny-llava")
    assert (tmp_path / "again.safetensors").read_bytes() == quantized.other.read_bytes()


def right_answers(packed: Path) -> dict[str, int]:
    """By kind of question, of the embedded test set, answered by transformers with PackedLinears."""
    model = LlavaForConditionalGeneration.from_pretrained(DATA / "tiny-llava", dtype=torch.float32).eval()
    luq.use_packed_decoder(model, luq.PackedModel(packed))
    with safe_open(DATA / "test.safetensors", "pt") as file:
        kinds = file.metadata()["kinds"].split(",")
        ids, lengths = file.get_tensor("input_ids").long(), file.get_tensor("lengths").long()
        answers, kind_of = file.get_tensor("answers").long(), file.get_tensor("kinds").long()
        pixels = file.get_tensor("pixel_values").float()[file.get_tensor("image_index").long()]
    mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    right = dict.fromkeys(kinds, 0)
    for batch in torch.arange(len(ids)).split(500):
        with torch.no_grad():
            logits = model(input_ids=ids[batch], attention_mask=mask[batch], pixel_values=pixels[batch]).logits
        given = logits[torch.arange(len(batch)), lengths[batch] - 1].argmax(-1)
        for question, answer in zip(batch.tolist(), given.tolist(), strict=True):
            right[kinds[kind_of[question]]] += int(answer == answers[question])
    return right


def test_accuracy_is_the_same(quantized):
    """Each file is answered alike by both engines; the two files differ in the roundings that tipped."""
    totals = []
    for file in (quantized.own, quantized.other):
        table = luq_vlm("evaluate", "--quiet", "--packed", file, "--activations", "float32")
        printed = {row[0]: int(row[2]) for row in rows_of(table)}
        right = right_answers(file)
        assert {**right, "all": sum(right.values())} == printed
        totals.append(printed["all"])
    assert min(totals) > 1500  # of 2000; always the most frequent answer gives 550
    assert abs(totals[0] - totals[1]) <= 10


def test_weights_of_tokens_are_the_same(tmp_path, monkeypatch):
    """With a clip that most tokens reach, codes are those of luq-vlm with this clip, and not those without."""
    options = ["--tokens", "1000", "--low", "sign:g128", "--high", "sign:g128", "--low-layers", "1"]
    own = tmp_path / "own.safetensors"
    model, calibration = DATA / "tiny-llava", DATA / "calibration.safetensors"
    paths = ["--model", model, "--calibration", calibration, "--work", tmp_path / "work", "--output", own]
    run_script(monkeypatch, *paths, *options, "--norm-clip", "0.5")
    for clip in ("0.5", "0"):
        luq_vlm("quantize", "--quiet", "--output", tmp_path / clip, *options, "--norm-clip", clip)
    decoded = lambda path: torch.cat(  # noqa: E731
        [packed.dequantize().sign().reshape(-1) for layer in luq.PackedModel(path).layers for packed in layer]
    )
    equal = {clip: (decoded(own) == decoded(tmp_path / clip)).float().mean().item() for clip in ("0.5", "0")}
    assert equal["0.5"] > 0.99
    assert equal["0"] < 0.97


def test_a_clip_that_is_none_is_refused(monkeypatch):
    paths = ("--model", "m", "--calibration", "c", "--work", "w", "--output", "o")
    for clip in ("-1", "nan"):
        with pytest.raises(luq.Error, match=f"--norm-clip: expected a number >= 0, got {clip}"):
            run_script(monkeypatch, *paths, "--norm-clip", clip)


@pytest.mark.parametrize("kind", ["both", "images", "texts"])
def test_random_models_have_the_same_entropies(saved: SavedModel, tmp_path, monkeypatch, kind):
    file, share = saved.calibration, ["--tokens", 80]
    if kind != "both":
        file = write_one_kind(saved.calibration, kind == "images", tmp_path / "calibration.safetensors")
        share = ["--alpha", 1 if kind == "images" else 0]
    calibration = ["--calibration", file, *share, "--clusters", 10]
    arguments = [*calibration, "--low", "sign:g32/rtn", "--high", "int4:g32/rtn", "--saving", 0.3]
    run_script(monkeypatch, "--model", saved.directory, "--work", tmp_path, "--output", tmp_path / "packed", *arguments)
    check_entropies(tmp_path, printed_entropies(saved.directory, *calibration))
    assert "sign:g32" in luq_vlm("inspect", tmp_path / "packed")
