// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A strict reader of safetensors files (https://github.com/huggingface/safetensors):
//
//   | u64 N, little-endian | N bytes of JSON, right-padded with spaces | data of the tensors, back to back |
//
//   {"__metadata__": {"key": "text", ...}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//
// It is at least as strict as the reference implementation, and stricter where that one is lenient: duplicate keys,
// unknown keys in an entry, integers beyond 2^53 - 1, control characters in names, empty names, and more tensors or
// extents than safetensors_limits allows are errors. The checks are listed in detail/safetensors_header.hpp.
//
// One exception: an element type that is not in the list of tensor_info.hpp is an error only for whoever reads that
// tensor. The list grows, and a file may hold one exotic tensor that nobody asks for. Its entry can be inspected.
//
// Data need not be aligned, as old files are not; elements are therefore copied out, never pointed at.
//
// Not a writer (safetensors_writer.hpp), and not for models in several files (checkpoint.hpp).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "luq/core/matrix_view.hpp"
#include "luq/io/files/detail/input_file.hpp"
#include "luq/io/safetensors/detail/safetensors_header.hpp"
#include "luq/io/safetensors/safetensors_limits.hpp"
#include "luq/io/tensors/detail/tensor_conversion.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

/// How elements become floats.
struct float_read_options {
  bool require_finite = false;  ///< throw non_finite at the first NaN or infinity; default as stored
};

/// One safetensors file, or its bytes in memory. Everything is checked on construction; reading a tensor then fails
/// only for the tensor's own reasons, or because the file is changed meanwhile.
///
/// Reading is const and may be done from several threads at once. Move-only.
class safetensors_reader {
 public:
  /// Maps a file into memory.
  /// @throws luq::error io_failure if it cannot be opened or is not a regular file, corrupt_file if it violates the
  ///   format, unsupported if it is beyond the limits
  explicit safetensors_reader(const std::filesystem::path& path, const safetensors_limits& limits = {});

  /// Reads a file that is already in memory, which must outlive the reader.
  /// @param source  names the bytes in messages
  safetensors_reader(std::span<const std::byte> file, std::string source, const safetensors_limits& limits = {});

  safetensors_reader(safetensors_reader&&) noexcept = default;
  safetensors_reader& operator=(safetensors_reader&&) noexcept = default;

  /// The path, or the name given to the bytes.
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

  /// Size of the file in bytes.
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return bytes_.size(); }

  /// Bytes before the first tensor's data: the length field and the header.
  [[nodiscard]] std::uint64_t header_bytes() const noexcept { return header_.data_begin; }

  [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept { return header_.metadata; }

  /// The entries in the order of their data.
  [[nodiscard]] const std::vector<tensor_info>& tensors() const noexcept { return header_.tensors; }

  /// The names in ascending byte order.
  [[nodiscard]] std::vector<std::string> names() const;

  [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }

  /// @throws luq::error invalid_argument if there is no such tensor
  [[nodiscard]] const tensor_info& info(std::string_view name) const;

  [[nodiscard]] const std::vector<index>& shape(std::string_view name) const { return info(name).shape; }

  /// The data as stored: little-endian, of any alignment, valid as long as the reader.
  /// @throws luq::error invalid_argument if there is no such tensor, unsupported if its type is unknown, io_failure if
  ///   the file's size has changed
  [[nodiscard]] std::span<const std::byte> bytes(std::string_view name) const { return bytes_of(known_tensor(name)); }

  /// The elements, row-major, of a tensor of type F16, BF16, F32 (exact) or F64 (rounded to nearest).
  /// @throws luq::error as bytes(); unsupported if the type is another one or a finite F64 is beyond float; non_finite
  ///   on demand
  [[nodiscard]] std::vector<float> read_floats(std::string_view name, const float_read_options& options = {}) const;

  /// As read_floats, into memory of the caller.
  /// @throws luq::error shape_mismatch unless `target` has as many elements as the tensor
  void read_floats_into(std::string_view name, std::span<float> target, const float_read_options& options = {}) const;

  /// As read_floats, shaped: a matrix as it is, a vector as one row, a scalar as [1 x 1].
  /// @throws luq::error shape_mismatch if the tensor has more than two axes
  [[nodiscard]] matrix read_matrix(std::string_view name, const float_read_options& options = {}) const;

  /// The elements, row-major, of a tensor of an integer type or BOOL.
  /// @throws luq::error as bytes(); unsupported if the type is another one; corrupt_file if a value does not fit
  ///   Integer or a BOOL is neither 0 nor 1
  template <std::integral Integer = std::int64_t>
  [[nodiscard]] std::vector<Integer> read_integers(std::string_view name) const {
    static_assert(!std::is_same_v<Integer, bool>, "read BOOL tensors as std::uint8_t");
    const tensor_info& tensor = integer_tensor(name);
    std::vector<Integer> result(static_cast<std::size_t>(tensor.size()));
    const auto misfit = detail::convert_to_integers(tensor.dtype, bytes_of(tensor).data(), std::span<Integer>(result));
    if (misfit) refuse_element(tensor, *misfit, dtype_of<Integer>());
    return result;
  }

 private:
  [[nodiscard]] const tensor_info* find(std::string_view name) const noexcept;
  [[nodiscard]] const tensor_info& known_tensor(std::string_view name) const;
  [[nodiscard]] std::span<const std::byte> bytes_of(const tensor_info& tensor) const;
  [[nodiscard]] const tensor_info& float_tensor(std::string_view name) const;
  [[nodiscard]] const tensor_info& integer_tensor(std::string_view name) const;

  /// Throws corrupt_file for an element that is not of the integer type `wanted`, or no BOOL.
  [[noreturn]] void refuse_element(const tensor_info& tensor, std::size_t position, tensor_dtype wanted) const;
  void convert(const tensor_info& tensor, std::span<float> target, const float_read_options& options) const;

  std::string source_;
  std::optional<detail::input_file> file_;  // empty when the bytes belong to the caller
  std::span<const std::byte> bytes_;
  detail::safetensors_header header_;
};

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/io/safetensors/impl/safetensors.hpp"
#endif
