// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Y = X W^T with quantized activations, row tile by row tile. With integer activations q = x / scale and the linear
// form w = a_0 + sum_i a_i v_i of a codec, the sums of q v_i over a run of columns are exact, and
//
//   y += scale * (a_0 sum q + sum_i a_i sum q v_i)
//
// A few tokens are multiplied straight from the packed words where that is faster (plane_product.hpp). More are
// multiplied with operands, decoded once for all (operand_decoder.hpp, token_block.hpp). From tokens_of_levels
// tokens on, codecs of several components are decoded to whole weights, each rounded to an integer of -127 ... 127
// times 1/127 of the greatest magnitude in its row and run: |error of a weight| <= greatest / 254. No other kernel
// rounds weights.
//
// Tiles are independent of each other, so that the result is the same bits however they are shared out.
#pragma once

#include <algorithm>

#include "luq/codecs/detail/component_form.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"
#include "luq/kernels/cpu/operands/operand_decoder.hpp"
#include "luq/kernels/cpu/operands/token_block.hpp"
#include "luq/kernels/cpu/planes/tile_parameters.hpp"
#include "luq/kernels/cpu/planes/tile_planes.hpp"
#include "luq/kernels/cpu/stages/activations.hpp"
#include "luq/kernels/cpu/stages/plane_product.hpp"
#include "luq/kernels/cpu/stages/product_arguments.hpp"
#include "luq/kernels/kernel_path.hpp"
#include "luq/kernels/matmul_options.hpp"

namespace luq::detail {

/// Tokens whose sums are kept at once; for more, the weights are decoded again. Sums of 64 rows and 128 tokens take
/// 32 KiB, so that they stay near; codes that follow one another take longer to decode than that saves.
template <class Codec>
inline constexpr index tokens_of_pass = SequenceCodec<Codec> ? 512 : 128;

/// Memory that the product of some row tiles needs beside its arguments, on any instruction set; rewritten freely.
/// @tparam Tag  see scratch_array
template <class Tag, class Codec>
[[nodiscard]] index integer_scratch_bytes(const packed_matrix<Codec>& W, index tokens) {
  const index sums = (std::min)(tokens, tokens_of_pass<Codec>)*tile_rows * static_cast<index>(sizeof(float));
  return sums + longest_run * tile_rows + full_tile_bytes(W.codec(), group_size(W.codec(), W.cols()));
}

/// One row tile after the other of a product.
template <class Arch, WeightCodec Codec>
class integer_product {
  using lanes = integer_lanes<Arch>;
  static constexpr int components = component_count<Codec>;
  static constexpr index pass = tokens_of_pass<Codec>;
  static constexpr bool has_levels = components > 1 && has_two_bit_planes<Codec> && !SequenceCodec<Codec>;

 public:
  /// @param scratch  integer_scratch_bytes() bytes, aligned to a cache line
  integer_product(const packed_view<Codec>& W, const activation_view& X, std::byte* scratch)
      : W_(W),
        X_(X),
        sums_(reinterpret_cast<float*>(scratch)),
        operands_(reinterpret_cast<std::uint8_t*>(sums_ + (std::min)(X.tokens, pass) * tile_rows)),
        padded_(reinterpret_cast<std::byte*>(operands_ + longest_run * tile_rows)) {}

  void multiply(index row_tile, const product_output& Y) {
    if constexpr (multiplies_planes<Codec>) {
      if (X_.tokens <= tokens_of_planes<Arch, Codec>) {
        return plane_product<Arch, Codec>(W_, X_, padded_).multiply(row_tile, Y);
      }
    }
    for (index first = 0; first < X_.tokens; first += pass) {
      const index count = (std::min)(pass, X_.tokens - first);
      std::memset(static_cast<void*>(sums_), 0, static_cast<std::size_t>(count * tile_rows) * sizeof(float));
      add_groups(row_tile, first / tokens_of_block, (first + count + tokens_of_block - 1) / tokens_of_block);
      write_sums<Arch>(sums_, row_tile, W_.layout().rows_of(row_tile), first, count, Y);
    }
  }

 private:
  /// Adds all groups of a row tile to the sums of the tokens of some blocks.
  void add_groups(index row_tile, index first_block, index end_block) {
    const auto& layout = W_.layout();
    const index h = layout.rows_of(row_tile);
    const std::byte* tile = W_.row_tile(row_tile);
    const activation_run* run = X_.runs.data();
    const activation_run* end_of_runs = run + X_.runs.size();
    const index groups = layout.groups();  // a division, which stores to the sums would have repeated
    for (index g = 0; g < groups; ++g) {
      const index k = layout.columns_of(g);
      const std::byte* full = full_tile<Arch>(W_.codec(), tile, h, k, padded_);
      const tile_planes<Codec> planes_of_tile(full, k);
      const tile_parameters<Arch, Codec> parameters(W_.codec(), full + layout.code_bytes(tile_rows, k));
      tile += layout.tile_bytes(h, k);
      const index most_runs = (k + longest_run - 1) / longest_run + column_class_count<Codec> - 1;
      const index operands_of_weight = multiplies_levels() ? 1 : components;
      upcoming_ = upcoming_weights<lanes>(full, layout.tile_bytes(tile_rows, k),
                                          most_runs * operands_of_weight * (end_block - first_block + 1));
      operand_decoder<Arch, Codec> decoder(planes_of_tile, k);
      for (; run != end_of_runs && run->group == g; ++run) {
        multiply_operands(decoder, parameters, *run, first_block, end_block);
      }
      upcoming_.request_rest();
    }
  }

  [[nodiscard]] bool multiplies_levels() const { return has_levels && X_.tokens >= tokens_of_levels; }

  /// Some blocks of tokens and one run, with decoded operands.
  void multiply_operands(operand_decoder<Arch, Codec>& decoder, const tile_parameters<Arch, Codec>& parameters,
                         const activation_run& run, index first_block, index end_block) {
    alignas(64) float a[components + 1][tile_rows];
    for (index r = 0; r < tile_rows; r += lanes::lanes) {
      const auto of_rows = parameters.coefficients(run.column_class, r);
      for (std::size_t i = 0; i < of_rows.size(); ++i) lanes::store_floats(a[i] + r, of_rows[i]);
    }
    if constexpr (has_levels) {
      if (multiplies_levels()) {
        alignas(64) float step[tile_rows];
        row_levels bytes;
        round_levels(a, step, bytes);
        upcoming_.request_share();
        decoder.levels_of_rows(bytes, run.unit_first, run.end, operands_);
        multiply_blocks<true>({step, nullptr, 128}, run, first_block, end_block);
        return;
      }
    }
    const auto largest_constant = [&] {
      auto largest = lanes::broadcast_float(0.0f);
      for (index r = 0; r < tile_rows; r += lanes::lanes) {
        largest = lanes::greater_magnitude(largest, lanes::load_floats(a[components] + r));
      }
      return lanes::reduce_max(largest);
    }();
    const float* constant = largest_constant == 0 ? nullptr : a[components];
    [&]<int... I>(std::integer_sequence<int, I...>) {
      ((upcoming_.request_share(), decoder.component(I, run.unit_first, run.end, operands_),
        multiply_blocks<(range_of_component<Codec>(I).width > 127)>(
            {a[I], I == 0 ? constant : nullptr, -range_of_component<Codec>(I).least}, run, first_block, end_block)),
       ...);
    }(std::make_integer_sequence<int, components>());
  }

  /// Levels of the four codes of each row in units of step = greatest / 127.
  void round_levels(const float (&a)[components + 1][tile_rows], float* step, row_levels& bytes) {
    for (index r = 0; r < tile_rows; r += lanes::lanes) {
      typename lanes::floats level[4];
      auto greatest = lanes::broadcast_float(0.0f);
      for (int q = 0; q < 4; ++q) {
        level[q] = lanes::load_floats(a[components] + r);
        for (int i = 0; i < components; ++i) {
          const auto value = static_cast<float>(Codec::component(static_cast<code>(q), i));
          level[q] = lanes::multiply_add(lanes::load_floats(a[i] + r), lanes::broadcast_float(value), level[q]);
        }
        greatest = lanes::greater_magnitude(greatest, level[q]);
      }
      lanes::store_floats(step + r, greatest * lanes::broadcast_float(1.0f / 127.0f));
      // All levels of a row may be 0; 127 / divisor must stay finite, for 0 times infinity is no level.
      const auto divisor = lanes::greater_magnitude(lanes::broadcast_float(1e-36f), greatest);
      const auto per_step = lanes::broadcast_float(127.0f) / divisor;
      auto packed = lanes::broadcast(0);
      for (int q = 0; q < 4; ++q) {
        const auto rounded = lanes::add(lanes::round(level[q] * per_step), lanes::broadcast_sum(128));
        packed = lanes::bit_or(packed, lanes::shift_left(lanes::as_words(rounded), 8 * q));
      }
      lanes::store(bytes.bytes.data() + r, packed);
    }
  }

  /// Adds the products of the decoded operands of a run.
  template <bool Wide>
  void multiply_blocks(const row_coefficients& rows, const activation_run& run, index first_block, index end_block) {
    const index run_number = &run - X_.runs.data();
    // Quads of a shared unit that hold no column of this run are left out.
    const index first_quad = (run.first - run.unit_first) / 4;
    const index quads = (run.end - run.unit_first + 3) / 4 - first_quad;
    const std::uint8_t* operands = operands_ + first_quad * tile_rows * 4;
    for (index block = first_block; block < end_block; ++block) {
      const index tokens = X_.tokens_in_block(block);
      const index place = block * tokens_of_block * X_.run_count() + run_number;
      const std::int8_t* x = X_.block_quads(block, run) + first_quad * tokens * 4;
      const float* scales = X_.scales.data() + place;
      const std::int32_t* x_sums = X_.sums.data() + place;
      float* sums = sums_ + (block - first_block) * tokens_of_block * tile_rows;
      upcoming_.request_share();
      with_token_count(tokens, [&](auto count) {
        multiply_token_block<Arch, count(), (Wide && lanes::widest_operand < 255)>(operands, x, quads, rows, scales,
                                                                                   x_sums, X_.run_count(), sums);
      });
    }
  }

  const packed_view<Codec>& W_;
  const activation_view& X_;
  float* sums_;             // [tokens of a pass][tile_rows]
  std::uint8_t* operands_;  // [columns of a run / 4][tile_rows][4]
  std::byte* padded_;       // a partial tile
  upcoming_weights<lanes> upcoming_;
};

}  // namespace luq::detail
