// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "image.hpp"

#include <luq/core/all_finite.hpp>
#include <luq/core/assert.hpp>
#include <luq/core/error.hpp>

namespace vlm {

void encoded_images::append(const encoded_images& others) {
  LUQ_ASSERT(rows.rows() == 0 || (rows.cols() == others.rows.cols() && grids.empty() == others.grids.empty()));
  const luq::index before = rows.rows();
  rows.conservativeResize(before + others.rows.rows(), others.rows.cols());
  rows.bottomRows(others.rows.rows()) = others.rows;
  grids.insert(grids.end(), others.grids.begin(), others.grids.end());
}

void require_finite(std::span<const float> pixels) {
  if (!luq::all_finite(pixels.data(), static_cast<luq::index>(pixels.size()))) {
    luq::fail(luq::errc::non_finite, "image: expected finite values, got a NaN or an infinity");
  }
}

}  // namespace vlm
