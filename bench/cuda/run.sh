#!/bin/sh
# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds, checks and times the CUDA kernels in one go, on a machine with nvcc and an NVIDIA GPU: their tests, the same
# under compute-sanitizer where that is installed, luq-vlm with its linears on the GPU beside the CPU, and the tables,
# which go to standard output and to build/cuda/bench-cuda.md. Without a GPU, tests say that they were skipped and
# nothing is timed.
set -eu
cd "$(dirname "$0")/../.."

cmake --preset cuda
cmake --build --preset cuda
ctest --preset cuda
if command -v compute-sanitizer >/dev/null 2>&1; then
  for tool in memcheck racecheck synccheck; do
    for test in kernels.cuda.matmul estimators.cuda.device_hessian estimators.cuda.kmeans_assignment; do
      compute-sanitizer --tool "$tool" --error-exitcode 1 "build/cuda/tests/test.$test"
    done
  done
else
  echo "run.sh: no compute-sanitizer on this machine" >&2
fi
build/cuda/bench/bench.cuda.matmul | tee build/cuda/bench-cuda.md
