// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Makes a square matrix symmetric in its own memory, by tiles that fit the first cache: rows of one side of the
// diagonal are columns of the other, and a plain loop would fetch a cache line for each entry.
#pragma once

#include "luq/core/compiled.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// Copies the strictly lower triangle of the square A to the strictly upper one.
void mirror_lower(mutable_matrix_view A);

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/core/impl/mirror.hpp"
#endif
