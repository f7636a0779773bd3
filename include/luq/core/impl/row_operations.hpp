// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include "luq/core/detail/row_operations.hpp"

namespace luq::detail {

LUQ_INLINE void add_scaled(float* y, float factor, const float* x, index width) {
  Eigen::Map<Eigen::ArrayXf>(y, width) += factor * Eigen::Map<const Eigen::ArrayXf>(x, width);
}

}  // namespace luq::detail
