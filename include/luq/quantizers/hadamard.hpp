// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Quantization after a random rotation of the inputs (hadamard_rotation.hpp), the incoherence processing of QuIP#
// (Tseng et al., ICML 2024, section 3) for any codec and any quantizer. Rotated weights are nearly Gaussian, which
// suits codecs with few values: no outlier stretches them. On the golden linears of the tests (synthetic, heavy-tailed,
// with outlier channels) gptq in activation order loses 2 to 4 times less output with it, for every codec from one to
// four bits. It does not help weights whose outliers the codec has a place for (billm_codec, whole salient columns),
// nor an odd number of inputs, and it costs n log n additions for every token: measure it (output_error.hpp).
//
// Not QuIP#: rows are not rotated, and codes are those of the given codec, not of the E8 lattice.
#pragma once

#include <memory>

#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/quantizers/quantizer.hpp"

namespace luq {

/// A rotation of the inputs by the signs of quantize_context::seed. Linears with the same inputs and seed share it, and
/// the factor of the rotated Hessian.
struct hadamard {
  index block = 0;  ///< columns that are mixed: a power of two that divides their number; 0 takes the largest such

  static constexpr bool is_shared = true;

  /// @throws luq::error invalid_argument for a block that does not fit
  template <class Codec, class Q>
  [[nodiscard]] shared_transform find(const linear_problem& problem, const Codec&, const Q&,
                                      const quantize_context& context) const {
    return std::make_shared<const hadamard_rotation>(problem.W.cols(),
                                                     rotation_options{.seed = context.seed, .block = block});
  }
};

}  // namespace luq
