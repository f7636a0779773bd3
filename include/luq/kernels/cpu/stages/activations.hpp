// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Activations as integer kernels take them: columns in the order in which a packed matrix stores them, cut into runs,
// and each run of each token rounded to integers of -127 ... 127 with one scale, its greatest magnitude / 127.
//
// A run is a stretch of stored columns that lie in one group, have one column class, and are at most 256. The rounding
// error of an element is at most half a step, |x - scale q| <= scale / 2, so that of a product with a row w is at most
// sum_runs scale/2 sum |w|. Activations so small that their scale has no finite inverse become zero. A run that holds
// a NaN or an infinity gets scale NaN: the product is then NaN instead of a plausible number.
//
// Four tokens form a block, and the bytes of four neighbouring columns a quad, what one dot-product instruction takes:
//
//   block of 4 tokens  | quad 0: token 0 (4 bytes) | token 1 | token 2 | token 3 | quad 1: token 0 | ...
//
// A run starts and ends at a whole unit of packed words (unit_columns); bytes of columns outside the run are 0. If a
// border between two runs lies inside a unit, both runs store that unit.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>

#include "luq/codecs/detail/component_form.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/inline.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/kernels/cpu/lanes/integer_lanes.hpp"
#include "luq/kernels/cpu/planes/plane_lookups.hpp"
#include "luq/kernels/cpu/stages/scratch_array.hpp"
#include "luq/kernels/instruction_set.hpp"

namespace luq::detail {

/// Columns of a run at most.
inline constexpr index longest_run = 256;

/// Stored columns of a group that share an activation scale and a column class.
struct activation_run {
  index group;
  index first;  ///< stored columns first ... end-1 of the group
  index end;
  index unit_first;   ///< first, rounded down to a whole unit
  index quads;        ///< from unit_first to the end, rounded up to a whole unit
  index quad_offset;  ///< quads of the runs before
  int column_class;
};

/// Tokens that lie together.
inline constexpr index tokens_of_block = 4;

/// Calls function(count) with the number of tokens of a block, 1 ... tokens_of_block, as a constant.
template <class Function>
LUQ_ALWAYS_INLINE void with_token_count(index tokens, Function&& function) {
  static_assert(tokens_of_block == 4);
  switch (tokens) {
    case 1:
      return function(std::integral_constant<index, 1>());
    case 2:
      return function(std::integral_constant<index, 2>());
    case 3:
      return function(std::integral_constant<index, 3>());
    default:
      return function(std::integral_constant<index, 4>());
  }
}

/// Quantized activations [tokens x in] of one matrix, and what kernels need to find them. A view.
struct activation_view {
  index tokens = 0;
  index group = 0;                        ///< columns of a group of the matrix
  std::span<const activation_run> runs;   ///< in stored order
  std::span<const index> stored_columns;  ///< of the matrix
  index quads = 0;                        ///< of all runs of one token
  std::span<std::int8_t> bytes;           ///< blocks, see above
  std::span<std::uint8_t> tables;         ///< of one token, for plane_lookups.hpp; empty if not wanted
  std::span<float> scales;                ///< [tokens][runs]: of the integers, or the step of tables
  std::span<std::int32_t> sums;           ///< [tokens][runs]: of the integers
  std::span<float> exact_sums;            ///< [runs]: of the activations themselves, beside tables

  [[nodiscard]] LUQ_ALWAYS_INLINE index run_count() const { return static_cast<index>(runs.size()); }
  [[nodiscard]] LUQ_ALWAYS_INLINE index blocks() const { return (tokens + tokens_of_block - 1) / tokens_of_block; }
  [[nodiscard]] LUQ_ALWAYS_INLINE index tokens_in_block(index block) const {
    return (std::min)(tokens_of_block, tokens - block * tokens_of_block);
  }

  /// The quads of a run of a block, [quad][token of the block][4].
  [[nodiscard]] LUQ_ALWAYS_INLINE std::int8_t* block_quads(index block, const activation_run& run) const {
    return bytes.data() + (block * tokens_of_block * quads + run.quad_offset * tokens_in_block(block)) * 4;
  }
  /// Tables of a run, or null.
  [[nodiscard]] LUQ_ALWAYS_INLINE std::uint8_t* run_tables(const activation_run& run) const {
    return tables.empty() ? nullptr : tables.data() + detail::tables_bytes(run.quad_offset * 4);
  }
  /// Token t, stored column `place` of a run.
  [[nodiscard]] LUQ_ALWAYS_INLINE std::int8_t value(index t, const activation_run& run, index place) const {
    const index block = t / tokens_of_block;
    const index within = place - run.unit_first;
    return block_quads(block, run)[(within / 4 * tokens_in_block(block) + t % tokens_of_block) * 4 + within % 4];
  }
  [[nodiscard]] LUQ_ALWAYS_INLINE float scale(index t, index run) const {
    return scales[static_cast<std::size_t>(t * run_count() + run)];
  }
  [[nodiscard]] LUQ_ALWAYS_INLINE std::int32_t sum(index t, index run) const {
    return sums[static_cast<std::size_t>(t * run_count() + run)];
  }
};

/// The runs of a packed matrix, in stored order.
/// @tparam Tag  see scratch_array
template <class Tag>
class run_list {
 public:
  template <WeightCodec Codec>
  explicit run_list(const packed_matrix<Codec>& W) : runs_(most_runs(W)) {
    constexpr index unit = unit_columns<Codec>;
    static_assert(unit <= longest_run, "luq: whole words of all planes of the codec are longer than a run");
    constexpr index longest = longest_run / unit * unit;
    const auto& layout = W.layout();
    for (index g = 0; g < layout.groups(); ++g) {
      const index k = layout.columns_of(g);
      const index border = W.class_border(g);
      for (index first = 0; first < k;) {
        const index unit_first = first / unit * unit;
        const index end = (std::min)({unit_first + longest, first < border ? border : k, k});
        const index run_quads = (end - unit_first + unit - 1) / unit * (unit / 4);
        runs_.data()[count_++] = {g, first, end, unit_first, run_quads, quads_, first < border ? 1 : 0};
        quads_ += run_quads;
        first = end;
      }
    }
  }

  [[nodiscard]] std::span<const activation_run> all() const { return runs_.first(count_); }
  /// Quads of all runs of one token.
  [[nodiscard]] index quads() const { return quads_; }

 private:
  /// Bound of the number of runs: the border between column classes adds one to a group at most.
  template <WeightCodec Codec>
  [[nodiscard]] static index most_runs(const packed_matrix<Codec>& W) {
    constexpr index longest = longest_run - longest_run % unit_columns<Codec>;
    const index of_longest_group = (group_size(W.codec(), W.cols()) + longest - 1) / longest;
    return W.layout().groups() * (of_longest_group + column_class_count<Codec> - 1);
  }

  index count_ = 0;
  index quads_ = 0;
  scratch_array<activation_run, Tag> runs_;
};

/// Room for the quantized activations of some tokens. The matrix must outlive it.
/// @tparam Tag  see scratch_array
template <class Tag = default_arch>
class quantized_activations : public activation_view {
 public:
  /// @param with_tables  a single token gets tables beside quads
  template <WeightCodec Codec>
  quantized_activations(const packed_matrix<Codec>& W, index count, bool with_tables = false)
      : runs_(W),
        bytes_(count * runs_.quads() * 4),
        tables_(with_tables && count == 1 ? detail::tables_bytes(runs_.quads() * 4) : 0),
        scales_(count * static_cast<index>(runs_.all().size())),
        sums_(count * static_cast<index>(runs_.all().size())),
        exact_sums_(with_tables && count == 1 ? static_cast<index>(runs_.all().size()) : 0) {
    tokens = count;
    group = group_size(W.codec(), W.cols());
    runs = runs_.all();
    stored_columns = W.stored_columns();
    quads = runs_.quads();
    bytes = bytes_.all();
    tables = tables_.all();
    scales = scales_.all();
    sums = sums_.all();
    exact_sums = exact_sums_.all();
  }

 private:
  detail::run_list<Tag> runs_;
  detail::scratch_array<std::int8_t, Tag> bytes_;
  detail::scratch_array<std::uint8_t, Tag> tables_;
  detail::scratch_array<float, Tag> scales_;
  detail::scratch_array<std::int32_t, Tag> sums_;
  detail::scratch_array<float, Tag> exact_sums_;
};

/// Writes the scale of x[0 ... count), count whole vectors: the greatest magnitude / 127, or NaN if not all are finite.
/// Magnitudes are compared as integers, among which a NaN or an infinity is the greatest: comparisons of floats know no
/// NaN with -ffast-math, and a NaN that a function returns need not arrive.
template <class Arch>
void find_activation_scale(const float* x, index count, float& scale) {
  using lanes = integer_lanes<Arch>;
  const auto magnitude = lanes::broadcast(0x7fffffffu);
  auto largest = lanes::broadcast(0);
  for (index c = 0; c < count; c += lanes::lanes) {
    largest = lanes::greater_words(largest, lanes::bit_and(lanes::load(x + c), magnitude));
  }
  std::array<std::uint32_t, static_cast<std::size_t>(lanes::lanes)> each;
  lanes::store(each.data(), largest);
  std::uint32_t greatest = 0;
  for (const std::uint32_t one : each) greatest = (std::max)(greatest, one);
  constexpr std::uint32_t infinity = 0x7f800000u;
  constexpr std::uint32_t not_a_number = 0x7fc00000u;
  const std::uint32_t bits =
      greatest < infinity ? std::bit_cast<std::uint32_t>(std::bit_cast<float>(greatest) / 127.0f) : not_a_number;
  std::memcpy(&scale, &bits, sizeof scale);
}

/// Rounds x[0 ... count), count whole vectors, to integers; returns their sum.
template <class Arch>
std::int32_t round_activations(const float* x, index count, const float& scale, std::int8_t* q) {
  using lanes = integer_lanes<Arch>;
  const float factor = is_finite(scale) ? finite_inverse(scale) : 0.0f;
  if (factor == 0.0f) {
    std::memset(q, 0, static_cast<std::size_t>(count));
    return 0;
  }
  typename lanes::sums sums = lanes::zero();
  for (index c = 0; c < count; c += lanes::lanes) sums = lanes::add(sums, lanes::quantize(x + c, factor, q + c));
  return lanes::reduce_add(sums);
}

/// Fills the tables of a run of a single token.
/// @param x  of the quads of the run; 0 for columns outside of it
template <class Arch>
void tabulate_run(const activation_run& run, index run_number, const float* x, const activation_view& result) {
  using lanes = integer_lanes<Arch>;
  const auto i = static_cast<std::size_t>(run_number);
  const index columns = run.quads * 4;
  const float step = tabulate_sums<Arch>(x, columns, result.run_tables(run));
  if (is_finite(result.scales[i])) result.scales[i] = step;
  auto sum = lanes::broadcast_float(0.0f);
  for (index c = 0; c < columns; c += lanes::lanes) sum = sum + lanes::load_floats(x + c);
  std::array<float, static_cast<std::size_t>(lanes::lanes)> sums;
  lanes::store_floats(sums.data(), sum);
  result.exact_sums[i] = std::accumulate(sums.begin(), sums.end(), 0.0f);
}

/// Quantizes block `block` of X.
/// @param X       the first of all tokens; tokens are `stride` floats apart
/// @param result  scales, sums and bytes of the block's tokens are written
template <class Arch>
void quantize_block(const float* X, index stride, index block, const activation_view& result) noexcept {
  constexpr index lanes = integer_lanes<Arch>::lanes;
  const index tokens = result.tokens_in_block(block);
  const index run_count = result.run_count();
  alignas(64) std::array<float, static_cast<std::size_t>(longest_run)> padded;
  alignas(64) std::array<std::int8_t, static_cast<std::size_t>(longest_run)> q;
  for (index t = 0; t < tokens; ++t) {
    const index token = block * tokens_of_block + t;
    const float* x = X + token * stride;
    for (index i = 0; i < run_count; ++i) {
      const activation_run& run = result.runs[static_cast<std::size_t>(i)];
      const index first = run.group * result.group + run.first;
      const index columns = (run.quads * 4 + lanes - 1) / lanes * lanes;
      const bool is_ragged = run.end - run.unit_first != columns || run.first != run.unit_first;
      const float* values = x + first;
      if (is_ragged || !result.stored_columns.empty()) {
        const auto start = padded.begin() + (run.first - run.unit_first);
        const auto end = padded.begin() + (run.end - run.unit_first);
        std::fill(padded.begin(), start, 0.0f);
        if (result.stored_columns.empty()) {
          std::copy_n(values, run.end - run.first, start);
        } else {
          const index* column = result.stored_columns.data() + first;
          for (auto value = start; value != end; ++value) *value = x[*column++];
        }
        std::fill(end, padded.begin() + columns, 0.0f);
        values = padded.data();
      }
      const auto place = static_cast<std::size_t>(token * run_count + i);
      float& scale = result.scales[place];
      find_activation_scale<Arch>(values, columns, scale);
      result.sums[place] = round_activations<Arch>(values, columns, scale, q.data());
      std::int8_t* out = result.block_quads(block, run);
      if constexpr (integer_lanes<Arch>::has_table_of_64) {
        if (!result.tables.empty()) tabulate_run<Arch>(run, i, values, result);
      }
      if (tokens == 1) {
        std::memcpy(out, q.data(), static_cast<std::size_t>(run.quads * 4));
      } else {
        for (index quad = 0; quad < run.quads; ++quad) {
          std::memcpy(out + (quad * tokens + t) * 4, &q[static_cast<std::size_t>(quad * 4)], 4);
        }
      }
    }
  }
}

}  // namespace luq::detail
