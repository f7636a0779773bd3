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

# The same right answers, with linears on the GPU and without.
if nvidia-smi -L >/dev/null 2>&1; then
  luq_vlm=build/cuda/examples/vlm/luq-vlm
  packed=build/cuda/packed.safetensors
  "$luq_vlm" quantize --quiet --low sign:g128 --high int4:g128:searched --low-layers 4 --output "$packed"
  "$luq_vlm" evaluate --quiet --packed "$packed" | grep '^|' >build/cuda/answers-cpu.md
  "$luq_vlm" evaluate --quiet --packed "$packed" --device cuda | grep '^|' >build/cuda/answers-cuda.md
  cmp build/cuda/answers-cpu.md build/cuda/answers-cuda.md
fi
build/cuda/bench/bench.cuda.matmul | tee build/cuda/bench-cuda.md
