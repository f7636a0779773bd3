# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Trains the tiny LLaVA from scratch, in the two stages LLaVA itself has.

Stage 1 trains the vision tower to tell what each patch shows and where it is.
Stage 2 freezes the tower and trains projector and decoder together on questions.

    python train.py --out run

writes run/model.pt and a log line every 100 steps; export.py turns the result
into the files under examples/data.
"""

import argparse
import math
import random
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from evaluate import accuracy_table, format_table, predict, single_questions
from model import tiny_model
from questions import MAX_LENGTH, NUM_PATCHES, multimodal_sequence, pad, text_sequence
from scenes import load_pools, random_grid, render

MULTIMODAL_SHARE = 0.75  # of the sequences of a batch; the others are text only


class Schedule:
    """Learning rate: linear warm-up, then a cosine to 2 % of the peak.

    The end is `steps` steps or `minutes` minutes away, whichever comes first, so
    that a slow machine still sees the whole decay.
    """

    def __init__(self, peak, warmup, steps, minutes=math.inf):
        self.peak, self.warmup, self.steps, self.minutes = peak, warmup, steps, minutes
        self.started = time.monotonic()

    def elapsed_minutes(self):
        return (time.monotonic() - self.started) / 60

    def progress(self, step):
        return max(step / self.steps, self.elapsed_minutes() / self.minutes)

    def rate(self, step):
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        return self.peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, self.progress(step)))))


def make_optimizer(parameters, weight_decay):
    """AdamW that decays matrices only: gains, biases and the like stay free."""
    parameters = list(parameters)
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
        fused=True,
    )


def optimize(loss, optimizer, rate):
    """One update at learning rate `rate`, with the gradient's norm clipped to 1."""
    parameters = []
    for group in optimizer.param_groups:
        group["lr"] = rate
        parameters += group["params"]
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


def patch_states(tower, images):
    """Patch states [2, n, 9, hidden] of the layer LLaVA reads and of the layer after it."""
    states = tower(images, output_hidden_states=True).hidden_states
    return torch.stack([states[-2][:, 1:], states[-1][:, 1:]])


def train_vision(model, pools, steps, batch_size=64):
    """Stage 1: from each patch's state, predict its digit and its place in the scene.

    The places are trivial to predict; they are asked for because classifying
    digits alone would give the tower no reason to keep them.  The linear heads
    are thrown away afterwards.
    """
    tower = model.model.vision_tower
    width = tower.config.hidden_size
    heads = torch.nn.ModuleList([torch.nn.Linear(width, 10 + NUM_PATCHES) for _ in range(2)])
    rng, generator = random.Random(1), torch.Generator().manual_seed(1)
    optimizer = make_optimizer([*tower.parameters(), *heads.parameters()], weight_decay=0.05)
    schedule = Schedule(peak=1e-3, warmup=100, steps=steps)
    places = torch.arange(NUM_PATCHES).repeat(batch_size)

    def classify(images):
        """Logits [2, n * 9, 19] of both layers."""
        states = patch_states(tower, images)
        return torch.stack([head(s).flatten(0, 1) for head, s in zip(heads, states, strict=True)])

    def accuracy(pool):
        """Share of the pool's digits recognised at the layer LLaVA reads."""
        repeated = list(pool.labels) * 4
        random.Random(2).shuffle(repeated)
        repeated = repeated[: len(repeated) // 9 * 9]
        grids = [repeated[i : i + 9] for i in range(0, len(repeated), 9)]
        tower.eval()
        with torch.no_grad():
            logits = classify(render(grids, pool, random.Random(3)))[0, :, :10]
        tower.train()
        return (logits.argmax(-1) == torch.tensor(grids).flatten()).float().mean().item()

    for step in range(steps):
        grids = [[rng.randrange(10) for _ in range(9)] for _ in range(batch_size)]
        digits = torch.tensor(grids).flatten()
        logits = classify(render(grids, pools["train"], rng, generator))
        loss = sum(
            F.cross_entropy(part[:, :10], digits, label_smoothing=0.05)
            + 0.2 * F.cross_entropy(part[:, 10:], places)
            for part in logits
        )
        optimize(loss, optimizer, schedule.rate(step))
        if (step + 1) % 500 == 0:
            print(
                f"vision step {step + 1:5d}  loss {loss.item():.4f}  "
                f"digits recognised: train {accuracy(pools['train']):.4f}, "
                f"calibration {accuracy(pools['calibration']):.4f}  "
                f"({schedule.elapsed_minutes():.1f} min)",
                flush=True,
            )


def make_batch(pool, batch_size, rng, generator):
    """A batch of packed sequences, multimodal ones first.

    Returns input_ids int64 [B, T], a mask bool [B, T] of the answer tokens, and
    pixel_values [M, 3, 24, 24] of the M multimodal sequences.
    """
    num_multimodal = round(batch_size * MULTIMODAL_SHARE)
    grids = [random_grid(rng) for _ in range(num_multimodal)]
    sequences = [multimodal_sequence(grid, rng) for grid in grids]
    sequences += [text_sequence(rng, random_grid) for _ in range(batch_size - num_multimodal)]
    is_answer = torch.zeros(batch_size, MAX_LENGTH, dtype=torch.bool)
    for i, (_, answers) in enumerate(sequences):
        is_answer[i, answers] = True
    input_ids = torch.tensor(pad([ids for ids, _ in sequences], MAX_LENGTH))
    return input_ids, is_answer, render(grids, pool, rng, generator)


def train_questions(model, pools, args):
    """Stage 2: the next token, where that token is an answer."""
    model.model.vision_tower.requires_grad_(False)
    # With bfloat16 products on a CPU, plain attention is far faster than the fused one.
    model.set_attn_implementation("eager")
    rng, generator = random.Random(4), torch.Generator().manual_seed(4)
    held_out = single_questions(pools["calibration"], num_images=40, seed=5)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = make_optimizer(trainable, weight_decay=0.05)
    schedule = Schedule(args.rate, warmup=300, steps=args.steps, minutes=args.minutes)
    num_multimodal = round(args.batch_size * MULTIMODAL_SHARE)
    model.train()
    step = 0
    while schedule.progress(step) < 1:
        input_ids, is_answer, images = make_batch(pools["train"], args.batch_size, rng, generator)
        # Padding is on the right and its loss is masked, so that causal attention
        # needs no padding mask.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(input_ids=input_ids, pixel_values=images).logits.float()
        predicting = is_answer[:, 1:]
        losses = F.cross_entropy(
            logits[:, :-1][predicting], input_ids[:, 1:][predicting], reduction="none"
        )
        optimize(losses.mean(), optimizer, schedule.rate(step))
        step += 1
        if step % 100 == 0:
            multimodal = predicting.nonzero()[:, 0] < num_multimodal
            losses = losses.detach()
            print(
                f"step {step:6d}  loss {losses.mean():.4f}  "
                f"multimodal {losses[multimodal].mean():.4f}  text {losses[~multimodal].mean():.4f}  "
                f"({schedule.elapsed_minutes():.1f} min)",
                flush=True,
            )
        if step % 500 == 0:
            save(model, args.out / "model.pt")
            rows = accuracy_table(held_out, predict(model, held_out))
            print("calibration digits: " + "  ".join(f"{r[0]} {r[2]:.3f}" for r in rows), flush=True)
            model.train()
    save(model, args.out / "model.pt")
    print(f"{step} steps in {schedule.elapsed_minutes():.1f} minutes")


def save(model, path):
    """Replaces the last checkpoint when the new one is whole."""
    temporary = path.with_suffix(".part")
    torch.save(model.state_dict(), temporary)
    temporary.replace(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--vision-steps", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=14000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="time limit of stage 2")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate of stage 2")
    parser.add_argument("--threads", type=int, default=1, help="matrices this small gain nothing from two")
    args = parser.parse_args()
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=args.out):  # found out before 45 minutes of work
            pass
    except OSError as error:
        parser.error(f"--out: {error}")
    if (args.out / "model.pt").is_dir():
        parser.error(f"--out: {args.out}/model.pt is a folder")
    torch.set_num_threads(args.threads)

    pools = load_pools()
    model = tiny_model(seed=0)
    train_vision(model, pools, args.vision_steps)
    train_questions(model, pools, args)

    test = single_questions(pools["test"], num_images=250, seed=6)
    print(format_table(accuracy_table(test, predict(model, test))))


if __name__ == "__main__":
    main()
