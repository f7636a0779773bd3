// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How far a CUDA product may be from the exact one: what rounding of activations to levels allows, and rounding of the
// sums of floats.
#pragma once

#include <algorithm>
#include <cmath>
#include <luq/codecs/coded_matrix.hpp>
#include <luq/kernels/cuda/activation_bits.hpp>

namespace luq_test {

/// Weights, and the greatest terms that their codec's linear form can have.
struct weights_and_terms {
  luq::matrix W;      // [rows x cols]
  luq::matrix terms;  // [rows x cols]
};

template <class Codec>
[[nodiscard]] weights_and_terms weights_of(const luq::coded_matrix<Codec>& coded) {
  weights_and_terms result{luq::matrix(coded.rows(), coded.cols()), luq::matrix(coded.rows(), coded.cols())};
  const luq::index size = luq::group_size(coded.codec, coded.cols());
  for (luq::index c = 0; c < coded.cols(); ++c) {
    const luq::group_parameters& group = coded.groups[static_cast<std::size_t>(c / size)];
    const int column_class = group.class_of(c % size);
    for (luq::index r = 0; r < coded.rows(); ++r) {
      result.W(r, c) = luq::decode_weight(coded.codec, coded.codes(r, c), group.row(r), column_class);
      const auto a = luq::coefficients(coded.codec, group.row(r), column_class);
      float terms = std::abs(a.back());
      for (int i = 0; i < luq::component_count<Codec>; ++i) {
        terms += std::abs(a[static_cast<std::size_t>(i)]) * static_cast<float>(luq::levels<Codec>());
      }
      result.terms(r, c) = terms;
    }
  }
  return result;
}

/// X W^T + bias in double, [tokens x rows].
[[nodiscard]] inline luq::basic_matrix<double> exact_product(const luq::matrix& W, const luq::matrix& X,
                                                             const luq::matrix& bias) {
  const luq::basic_matrix<double> of_weights = X.cast<double>() * W.cast<double>().transpose();
  return of_weights.rowwise() + bias.row(0).cast<double>();
}

/// Half a step of every activation, and roundings of sums of floats.
template <luq::cuda::activation_bits Bits>
[[nodiscard]] double product_error_bound(const weights_and_terms& weights, const luq::matrix& X, luq::index group,
                                         luq::index row, luq::index token) {
  constexpr double greatest = Bits == luq::cuda::activation_bits::sixteen ? 127 * 256 + 127 : 127;
  double bound = 0;
  for (luq::index first = 0; first < X.cols(); first += group) {
    const luq::index k = std::min(group, X.cols() - first);
    const auto x = X.row(token).segment(first, k).cwiseAbs();
    bound += weights.W.row(row).segment(first, k).cwiseAbs().sum() * x.maxCoeff() * 0.5 / greatest;
    bound += weights.terms.row(row).segment(first, k).dot(x) * 1e-6;
  }
  return bound;
}

}  // namespace luq_test
