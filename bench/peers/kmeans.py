#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""luq's k-means against scikit-learn's KMeans on the same tokens, in turns.

Needs numpy and scikit-learn, and the program peer.kmeans (target of the same name, see README.md here).

    python3 bench/peers/kmeans.py build/bench/bench/peer.kmeans

Both run Lloyd's iterations from greedy k-means++ with as many trials, in float32, on all cores, from one start. Two
comparisons are made, because the rules of stopping differ (luq: an iteration lowers the inertia by less than a share
of it; scikit-learn: the centroids move by less than a share of the variance):

    each with its own rule and the default tolerance of both, 1e-4
    tolerance 0 and a number of iterations that neither ends early

The tokens are a mixture in a space of few dimensions plus noise, as the outputs of a layer are, or with --diffuse
normal numbers without clusters, where bounds on distances never help.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus


def tokens_of_a_mixture(tokens, width, rng):
    parts, rank = 300, 64
    part = rng.choice(parts, tokens, p=rng.dirichlet(np.full(parts, 0.5)))
    inner = rng.standard_normal((parts, rank))[part] + 0.7 * rng.standard_normal((tokens, rank))
    X = inner @ rng.standard_normal((rank, width)) / np.sqrt(rank)
    return np.ascontiguousarray(X + 0.5 * rng.standard_normal((tokens, width)), dtype=np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="peer.kmeans")
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--width", type=int, default=4096)
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=20, help="of the second comparison")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--diffuse", action="store_true", help="normal noise without clusters instead of a mixture")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    if options.diffuse:
        X = rng.standard_normal((options.tokens, options.width), dtype=np.float32)
    else:
        X = tokens_of_a_mixture(options.tokens, options.width, rng)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tokens.f32")
        X.tofile(path)

        def ours(iterations, tolerance):
            numbers = [options.tokens, options.width, options.clusters, iterations, tolerance, options.seeds]
            output = subprocess.run([options.program, path, *map(str, numbers)], check=True, capture_output=True,
                                    encoding="utf-8")
            return [json.loads(line) for line in output.stdout.splitlines()]

        compare(X, options, ours, "each with its own rule", 50, 1e-4)
        compare(X, options, ours, f"{options.iterations} iterations", options.iterations, 0.0)


def theirs(X, options, iterations, tolerance):
    results = []
    for seed in range(options.seeds):
        start = time.perf_counter()
        peer = KMeans(options.clusters, init="k-means++", n_init=1, max_iter=iterations, tol=tolerance,
                      algorithm="lloyd", random_state=seed).fit(X)
        results.append({"seconds": time.perf_counter() - start, "iterations": peer.n_iter_, "inertia": peer.inertia_})
    return results


def compare(X, options, ours, title, iterations, tolerance):
    print(f"{title}:")
    results = {"luq": ours(iterations, tolerance), "scikit-learn": theirs(X, options, iterations, tolerance)}
    for name, runs in results.items():
        for each in runs:
            print(f"{name:>14}  {each['seconds']:8.3f} s  {each['iterations']:3d} iterations  "
                  f"inertia {each['inertia']:.6g}")
    fastest = {name: min(each["seconds"] for each in runs) for name, runs in results.items()}
    inertia = {name: np.mean([each["inertia"] for each in runs]) for name, runs in results.items()}
    print(f"  luq is {fastest['scikit-learn'] / fastest['luq']:.2f} times as fast "
          f"(best of {options.seeds} seeds each), "
          f"mean inertia {100 * (inertia['luq'] / inertia['scikit-learn'] - 1):+.2f} %", flush=True)
    # Without the seeding: what the iterations alone add to it.
    seeding = {"luq": min(each["seconds"] for each in ours(0, 0.0))}
    start = time.perf_counter()
    centres, _ = kmeans_plusplus(X, options.clusters, random_state=0)
    seeding["scikit-learn"] = time.perf_counter() - start
    start = time.perf_counter()
    lloyd = KMeans(options.clusters, init=centres, n_init=1, max_iter=iterations, tol=tolerance,
                   algorithm="lloyd").fit(X)
    each = {"luq": (fastest["luq"] - seeding["luq"]) / min(results["luq"], key=lambda r: r["seconds"])["iterations"],
            "scikit-learn": (time.perf_counter() - start) / lloyd.n_iter_}
    for name in results:
        print(f"{name:>14}  seeding {seeding[name]:.3f} s, an iteration {1e3 * each[name]:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
