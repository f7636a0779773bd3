// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Linears of a layer in one order, in which layers are compared.
#pragma once

#include "luq/core/compiled.hpp"
#include "luq/policy/model_shape.hpp"

namespace luq::detail {

/// Puts linears in ascending order of their names.
void sort_by_name(layer_shape& layer);

}  // namespace luq::detail

#ifndef LUQ_COMPILED
#include "luq/policy/impl/linears_by_name.hpp"
#endif
