// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/safetensors/safetensors.hpp.
//
// IWYU pragma: private, include "luq/io/safetensors/safetensors.hpp"
#pragma once

#include "luq/io/safetensors/safetensors.hpp"

#include <algorithm>
#include <utility>

#include "luq/core/compiled.hpp"
#include "luq/core/error.hpp"
#include "luq/core/is_finite.hpp"
#include "luq/io/files/detail/printable.hpp"

namespace luq {

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

LUQ_INLINE safetensors_reader::safetensors_reader(const std::filesystem::path& path, const safetensors_limits& limits)
    : source_(path.string()),
      file_(std::in_place, path),
      bytes_(file_->bytes()),
      header_(detail::parse_safetensors_header(bytes_, source_, limits)) {}

LUQ_INLINE safetensors_reader::safetensors_reader(std::span<const std::byte> file, std::string source,
                                                  const safetensors_limits& limits)
    : source_(std::move(source)), bytes_(file), header_(detail::parse_safetensors_header(bytes_, source_, limits)) {}

LUQ_INLINE std::vector<std::string> safetensors_reader::names() const {
  std::vector<std::string> result;
  result.reserve(header_.by_name.size());
  for (const std::size_t position : header_.by_name) result.push_back(header_.tensors[position].name);
  return result;
}

LUQ_INLINE const tensor_info& safetensors_reader::info(std::string_view name) const {
  const tensor_info* const tensor = find(name);
  if (tensor == nullptr) fail(errc::invalid_argument, source_, ": no tensor is named ", detail::in_quotes(name));
  return *tensor;
}

LUQ_INLINE std::vector<float> safetensors_reader::read_floats(std::string_view name,
                                                              const float_read_options& options) const {
  const tensor_info& tensor = float_tensor(name);
  std::vector<float> result(static_cast<std::size_t>(tensor.size()));
  convert(tensor, result, options);
  return result;
}

LUQ_INLINE void safetensors_reader::read_floats_into(std::string_view name, std::span<float> target,
                                                     const float_read_options& options) const {
  const tensor_info& tensor = float_tensor(name);
  if (target.size() != static_cast<std::size_t>(tensor.size())) {
    fail(errc::shape_mismatch, source_, ": tensor ", detail::in_quotes(tensor.name), ": expected ", target.size(),
         " elements, got ", tensor.size());
  }
  convert(tensor, target, options);
}

LUQ_INLINE matrix safetensors_reader::read_matrix(std::string_view name, const float_read_options& options) const {
  const tensor_info& tensor = float_tensor(name);
  const std::size_t rank = tensor.shape.size();
  if (rank > 2) {
    fail(errc::shape_mismatch, source_, ": tensor ", detail::in_quotes(tensor.name), ": expected at most 2 axes, got ",
         rank, " of shape ", shape_text(tensor.shape));
  }
  const index rows = rank == 2 ? tensor.shape[0] : 1;
  const index cols = rank == 0 ? 1 : tensor.shape[rank - 1];
  matrix result(rows, cols);
  convert(tensor, {result.data(), static_cast<std::size_t>(result.size())}, options);
  return result;
}

LUQ_INLINE const tensor_info* safetensors_reader::find(std::string_view name) const noexcept {
  const auto position =
      std::lower_bound(header_.by_name.begin(), header_.by_name.end(), name,
                       [&](std::size_t entry, std::string_view key) { return header_.tensors[entry].name < key; });
  if (position == header_.by_name.end() || header_.tensors[*position].name != name) return nullptr;
  return &header_.tensors[*position];
}

LUQ_INLINE const tensor_info& safetensors_reader::known_tensor(std::string_view name) const {
  const tensor_info& tensor = info(name);
  if (tensor.dtype == tensor_dtype::unknown) {
    fail(errc::unsupported, source_, ": tensor ", detail::in_quotes(tensor.name), ": unknown element type ",
         detail::in_quotes(tensor.dtype_label));
  }
  return tensor;
}

LUQ_INLINE std::span<const std::byte> safetensors_reader::bytes_of(const tensor_info& tensor) const {
  if (file_) file_->require_unchanged();
  return bytes_.subspan(static_cast<std::size_t>(header_.data_begin + tensor.begin),
                        static_cast<std::size_t>(tensor.bytes()));
}

LUQ_INLINE const tensor_info& safetensors_reader::float_tensor(std::string_view name) const {
  const tensor_info& tensor = known_tensor(name);
  if (!detail::is_float_dtype(tensor.dtype)) {
    fail(errc::unsupported, source_, ": tensor ", detail::in_quotes(tensor.name),
         ": expected F16, BF16, F32 or F64, got ", tensor.dtype_label);
  }
  return tensor;
}

LUQ_INLINE const tensor_info& safetensors_reader::integer_tensor(std::string_view name) const {
  const tensor_info& tensor = known_tensor(name);
  const bool is_integer = detail::visit_dtype(tensor.dtype, []<class T>(T) { return std::is_integral_v<T>; });
  if (!is_integer) {
    fail(errc::unsupported, source_, ": tensor ", detail::in_quotes(tensor.name), ": expected integers, got ",
         tensor.dtype_label);
  }
  return tensor;
}

LUQ_INLINE void safetensors_reader::refuse_element(const tensor_info& tensor, std::size_t position,
                                                   tensor_dtype wanted) const {
  fail(errc::corrupt_file, source_, ": tensor ", detail::in_quotes(tensor.name), ": ",
       detail::element_text(position, tensor.shape), ": the value is not a ",
       dtype_name(tensor.dtype == tensor_dtype::boolean ? tensor_dtype::boolean : wanted));
}

LUQ_INLINE void safetensors_reader::convert(const tensor_info& tensor, std::span<float> target,
                                            const float_read_options& options) const {
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

}  // namespace luq
