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

#include <algorithm>
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
#include <utility>
#include <vector>

#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/io/files/detail/input_file.hpp"
#include "luq/io/files/detail/printable.hpp"
#include "luq/io/safetensors/detail/safetensors_header.hpp"
#include "luq/io/tensors/detail/tensor_conversion.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

/// How elements become floats.
struct float_read_options {
  bool require_finite = false;  ///< throw non_finite at the first NaN or infinity; default as stored
};

namespace detail {

/// "element 7, at [1, 3] of [2, 4]" for messages.
[[nodiscard]] inline std::string element_text(std::size_t position, const std::vector<index>& shape) {
  std::vector<index> coordinates(shape.size());
  auto rest = static_cast<index>(position);
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    coordinates[axis] = rest % shape[axis];
    rest /= shape[axis];
  }
  return "element " + std::to_string(position) + ", at " + shape_text(coordinates) + " of " + shape_text(shape);
}

}  // namespace detail

/// One safetensors file, or its bytes in memory. Everything is checked on construction; reading a tensor then fails
/// only for the tensor's own reasons, or because the file is changed meanwhile.
///
/// Reading is const and may be done from several threads at once. Move-only.
class safetensors_reader {
 public:
  /// Maps a file into memory.
  /// @throws luq::error io_failure if it cannot be opened or is not a regular file, corrupt_file if it violates the
  ///   format, unsupported if it is beyond the limits
  explicit safetensors_reader(const std::filesystem::path& path, const safetensors_limits& limits = {})
      : source_(path.string()),
        file_(std::in_place, path),
        bytes_(file_->bytes()),
        header_(detail::parse_safetensors_header(bytes_, source_, limits)) {}

  /// Reads a file that is already in memory, which must outlive the reader.
  /// @param source  names the bytes in messages
  safetensors_reader(std::span<const std::byte> file, std::string source, const safetensors_limits& limits = {})
      : source_(std::move(source)), bytes_(file), header_(detail::parse_safetensors_header(bytes_, source_, limits)) {}

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
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    result.reserve(header_.by_name.size());
    for (const std::size_t position : header_.by_name) result.push_back(header_.tensors[position].name);
    return result;
  }

  [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }

  /// @throws luq::error invalid_argument if there is no such tensor
  [[nodiscard]] const tensor_info& info(std::string_view name) const {
    const tensor_info* const tensor = find(name);
    if (tensor == nullptr) fail(errc::invalid_argument, source_, ": no tensor is named ", detail::in_quotes(name));
    return *tensor;
  }

  [[nodiscard]] const std::vector<index>& shape(std::string_view name) const { return info(name).shape; }

  /// The data as stored: little-endian, of any alignment, valid as long as the reader.
  /// @throws luq::error invalid_argument if there is no such tensor, unsupported if its type is unknown, io_failure if
  ///   the file's size has changed
  [[nodiscard]] std::span<const std::byte> bytes(std::string_view name) const { return bytes_of(known_tensor(name)); }

  /// The elements, row-major, of a tensor of type F16, BF16, F32 (exact) or F64 (rounded to nearest).
  /// @throws luq::error as bytes(); unsupported if the type is another one or a finite F64 is beyond float; non_finite
  ///   on demand
  [[nodiscard]] std::vector<float> read_floats(std::string_view name, const float_read_options& options = {}) const {
    const tensor_info& tensor = float_tensor(name);
    std::vector<float> result(static_cast<std::size_t>(tensor.size()));
    convert(tensor, result, options);
    return result;
  }

  /// As read_floats, into memory of the caller.
  /// @throws luq::error shape_mismatch unless `target` has as many elements as the tensor
  void read_floats_into(std::string_view name, std::span<float> target, const float_read_options& options = {}) const {
    const tensor_info& tensor = float_tensor(name);
    if (target.size() != static_cast<std::size_t>(tensor.size())) {
      fail(errc::shape_mismatch, source_, ": tensor ", detail::in_quotes(tensor.name), ": expected ", target.size(),
           " elements, got ", tensor.size());
    }
    convert(tensor, target, options);
  }

  /// As read_floats, shaped: a matrix as it is, a vector as one row, a scalar as [1 x 1].
  /// @throws luq::error shape_mismatch if the tensor has more than two axes
  [[nodiscard]] matrix read_matrix(std::string_view name, const float_read_options& options = {}) const {
    const tensor_info& tensor = float_tensor(name);
    const std::size_t rank = tensor.shape.size();
    if (rank > 2) {
      fail(errc::shape_mismatch, source_, ": tensor ", detail::in_quotes(tensor.name),
           ": expected at most 2 axes, got ", rank, " of shape ", shape_text(tensor.shape));
    }
    const index rows = rank == 2 ? tensor.shape[0] : 1;
    const index cols = rank == 0 ? 1 : tensor.shape[rank - 1];
    matrix result(rows, cols);
    convert(tensor, {result.data(), static_cast<std::size_t>(result.size())}, options);
    return result;
  }

  /// The elements, row-major, of a tensor of an integer type or BOOL.
  /// @throws luq::error as bytes(); unsupported if the type is another one; corrupt_file if a value does not fit
  ///   Integer or a BOOL is neither 0 nor 1
  template <std::integral Integer = std::int64_t>
  [[nodiscard]] std::vector<Integer> read_integers(std::string_view name) const {
    static_assert(!std::is_same_v<Integer, bool>, "read BOOL tensors as std::uint8_t");
    const tensor_info& tensor = known_tensor(name);
    const std::span<const std::byte> stored = bytes_of(tensor);
    if (!is_integer(tensor.dtype)) {
      fail(errc::unsupported, source_, ": tensor ", detail::in_quotes(tensor.name), ": expected integers, got ",
           tensor.dtype_label);
    }
    std::vector<Integer> result(static_cast<std::size_t>(tensor.size()));
    const auto misfit = detail::convert_to_integers(tensor.dtype, stored.data(), std::span<Integer>(result));
    if (misfit) {
      fail(errc::corrupt_file, source_, ": tensor ", detail::in_quotes(tensor.name), ": ",
           detail::element_text(*misfit, tensor.shape), ": the value is not a ",
           dtype_name(tensor.dtype == tensor_dtype::boolean ? tensor_dtype::boolean : dtype_of<Integer>()));
    }
    return result;
  }

 private:
  [[nodiscard]] static bool is_integer(tensor_dtype dtype) {
    return detail::visit_dtype(dtype, []<class T>(T) { return std::is_integral_v<T>; });
  }

  [[nodiscard]] const tensor_info* find(std::string_view name) const noexcept {
    const auto position =
        std::lower_bound(header_.by_name.begin(), header_.by_name.end(), name,
                         [&](std::size_t entry, std::string_view key) { return header_.tensors[entry].name < key; });
    if (position == header_.by_name.end() || header_.tensors[*position].name != name) return nullptr;
    return &header_.tensors[*position];
  }

  [[nodiscard]] const tensor_info& known_tensor(std::string_view name) const {
    const tensor_info& tensor = info(name);
    if (tensor.dtype == tensor_dtype::unknown) {
      fail(errc::unsupported, source_, ": tensor ", detail::in_quotes(tensor.name), ": unknown element type ",
           detail::in_quotes(tensor.dtype_label));
    }
    return tensor;
  }

  [[nodiscard]] std::span<const std::byte> bytes_of(const tensor_info& tensor) const {
    if (file_) file_->require_unchanged();
    return bytes_.subspan(static_cast<std::size_t>(header_.data_begin + tensor.begin),
                          static_cast<std::size_t>(tensor.bytes()));
  }

  [[nodiscard]] const tensor_info& float_tensor(std::string_view name) const {
    const tensor_info& tensor = known_tensor(name);
    if (!detail::is_float_dtype(tensor.dtype)) {
      fail(errc::unsupported, source_, ": tensor ", detail::in_quotes(tensor.name),
           ": expected F16, BF16, F32 or F64, got ", tensor.dtype_label);
    }
    return tensor;
  }

  void convert(const tensor_info& tensor, std::span<float> target, const float_read_options& options) const {
    const std::span<const std::byte> stored = bytes_of(tensor);
    const auto overflow = detail::convert_to_floats(tensor.dtype, stored.data(), target);
    if (overflow) {
      fail(errc::unsupported, source_, ": tensor ", detail::in_quotes(tensor.name), ": ",
           detail::element_text(*overflow, tensor.shape), ": the F64 value is beyond the range of float");
    }
    if (!options.require_finite) return;
    const auto flaw = std::find_if(target.begin(), target.end(), [](const float& value) { return !is_finite(value); });
    if (flaw != target.end()) {
      fail(errc::non_finite, source_, ": tensor ", detail::in_quotes(tensor.name), ": ",
           detail::element_text(static_cast<std::size_t>(flaw - target.begin()), tensor.shape),
           ": expected a finite number, got ", *flaw);
    }
  }

  std::string source_;
  std::optional<detail::input_file> file_;  // empty when the bytes belong to the caller
  std::span<const std::byte> bytes_;
  detail::safetensors_header header_;
};

}  // namespace luq
