// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The measurements of product_measurements.hpp for luq's own packed matrices.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "huge_pages.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/kernels/any_matmul.hpp"
#include "product_cases.hpp"
#include "product_measurements.hpp"
#include "random_codes.hpp"

namespace luq_bench {

/// A codec and how activations are taken.
struct packed_product {
  std::string codec;
  luq::activation_mode activations = luq::activation_mode::int8;
  std::string activations_name = "int8";

  /// Last part of the measurement's name; int8 is the rule and not said.
  [[nodiscard]] std::string details(int threads) const {
    return (activations_name == "int8" ? "" : "activations:" + activations_name + "/") +
           "threads:" + std::to_string(threads);
  }
};

/// Matrices of random weights of one codec and shape, at least `footprint` bytes in all, at least one.
class packed_weights {
 public:
  packed_weights(const std::string& codec, const matrix_shape& shape, std::size_t footprint) {
    std::visit(
        [&](const auto& chosen) {
          using packed = luq::packed_matrix<std::decay_t<decltype(chosen)>>;
          const packed original = random_packed_matrix(chosen, shape.out, shape.in);
          const std::size_t bytes = original.bytes().size();
          for (auto& copy : copies_in_huge_pages(original.bytes(), footprint / bytes + 1)) {
            matrices_.push_back(packed(chosen, shape.out, shape.in, std::move(copy)));
          }
        },
        luq::parse_codec(codec));
  }

  [[nodiscard]] const luq::any_packed_matrix& operator[](std::size_t i) const { return matrices_[i]; }

  [[nodiscard]] std::vector<std::span<const std::byte>> buffers() const {
    std::vector<std::span<const std::byte>> result;
    for (const luq::any_packed_matrix& matrix : matrices_) result.push_back(luq::bytes_of(matrix));
    return result;
  }

 private:
  std::vector<luq::any_packed_matrix> matrices_;
};

/// The weights of the last measurement again if they are the same, else new ones. One set at a time is kept: it may be
/// most of the memory.
inline const packed_weights& packed_weights_of(const std::string& codec, const matrix_shape& shape,
                                               std::size_t footprint) {
  static std::unique_ptr<packed_weights> last;
  static std::string last_key;
  const std::string key = codec + "/" + shape.name() + "/" + std::to_string(footprint);
  if (key != last_key) {
    last.reset();
    last = std::make_unique<packed_weights>(codec, shape, footprint);
    last_key = key;
  }
  return *last;
}

/// Activations for products with packed weights, and room for the results.
class packed_multiplication {
 public:
  packed_multiplication(const packed_weights& weights, const packed_product& product, const matrix_shape& shape,
                        luq::index tokens, const luq::openmp_executor& executor)
      : weights_(weights),
        options_{.activations = product.activations},
        executor_(executor),
        X_(luq::random_normal_matrix(tokens, shape.in, luq::counter_rng(1))),
        Y_(tokens, shape.out) {}

  void operator()(std::size_t i) {
    luq::matmul(weights_[i], X_, Y_, options_, executor_);
    const float* first = Y_.data();
    benchmark::DoNotOptimize(first);
    benchmark::ClobberMemory();
  }

 private:
  const packed_weights& weights_;
  luq::matmul_options options_;
  luq::openmp_executor executor_;
  luq::matrix X_;
  luq::matrix Y_;
};

/// One token with a rotation of matrices of `footprint` bytes, or 0 for a single one.
inline void register_packed_decode(const std::string& what, const packed_product& product, const matrix_shape& shape,
                                   std::size_t footprint, int threads) {
  register_measured_once(product_name(what, product.codec, shape, product.details(threads)),
                         [=](benchmark::State& state) {
                           const luq::openmp_executor executor{threads};
                           const packed_weights& weights = packed_weights_of(product.codec, shape, footprint);
                           weight_rotation rotation(shape, weights.buffers());
                           packed_multiplication multiply(weights, product, shape, 1, executor);
                           measure_decode(state, rotation, executor, multiply);
                         });
}

inline void register_packed_prefill(const packed_product& product, const matrix_shape& shape, std::size_t footprint,
                                    int tokens, int threads) {
  const std::string details = "tokens:" + std::to_string(tokens) + "/" + product.details(threads);
  register_measured_once(product_name("prefill", product.codec, shape, details), [=](benchmark::State& state) {
    const luq::openmp_executor executor{threads};
    const packed_weights& weights = packed_weights_of(product.codec, shape, footprint);
    weight_rotation rotation(shape, weights.buffers());
    packed_multiplication multiply(weights, product, shape, tokens, executor);
    packed_multiplication multiply_one(weights, product, shape, 1, executor);
    measure_prefill(state, rotation, tokens, executor, multiply, multiply_one);
  });
}

/// Decode and prefill of every case, streamed.
inline void register_packed_products(const packed_product& product, bool prefill_of_all_shapes) {
  const std::size_t footprint = streamed_footprint();
  for_each_case(
      prefill_of_all_shapes,
      [&](const matrix_shape& shape, int threads) {
        register_packed_decode("decode", product, shape, footprint, threads);
      },
      [&](const matrix_shape& shape, int tokens, int threads) {
        register_packed_prefill(product, shape, footprint, tokens, threads);
      });
}

}  // namespace luq_bench
