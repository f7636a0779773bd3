# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""Questions for measuring a model, and the accuracy it reaches on them."""

import random
from collections import Counter

import torch
from questions import KIND_NAMES, KINDS, image_prefix, pad
from scenes import random_grid, render
from vocab import TOKEN_TO_ID, encode


def single_questions(pool, num_images, seed):
    """One question of every kind about each of `num_images` scenes.

    Returns a dictionary of
      input_ids    int64 [n, T], right-padded; the prompt ends at its "?"
      lengths      int64 [n]
      answers      int64 [n], the token that should come next
      kinds        int64 [n], an index into KIND_NAMES
      image_index  int64 [n]
      pixel_values float32 [num_images, 3, 24, 24]
    """
    rng = random.Random(seed)
    grids, prompts, answers, kinds, image_index = [], [], [], [], []
    while len(grids) < num_images:
        grid = random_grid(rng)
        turns = [KINDS[name](grid, rng) for name in KIND_NAMES]
        if None in turns:  # a scene without, say, two equal digits cannot have every kind
            continue
        for kind, (question, answer) in enumerate(turns):
            prompts.append(encode([*image_prefix(), *question, "?"]))
            answers.append(TOKEN_TO_ID[answer])
            kinds.append(kind)
            image_index.append(len(grids))
        grids.append(grid)
    return {
        "input_ids": torch.tensor(pad(prompts, max(map(len, prompts)))),
        "lengths": torch.tensor([len(ids) for ids in prompts]),
        "answers": torch.tensor(answers),
        "kinds": torch.tensor(kinds),
        "image_index": torch.tensor(image_index),
        "pixel_values": render(grids, pool, rng),
    }


@torch.no_grad()
def predict(model, questions, batch_size=256):
    """The most likely next token of each question, int64 [n]."""
    model.eval()
    predictions = []
    for start in range(0, len(questions["lengths"]), batch_size):
        part = slice(start, start + batch_size)
        lengths = questions["lengths"][part]
        logits = model(
            input_ids=questions["input_ids"][part],
            pixel_values=questions["pixel_values"][questions["image_index"][part]],
        ).logits
        predictions.append(logits[torch.arange(len(lengths)), lengths - 1].argmax(-1))
    return torch.cat(predictions)


def accuracy_table(questions, predictions):
    """Rows (kind, number of questions, accuracy, majority baseline), overall last.

    The baseline always gives the most frequent answer of the kind in question,
    which it may look up in the very questions it is measured on.
    """
    rows, right_total, majority_total = [], 0, 0
    for kind, name in enumerate(KIND_NAMES):
        chosen = questions["kinds"] == kind
        answers = questions["answers"][chosen]
        right = int((predictions[chosen] == answers).sum())
        majority = Counter(answers.tolist()).most_common(1)[0][1]
        rows.append((name, len(answers), right / len(answers), majority / len(answers)))
        right_total += right
        majority_total += majority
    total = len(questions["answers"])
    rows.append(("overall", total, right_total / total, majority_total / total))
    return rows


def format_table(rows):
    lines = [f"{'kind':<10} {'questions':>9} {'accuracy':>9} {'majority':>9}"]
    lines += [f"{name:<10} {n:>9} {acc:>9.1%} {base:>9.1%}" for name, n, acc, base in rows]
    return "\n".join(lines)
