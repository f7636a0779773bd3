// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a codec is. A weight matrix W [rows x cols] is cut into column groups; within a group each row has a few
// parameters (scales, offsets), and each weight has a code in 0 ... levels-1. A codec is the whole knowledge of one
// such format: how parameters are fitted to a group, how one weight is encoded and decoded under them, how codes
// split into the symbols that are stored, and how many bytes parameters take. It holds only options and is cheap to
// copy. Which codes are *chosen* for the good of a layer's output is the business of a quantizer.
//
// In most formats any code can follow any other (MemorylessCodec). In a trellis the code of a column is a window over
// its own symbol and those of the columns before it, so only some codes can follow (SequenceCodec); one symbol is
// stored.
//
// Some formats let columns of a group differ in kind (BiLLM's salient columns). Such a codec has two column classes;
// the class of a column is shared by all rows and handed to encode and decode.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "luq/codecs/bit_packing.hpp"
#include "luq/core/error.hpp"
#include "luq/core/executor.hpp"
#include "luq/core/half.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"

namespace luq {

/// As the `group` option of a codec: one group spans the whole row.
inline constexpr index whole_row = 0;

/// Code of one weight, 0 ... code_count-1.
using code = std::uint16_t;

/// The parameters of one column group.
struct group_parameters {
  matrix values;  ///< [rows x Codec::parameter_count], each value exactly as the packed form restores it
  std::vector<std::uint8_t> column_class;  ///< class of each column; empty if the codec has only one class

  [[nodiscard]] const float* row(index r) const { return values.data() + r * values.cols(); }
  [[nodiscard]] int class_of(index column) const {
    return column_class.empty() ? 0 : column_class[static_cast<std::size_t>(column)];
  }
};

/// One column group, coded.
struct coded_group {
  group_parameters parameters;
  basic_matrix<code> codes;  ///< [rows x columns of the group]
};

namespace detail {

/// Reads the stored parameters of some rows of a group (see read_parameters below) into a matrix.
class parameter_reader {
 public:
  /// @param bytes   what pack_parameters wrote
  /// @param values  [rows x parameters], overwritten
  parameter_reader(std::span<const std::byte> bytes, mutable_matrix_view values) : bytes_(bytes), values_(values) {}

  template <class Stored>
  void scales(int count) {
    for (int end = next_ + count; next_ < end; ++next_) {
      for (index r = 0; r < values_.rows(); ++r) {
        Stored stored;
        std::memcpy(&stored, bytes_.data(), sizeof(Stored));
        bytes_ = bytes_.subspan(sizeof(Stored));
        values_(r, next_) = static_cast<float>(stored);
      }
    }
  }

  template <unsigned Bits>
  void bit_packed() {
    for (index r = 0; r < values_.rows(); ++r) values_(r, next_) = bit_packed_at(bytes_, r, Bits);
    bytes_ = bytes_.subspan(static_cast<std::size_t>(bit_packed_bytes(values_.rows(), Bits)));
    ++next_;
  }

  void constant(float value) { values_.col(next_++).setConstant(value); }

 private:
  std::span<const std::byte> bytes_;
  mutable_matrix_view values_;
  int next_ = 0;
};

}  // namespace detail

/// Requirements, in the order in which data meets them:
///  - `group`: columns that share parameters, >= 1, or `whole_row`; `name()`: unique text form of all options.
///  - `fit(W, importance)`: parameters of the group W [rows x columns]. `importance` has one weight >= 0 per column
///    for the squared error of that column (a Hessian's view of it), or is empty for equal weights. All zero weights,
///    all zero importance and a single column are valid input. Non-finite input is a caller's bug.
///  - `decode(code, parameters, column_class)`: the weight.
///  - `planes`: radices of the symbols of a code, lowest first: code = s0 + planes[0] * (s1 + planes[1] * ...);
///    each is 2, 3, 4, 16 or 256 (tile_layout.hpp stores 8, 5, 4, 2 or 1 such symbols in a byte).
///  - `parameter_bytes(rows)`, `pack_parameters(values, bytes)`: storage of a group's parameters for up to `tile_rows`
///    rows. `read_parameters(reader)` says how they are stored, parameter by parameter: `reader.scales<Stored>(count)`,
///    the next `count` are rows of Stored; `reader.bit_packed<Bits>()`, the next is one gapless stream of integers;
///    `reader.constant(value)`, the next is not stored. Read, they are exactly the values that fit() returned.
///  - the linear form of integer kernels: w = coefficients[components] + sum_i coefficients[i] * component(code, i),
///    component a small integer, |component| <= 255; equal to decode() within float rounding. coefficients() takes
///    parameters of any type of number: float, or a vector of them.
///  - `scale_count`, `scale_basis(code, parameters, column_class)`, `store_scales(scales, parameters)`: the
///    decoded value is linear in the first scale_count parameters, w = sum_i parameters[i] * basis[i]; store_scales()
///    puts rounded new ones in their place, or returns false and changes nothing where storage cannot hold them or
///    encode() would not find the nearest value under them.
/// A codec is also a MemorylessCodec or a SequenceCodec, and may have `code_group(W, importance)`, where a group is
/// coded other than weight by weight. Where the rows of a group are not independent, so that quantizers cannot cut it,
/// fit() and code_group() may take an executor as a third argument.
template <class C>
concept WeightCodec = std::copy_constructible<C> && std::equality_comparable<C> &&
    requires(const C codec, const matrix_view& W, std::span<const float> importance, const float* parameters,
             int column_class, code q, index rows, std::span<std::byte> bytes, detail::parameter_reader& reader, std::array<float, static_cast<std::size_t>(C::scale_count)> scales,
             float* mutable_parameters) {
  { codec.group } -> std::convertible_to<index>;
  { codec.name() } -> std::same_as<std::string>;
  { C::parameter_count } -> std::convertible_to<int>;
  { C::column_classes } -> std::convertible_to<int>;
  { C::planes.size() } -> std::convertible_to<std::size_t>;
  { codec.fit(W, importance) } -> std::same_as<group_parameters>;
  { codec.decode(q, parameters, column_class) } -> std::same_as<float>;
  { codec.parameter_bytes(rows) } -> std::same_as<index>;
  codec.pack_parameters(W, bytes);
  codec.read_parameters(reader);
  { codec.bytes(rows, rows) } -> std::same_as<index>;
  { C::components } -> std::convertible_to<int>;
  { C::component(q, 0) } -> std::same_as<int>;
  { codec.coefficients(parameters, column_class) } -> std::same_as<std::array<float, C::components + 1>>;
  { codec.scale_basis(q, parameters, column_class) } -> std::same_as<decltype(scales)>;
  { codec.store_scales(scales, mutable_parameters) } -> std::same_as<bool>;
};

/// `encode(w, parameters, column_class)`: the code whose decoded value is nearest to the finite w.
template <class C>
concept MemorylessCodec = WeightCodec<C> &&
    requires(const C codec, float w, const float* parameters, int column_class) {
  { codec.encode(w, parameters, column_class) } -> std::same_as<code>;
};

/// `next(previous, symbol)`: the code of a column whose stored symbol is `symbol`, 0 ... levels-1, and whose left
/// neighbour has the code `previous`; the first column of a group follows code 0. A code has code % levels as its
/// symbol and forgets: after `window` symbols nothing is left of the codes before. `code_group` is required.
template <class C>
concept SequenceCodec = WeightCodec<C> &&
    requires(const C codec, const matrix_view& W, std::span<const float> importance, code previous, int symbol) {
  { C::next(previous, symbol) } -> std::same_as<code>;
  { C::window } -> std::convertible_to<int>;
  { C::code_count } -> std::convertible_to<int>;
  { codec.code_group(W, importance) } -> std::same_as<coded_group>;
};

/// Number of symbols of a codec: what is stored of a code.
template <WeightCodec Codec>
[[nodiscard]] constexpr int levels() noexcept {
  int product = 1;
  for (const auto radix : Codec::planes) product *= static_cast<int>(radix);
  return product;
}

/// Number of codes: levels(), or more where a code remembers symbols before its own.
template <WeightCodec Codec>
[[nodiscard]] constexpr int code_count() noexcept {
  if constexpr (SequenceCodec<Codec>) {
    return Codec::code_count;
  } else {
    return levels<Codec>();
  }
}

/// Columns of a group of `codec` in a matrix of `cols` columns (the last group may be shorter).
template <class Codec>
[[nodiscard]] index group_size(const Codec& codec, index cols) {
  return codec.group == whole_row || codec.group > cols ? cols : codec.group;
}

/// Codes one group for itself, without regard to other groups.
template <WeightCodec Codec>
[[nodiscard]] coded_group code_group(const Codec& codec, const matrix_view& W, std::span<const float> importance,
                                     [[maybe_unused]] executor_ref executor = {}) {
  if constexpr (requires { codec.code_group(W, importance, executor); }) {
    return codec.code_group(W, importance, executor);
  } else if constexpr (requires { codec.code_group(W, importance); }) {
    return codec.code_group(W, importance);
  } else {
    coded_group result{codec.fit(W, importance), basic_matrix<code>(W.rows(), W.cols())};
    for (index r = 0; r < W.rows(); ++r) {
      for (index c = 0; c < W.cols(); ++c) result.codes(r, c) = codec.encode(W(r, c), result.parameters.row(r), 0);
    }
    return result;
  }
}

namespace detail {

/// Part of a codec's name: fp16 scales go without saying.
template <class Scale>
[[nodiscard]] std::string scale_suffix() {
  static_assert(std::same_as<Scale, half> || std::same_as<Scale, float>, "scales are stored as luq::half or float");
  return std::same_as<Scale, half> ? "" : ":f32";
}

/// Rounds scales to their storage type. Returns false, with nothing written, if one does not fit it.
template <class Stored, std::size_t Count>
[[nodiscard]] bool store_rounded(const std::array<float, Count>& scales, float* parameters) {
  std::array<float, Count> rounded;
  for (std::size_t i = 0; i < Count; ++i) {
    rounded[i] = static_cast<float>(static_cast<Stored>(scales[i]));
    if (!is_finite(rounded[i])) return false;
  }
  std::copy(rounded.begin(), rounded.end(), parameters);
  return true;
}

/// A parameter as storage restores it. A magnitude that the storage type cannot hold is bad data, never an infinity.
template <class Stored>
[[nodiscard]] float stored_value(float value) {
  const auto result = static_cast<float>(static_cast<Stored>(value));
  if (!is_finite(result)) {
    fail(errc::non_finite, "codec parameter ", value, " does not fit its ", 8 * sizeof(Stored), "-bit storage type");
  }
  return result;
}

/// Fits each row by itself: `fit_row(w, importance, parameters)` writes Codec::parameter_count values.
/// An importance of all zeros says nothing about the columns and is treated as equal weights.
template <class Codec, class FitRow>
[[nodiscard]] group_parameters fit_rows(const matrix_view& W, std::span<const float> importance, FitRow&& fit_row) {
  LUQ_ASSERT(importance.empty() || static_cast<index>(importance.size()) == W.cols());
  std::vector<float> weights(importance.begin(), importance.end());
  if ((Eigen::Map<const Eigen::ArrayXf>(weights.data(), static_cast<index>(weights.size())) <= 0.0f).all()) {
    weights.assign(static_cast<std::size_t>(W.cols()), 1.0f);
  }
  group_parameters result{matrix(W.rows(), Codec::parameter_count), {}};
  for (index r = 0; r < W.rows(); ++r) {
    fit_row(std::span<const float>(W.row(r).data(), static_cast<std::size_t>(W.cols())),
            std::span<const float>(weights), result.values.row(r).data());
  }
  return result;
}

/// Stores `values` [rows x count] as `Stored`, parameter by parameter, so that equal parameters of neighbouring rows
/// are one vector load.
template <class Stored>
void pack_scales(const matrix_view& values, std::span<std::byte> bytes) {
  LUQ_ASSERT(bytes.size() == static_cast<std::size_t>(values.size()) * sizeof(Stored));
  std::byte* out = bytes.data();
  for (index p = 0; p < values.cols(); ++p) {
    for (index r = 0; r < values.rows(); ++r, out += sizeof(Stored)) {
      const auto stored = static_cast<Stored>(values(r, p));
      std::memcpy(out, &stored, sizeof(Stored));
    }
  }
}

}  // namespace detail
}  // namespace luq
