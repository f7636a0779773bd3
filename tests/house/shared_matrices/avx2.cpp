// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "matrices.hpp"

luq::matrix shared_matrices::twice(luq::matrix A) {
  luq::matrix result = 2 * A;
  A = luq::matrix();  // frees what the other unit allocated
  return result;
}
