#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""luq's BiLLM against the published search written in PyTorch, on the same weights and the same processor.

Needs numpy and torch, and the program peer.billm (target of the same name, see README.md here).

    python3 bench/peers/billm.py build/bench/bench/peer.billm

The search is that of the paper (Huang et al., ICML 2024) as published code runs it: for each of 49 counts of salient
columns and each of 81 thresholds, masks are built, every masked part of the block is binarised by rows with means over
NaNs left out, and the error is taken over the whole block. Two times are compared: those of search and codes alone, and
those of the whole, with the Hessian's factor and the errors fed forward, where both spend the same on matrix products.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time

import numpy as np
import torch


def binarized(x, mask, order):
    """`order` rounds of mean +- mean absolute deviation, by rows, over the masked numbers."""
    total = torch.zeros_like(x)
    nothing = torch.tensor(float("nan"), dtype=x.dtype)
    for _ in range(order):
        residual = torch.where(mask, x - total, nothing)
        mean = torch.nan_to_num(torch.nanmean(residual, dim=1, keepdim=True))
        residual = residual - mean
        magnitude = torch.nan_to_num(torch.nanmean(residual.abs(), dim=1, keepdim=True))
        code = torch.nan_to_num(torch.sign(residual)) * magnitude + mean
        total = total + code * mask
    return total


def salient_columns(saliency, limit=50):
    order = torch.sort(saliency.abs().sum(dim=0), descending=True, stable=True).indices
    least, best = float("inf"), None
    for count in range(1, min(limit, saliency.shape[1])):
        mask = torch.zeros_like(saliency, dtype=torch.bool)
        mask[:, order[:count]] = True
        coded = binarized(saliency, mask, 2) + binarized(saliency, ~mask, 2)
        error = torch.mean((saliency - coded) ** 2).item()
        if error < least:
            least, best = error, mask
    return best


def split(saliency, salient):
    others = (saliency * ~salient).abs()
    least, best = float("inf"), None
    shares = np.linspace(0.10, 0.90, 81, dtype=np.float32)
    thresholds = np.quantile(others.flatten().numpy(), shares)
    for threshold in thresholds.astype(np.float32).tolist():
        small = (others < threshold) & ~salient
        large = (others >= threshold) & ~salient
        coded = binarized(saliency, small, 1) + binarized(saliency, large, 1) + saliency * salient
        error = torch.mean((saliency - coded) ** 2).item()
        if error < least:
            least, best = error, (small, large)
    return best


def quantized(W, U, block=128, blocks=None):
    """The weights, decoded, and the seconds of each block, without and with its error fed forward."""
    W = W.clone()
    Q = torch.zeros_like(W)
    seconds = []
    for first in range(0, W.shape[1], block):
        if blocks is not None and len(seconds) == blocks:
            break
        start = time.perf_counter()
        last = min(first + block, W.shape[1])
        part, factor = W[:, first:last], U[first:last, first:last]
        saliency = part ** 2 / torch.diag(factor) ** 2
        salient = salient_columns(saliency)
        small, large = split(saliency, salient)
        coded = binarized(part, small, 1) + binarized(part, large, 1) + binarized(part, salient, 2)
        search = time.perf_counter() - start
        Q[:, first:last] = coded
        W[:, last:] -= ((part - coded) / torch.diag(factor)) @ U[first:last, last:]
        seconds.append((search, time.perf_counter() - start))
    return Q, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="peer.billm")
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--columns", type=int, default=4096)
    parser.add_argument("--blocks", type=int, help="of 128 columns that PyTorch does; its time is scaled to all")
    parser.add_argument("--runs", type=int, default=3, help="of luq, of which the fastest counts")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    W = rng.standard_normal((options.rows, options.columns), dtype=np.float32) * 0.02
    X = rng.standard_normal((2 * options.columns, options.columns), dtype=np.float32)
    X *= np.exp(0.5 * rng.standard_normal(options.columns, dtype=np.float32))  # inputs of unequal size
    H = X.T @ X
    start = time.perf_counter()
    damped = torch.from_numpy(H) + 0.01 * np.diag(H).mean() * torch.eye(options.columns)
    U = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    factor_seconds = time.perf_counter() - start

    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("W.f32", "H.f32", "Q.f32")]
        W.tofile(paths[0])
        H.tofile(paths[1])
        output = subprocess.run([options.program, *paths, str(options.rows), str(options.columns), str(options.runs)],
                                check=True, capture_output=True, encoding="utf-8").stdout
        runs = [json.loads(line) for line in output.splitlines()]
        ours = [min(run[part] for run in runs) for part in ("search", "seconds")]
        Q = torch.from_numpy(np.fromfile(paths[2], dtype=np.float32).reshape(W.shape))

    all_blocks = -(-options.columns // 128)
    theirs, seconds = quantized(torch.from_numpy(W), U, blocks=options.blocks)
    done = 128 * len(seconds)
    peer = [sum(part) * all_blocks / len(seconds) for part in zip(*seconds, strict=True)]
    peer[1] += factor_seconds
    if len(seconds) < all_blocks:
        print(f"PyTorch's times are those of {len(seconds)} of {all_blocks} blocks, scaled")
    for name, mine, other in zip(("search and codes", "whole"), ours, peer, strict=True):
        print(f"{name:>16}: luq {mine:.3f} s (best of {len(runs)}), PyTorch {other:.3f} s "
              f"on {torch.get_num_threads()} threads: {other / mine:.1f} times as fast")
    # Errors travel from block to block, so one weight rounded the other way changes those after it.
    for name, columns in (("first block", slice(0, 128)), ("all that PyTorch did", slice(0, done))):
        ours_part, theirs_part = Q[:, columns], theirs[:, columns]
        close = (ours_part - theirs_part).abs() <= 1e-5 * theirs_part.abs().max()
        wrong = [((q - torch.from_numpy(W)[:, columns]) ** 2).mean().item() for q in (ours_part, theirs_part)]
        print(f"{name}: {100 * close.double().mean().item():.3f} % of the weights equal, "
              f"mean squared errors {wrong[0]:.6g} and {wrong[1]:.6g}")


if __name__ == "__main__":
    main()
