# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""luq's column feedback against the published algorithm in PyTorch, on one linear, on the same processor in one run.

The PyTorch side is GPTQ as its paper describes it (Frantar et al., ICLR 2023, algorithm 1): Cholesky factor, inverse,
Cholesky factor of the inverse, blocks of 128 columns, a loop over the columns of a block. Both sides quantize to 4 bits
with an fp16 scale and a zero point for each row and 128 columns, so that they should reach the same error.
"""
import argparse
import os
import subprocess
import tempfile
import time

import torch


def best_of(repeats, action):
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        result = action()
        best = min(best, time.perf_counter() - start)
    return 1e3 * best, result


def fit(w):
    """Scale and zero point of each row, the range extended to hold 0."""
    low = w.min(dim=1, keepdim=True).values.clamp(max=0)
    high = w.max(dim=1, keepdim=True).values.clamp(min=0)
    scale = ((high - low) / 15).half().float()
    return scale, torch.round(-low / scale).clamp(0, 15)


def gptq(W, H, group=128, damp=0.01):
    W, H = W.clone(), H.clone()
    columns = W.shape[1]
    H.diagonal().add_(damp * H.diagonal().mean())
    U = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(H)), upper=True)
    Q = torch.empty_like(W)
    for begin in range(0, columns, group):
        end = min(begin + group, columns)
        block = W[:, begin:end].clone()
        errors = torch.empty_like(block)
        coupling = U[begin:end, begin:end]
        scale, zero = fit(block)
        for j in range(end - begin):
            w = block[:, j : j + 1]
            q = scale * ((torch.round(w / scale) + zero).clamp(0, 15) - zero)
            Q[:, begin + j : begin + j + 1] = q
            error = (w - q) / coupling[j, j]
            block[:, j:] -= error * coupling[j : j + 1, j:]
            errors[:, j : j + 1] = error
        W[:, end:] -= errors @ U[begin:end, end:]
    return Q


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="luq's side, the target peer.gptq")
    parser.add_argument("--inputs", type=int, default=4096)
    parser.add_argument("--outputs", type=int, default=4096)
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()

    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    W = torch.randn(options.outputs, options.inputs)
    # Correlated inputs of different size, since on white ones there is nothing to feed back.
    X = torch.randn(options.tokens, 256) @ torch.randn(256, options.inputs) / 16
    X += 0.5 * torch.randn(options.tokens, options.inputs)

    square = torch.randn(2048, 2048)
    product, _ = best_of(5, lambda: square @ square)
    print(f"torch {torch.__version__}, {options.threads} threads: torch.mm {2 * 2048**3 / product / 1e6:.0f} Gflop/s")

    their_hessian, H = best_of(options.repeats, lambda: X.T @ X * (2 / options.tokens))
    their_gptq, Q = best_of(options.repeats, lambda: gptq(W, H))
    E = W - Q
    their_error = ((E @ H * E).sum() / (W @ H * W).sum()).item()

    with tempfile.TemporaryDirectory() as directory:
        W.numpy().tofile(os.path.join(directory, "W"))
        X.numpy().tofile(os.path.join(directory, "X"))
        sizes = [options.tokens, options.inputs, options.outputs, options.repeats + 1]
        answer = subprocess.run([options.program, directory] + [str(size) for size in sizes], check=True,
                                encoding="utf-8", stdout=subprocess.PIPE,
                                env={**os.environ, "OMP_NUM_THREADS": str(options.threads)})
    our_hessian, our_gptq, our_error = (float(word) for word in answer.stdout.split())

    print(f"{'':28}{'torch':>12}{'luq':>12}{'ratio':>8}")
    print(f"{'Hessian, ms':28}{their_hessian:12.1f}{our_hessian:12.1f}{their_hessian / our_hessian:8.2f}")
    print(f"{'GPTQ, ms':28}{their_gptq:12.1f}{our_gptq:12.1f}{their_gptq / our_gptq:8.2f}")
    print(f"{'relative output error':28}{their_error:12.6f}{our_error:12.6f}{their_error / our_error:8.2f}")


if __name__ == "__main__":
    main()
