// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What luq_frontier measures of one codec, and the lists of codecs, one translation unit for each family.
#pragma once

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/openmp_executor.hpp"
#include "luq/quantizers/awq.hpp"
#include "luq/quantizers/beam_search.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize.hpp"
#include "luq/quantizers/refined.hpp"
#include "luq/quantizers/round_to_nearest.hpp"
#include "luq/quantizers/row_column.hpp"

namespace luq_bench {

using luq::matrix;

/// A linear and the Hessians of its inputs, in their own basis or after a rotation, which changes no output error.
struct linear {
  matrix W;
  matrix H;         ///< of all tokens
  matrix seen;      ///< of the first half
  matrix held_out;  ///< of the second half
  std::string basis;
  luq::index basis_bytes = 0;  ///< what is stored to restore the basis
};

/// One line of the table of weights.
struct weight_line {
  std::string name;
  double bits;
  double gauss;
  double laplace;
};

/// What is measured of every codec: a line for weights alone, or a line for each quantizer on a linear.
struct measurement {
  // Weights alone.
  matrix gauss;
  matrix laplace;
  std::vector<weight_line> lines;
  // A layer.
  const linear* layer = nullptr;
};

void measure_trellis_codecs(measurement& m);
void measure_binary_codecs(measurement& m);
void measure_ternary_codecs(measurement& m);
void measure_pair_codecs(measurement& m);
void measure_integer_codecs(measurement& m);
void measure_lloyd_codecs(measurement& m);

/// Bits a weight of a matrix with 4096 inputs and outputs, where scales of whole rows cost what they do in practice.
template <class Codec>
double bits_of_large_matrix(const Codec& codec) {
  constexpr luq::index size = 4096;
  return 8.0 * static_cast<double>(luq::packed_bytes(codec, size, size)) / static_cast<double>(size * size);
}

inline double relative_error(const matrix& W, const matrix& Q) {
  return (W - Q).cast<double>().squaredNorm() / W.cast<double>().squaredNorm();
}

/// A line of the table of a layer. `decoded_under(H)` quantizes the weights under H and returns the decoded ones;
/// `inputs_bytes` is what is stored for each input beside the packed matrix.
template <class Codec, class DecodedUnder>
void print_line(const linear& l, const Codec& codec, const char* how, luq::index inputs_bytes,
                DecodedUnder&& decoded_under) {
  const luq::index bytes = luq::packed_bytes(codec, l.W.rows(), l.W.cols()) + l.basis_bytes + inputs_bytes * l.W.cols();
  const double bits = 8.0 * static_cast<double>(bytes) / static_cast<double>(l.W.size());
  const double large_bits = bits_of_large_matrix(codec) + 8.0 * static_cast<double>(inputs_bytes) / 4096;
  std::printf("| %s | %s%s | %.3f | %.3f | %.4f | %.4f |\n", luq::codec_name(codec).c_str(), l.basis.c_str(), how, bits,
              large_bits, luq::relative_output_error(l.W, decoded_under(l.H), l.H),
              luq::relative_output_error(l.W, decoded_under(l.seen), l.held_out));
  std::fflush(stdout);
}

template <class Codec, class Quantizer>
void print_layer_line(const linear& l, const Codec& codec, const char* how, const Quantizer& quantizer) {
  print_line(l, codec, how, 0, [&](const matrix& H) {
    const luq::linear_inputs inputs = luq::linear_inputs::borrow(H);
    const luq::openmp_executor executor;
    return luq::quantize({l.W, inputs}, codec, quantizer, {.executor = executor}).packed.unpack().decode();
  });
}

/// AWQ's scales and those of rows and columns, before column feedback.
template <class Codec, class Quantizer>
void print_scaled_lines(const linear& l, const Codec& codec, const Quantizer& quantizer) {
  const auto print_scaled = [&](const char* how, const auto& scales) {
    print_line(l, codec, how, 2, [&](const matrix& H) {
      const luq::linear_inputs inputs = luq::linear_inputs::borrow(H);
      return luq::quantize({l.W, inputs}, scales, codec, quantizer).packed.unpack().decode();
    });
  };
  print_scaled("AWQ's scales, activation order", luq::awq{.by_rounding = false});
  print_scaled("scales of rows and columns, activation order", luq::row_column{});
}

template <class Codec>
void measure(measurement& m, const Codec& codec) {
  if (m.layer == nullptr) {
    const auto error = [&](const matrix& W) {
      const luq::openmp_executor executor;
      const auto result = luq::quantize(W, codec, luq::round_to_nearest{}, {.executor = executor});
      return relative_error(W, result.packed.unpack().decode());
    };
    m.lines.push_back({luq::codec_name(codec), bits_of_large_matrix(codec), error(m.gauss), error(m.laplace)});
    return;
  }
  const linear& l = *m.layer;
  print_layer_line(l, codec, "nearest", luq::round_to_nearest{});
  if constexpr (luq::column_class_count<Codec> > 1) print_layer_line(l, codec, "block rule, published", luq::billm{});
  if constexpr (luq::column_class_count<Codec> > 1 || luq::SequenceCodec<Codec>) {
    print_layer_line(l, codec, "block rule, exact", luq::billm{.compensation = luq::block_compensation::exact});
  }
  if constexpr (luq::MemorylessCodec<Codec>) {
    const luq::gptq activation{.order = luq::column_order::activation};
    print_layer_line(l, codec, "column feedback", luq::gptq{});
    print_layer_line(l, codec, "column feedback, activation order", activation);
    print_layer_line(l, codec, "column feedback, group-aware order",
                     luq::gptq{.order = luq::column_order::group_aware});
    print_scaled_lines(l, codec, activation);
    print_layer_line(l, codec, "refined", luq::refined<>{.start = activation});
  }
  print_layer_line(l, codec, "beam search", luq::beam_search{});
}

}  // namespace luq_bench
