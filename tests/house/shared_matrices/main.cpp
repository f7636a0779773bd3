// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Units that are compiled for different instruction sets hand each other matrices that own memory, which one allocates
// and the other frees, in one way where all are compiled with the same EIGEN_MAX_ALIGN_BYTES.
#include <cstdio>

#include "matrices.hpp"

int main() {
  if (!__builtin_cpu_supports("avx2")) return 77;  // the exit status of a test that this machine cannot run
  luq::matrix sum = luq::matrix::Zero(40, 33);
  for (luq::index rows = 1; rows <= 40; ++rows) {
    luq::matrix made_here = luq::matrix::Constant(rows, 33, 1.0f);
    luq::matrix made_there = shared_matrices::twice(std::move(made_here));
    made_there.conservativeResize(rows + 1, 33);
    sum.topRows(rows) += made_there.topRows(rows);
  }
  const float expected = 2 * 33 * 40 * 41 / 2;
  if (sum.sum() != expected) std::fprintf(stderr, "expected %g, got %g\n", double{expected}, double{sum.sum()});
  return sum.sum() == expected ? 0 : 1;
}
