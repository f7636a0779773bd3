// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How sums over the symbols of planes become outputs.
//
// T_p = sum_c symbol_p x_c, over the columns c of a chunk, is the sum of plane p. If a component needs the product of
// two planes of bits, T_01 = sum_c symbol_0 symbol_1 x_c is their sum. These are the sources of an output y:
//
//   y += A_0 X + sum_p A_p T_p + A_01 T_01        X = sum_c x_c
//
// A follows from the codec's coefficients and the forms of its components (component_form.hpp).
#pragma once

#include <cstddef>

#include "luq/kernels/cuda/detail/warp/warp.cuh"
#include "luq/kernels/cuda/plane_codec.hpp"

namespace luq::cuda::detail {

/// The coefficients A of one row and group.
template <PlaneCodec Codec>
struct plane_coefficients {
  static constexpr int planes = static_cast<int>(Codec::planes.size());
  static constexpr bool has_product = luq::detail::has_symbol_products<Codec>;
  static constexpr int sources = planes + (has_product ? 1 : 0);

  float of_sum;              ///< A_0
  float of_source[sources];  ///< A_p, then A_01

  /// @param parameters  of one row and group
  LUQ_DEVICE_CODE plane_coefficients(const Codec& codec, const float* parameters, int column_class) {
    const auto a = luq::coefficients(codec, parameters, column_class);
    of_sum = a[component_count<Codec>];
    unrolled<component_count<Codec>>([&](auto i) {
      constexpr auto form = luq::detail::form_of_component<Codec>(i);
      if constexpr (form.offset != 0) of_sum += a[i] * static_cast<float>(form.offset);
      unrolled<sources>([&](auto s) {
        constexpr int factor = factor_of(i, s);
        if constexpr (factor == 0) return;
        of_source[s] =
            is_first(i, s) ? a[i] * static_cast<float>(factor) : of_source[s] + a[i] * static_cast<float>(factor);
      });
    });
  }

 private:
  /// The factor of source s in component i.
  static constexpr int factor_of(int i, int s) {
    const auto form = luq::detail::form_of_component<Codec>(i);
    return s < planes ? form.factor[static_cast<std::size_t>(s)] : form.product;
  }
  /// Whether no component before i has source s. Every source is in some component.
  static constexpr bool is_first(int i, int s) {
    for (int before = 0; before < i; ++before) {
      if (factor_of(before, s) != 0) return false;
    }
    return true;
  }
};

/// Tiles of columns that a warp computes at most: registers have room for that many sums of each source.
template <PlaneCodec Codec>
inline constexpr int most_tiles = plane_coefficients<Codec>::sources == 1 ? 4 : 2;

}  // namespace luq::cuda::detail
