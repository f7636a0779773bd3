#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Quantizes the decoder of a LLaVA or Qwen2.5-VL checkpoint into a packed file that luq-vlm and PackedModel read.

One decoder layer is in memory at a time. What is done is kept in --work: a run that was killed goes on where it stood,
and writes the same bytes as one that was not.
"""

import argparse
import os
import sys
from pathlib import Path

import torch

import luq
from luq.calibrate import calibrate, calibration_inputs
from luq.checkpoint import Checkpoint
from luq.console_progress import ConsoleProgress
from luq.dataset import CalibrationSet
from luq.errors import fail
from luq.journal import JOURNAL_FILE, Journal
from luq.quantize_decoder import dead_inputs, quantize_decoder
from luq.vision_language import VisionLanguageModel
from luq.whole_file import write_text_file


def require_writable(options: argparse.Namespace) -> None:
    """An output that cannot be written is an error before the work, not after it."""
    outputs = [options.output] if options.plan_file is None else [options.output, options.plan_file]
    model = Path(options.model)
    inputs = [*Checkpoint(model).files, model / "config.json", model / "model.safetensors.index.json"]
    luq.require_output_folder(options.work, [JOURNAL_FILE])
    luq.require_outputs(outputs, [*inputs, options.calibration, Path(options.work) / JOURNAL_FILE])


def usable_device(name: str) -> torch.device:
    try:
        numbers = torch.zeros(1, device=name)
        numbers.cpu()  # of some devices that torch can name, nothing comes back
    except (RuntimeError, AssertionError) as error:
        first_sentence = str(error).splitlines()[0].split(". ")[0]
        fail("device_failure", f"--device {name}: {first_sentence}")
    return numbers.device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="Hugging Face directory")
    parser.add_argument("--calibration", required=True, help="calibration sequences (safetensors)")
    parser.add_argument("--work", required=True, help="folder for what is done; Hessians take much of it")
    parser.add_argument("--output", required=True, help="packed file")
    parser.add_argument("--alpha", type=float, default=0.5, help="share of calibration tokens with an image")
    parser.add_argument(
        "--tokens",
        type=int,
        default=0,
        help="calibration tokens; 0 for all that every share allows, of a share of 0 or 1 all of its kind",
    )
    parser.add_argument(
        "--norm-clip",
        type=float,
        default=luq.DEFAULT_NORM_CLIP,
        help="tokens count in Hessians with at most this multiple of the median norm of their sequence; 0: as they are",
    )
    parser.add_argument("--clusters", type=int, default=100, help="clusters of the k-means")
    parser.add_argument("--low", default="trellis1.58:g0", help="recipe of the low layers: [TRANSFORM/]CODEC[/SEARCH]")
    parser.add_argument("--high", default="int4:g128:searched", help="recipe of the others")
    parser.add_argument("--order", default="lowest", help="lowest (entropy first), highest, depth or random:SEED")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--low-layers", type=int, help="layers on the low recipe")
    budget.add_argument("--bits", type=float, help="true bits a weight")
    budget.add_argument("--bytes", type=int, help="bytes of all linears")
    budget.add_argument("--saving", type=float, help="share of a uniform high decoder to save (default: 0.4)")
    parser.add_argument("--plan-file", help="also write the plan as JSON")
    parser.add_argument("--device", default="cpu", help="of torch, where layers run; searches are on the CPU")
    parser.add_argument("--threads", type=int, default=0, help="threads; 0 for all cores")
    options = parser.parse_args()
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    luq.set_threads(options.threads)
    if not options.norm_clip >= 0:
        fail("invalid_argument", f"--norm-clip: expected a number >= 0, got {options.norm_clip}")
    require_writable(options)

    torch.backends.cudnn.allow_tf32 = False  # on by default, for the convolution that patches go through
    model = VisionLanguageModel(options.model, usable_device(options.device))
    calibration = CalibrationSet(options.calibration)
    sequences = calibration.mix(options.alpha, options.tokens)
    budgets = {name: getattr(options, name) for name in ("low_layers", "bits", "bytes", "saving")}
    if all(value is None for value in budgets.values()):
        budgets["saving"] = 0.4

    def plan_under(entropies: list[float]) -> luq.Plan:
        name, order = luq.named_order(options.order, entropies)
        return luq.choose_plan(luq.PrefixPolicy(model.shape, order, options.low, options.high, name), **budgets)

    plan_under([0.0] * model.layers)  # so is an impossible budget
    statistics = {"norm_clip": options.norm_clip, "clusters": options.clusters}
    with ConsoleProgress() as progress:
        inputs = calibration_inputs(model, calibration, sequences, progress, **statistics)
        journal = Journal(options.work, inputs)
        entropies = calibrate(model, calibration, sequences, journal, progress, **statistics)
        plan = plan_under([layer["all"]["bits"] for layer in entropies])
        size = quantize_decoder(model, plan, journal, options.output, progress)
    if options.plan_file is not None:
        write_text_file(Path(options.plan_file), plan.to_json() + "\n")
    for layer, (entropy, recipe) in enumerate(zip(entropies, plan.recipes, strict=True)):
        print(f"layer {layer}: entropy {entropy['all']['bits']:.3f} bits, {recipe}, {plan.layer_bytes(layer)} bytes")
    for layer, linears in enumerate(dead_inputs(plan, journal)):
        for linear, count in linears.items():
            print(f"layer {layer}, {linear}: {count} inputs were zero for every token; their weights are now zero")
    print(f"{plan.reason}: {plan.bits:.3f} true bits a weight (nominally {plan.nominal_bits:.2f})")
    print(f"{options.output}: {size.file} bytes, of which decoder linears {size.linears}, other tensors {size.others}")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except (luq.Error, OSError) as error:
        # What standard output did not take, it would be given again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"quantize_vlm.py: {str(error).splitlines()[0]}")
