// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/tensors/dlpack.hpp.
//
// IWYU pragma: private, include "luq/io/tensors/dlpack.hpp"
#pragma once

#include "luq/io/tensors/dlpack.hpp"

#include <cstring>
#include <limits>
#include <utility>

#include "luq/core/compiled.hpp"
#include "luq/io/tensors/detail/element_count.hpp"
#include "luq/io/tensors/detail/tensor_conversion.hpp"

namespace luq {

namespace detail {

inline constexpr std::int32_t dlpack_cpu = 1;
inline constexpr std::int32_t dlpack_cuda_host = 3;
inline constexpr std::int32_t dlpack_cuda_managed = 13;

/// The farthest byte from the data that can be addressed.
inline constexpr auto largest_dlpack_offset = static_cast<std::uint64_t>((std::numeric_limits<std::ptrdiff_t>::max)());

/// "CUDA" for 2; "device type 99" for what DLPack 1.3 does not name.
[[nodiscard]] inline std::string dlpack_device_name(std::int32_t type) {
  constexpr std::array<std::string_view, 19> names{
      "",     "CPU",      "CUDA",   "CUDAHost",    "OpenCL", "",       "",        "Vulkan", "Metal", "VPI",
      "ROCM", "ROCMHost", "ExtDev", "CUDAManaged", "OneAPI", "WebGPU", "Hexagon", "MAIA",   "Trn"};
  const auto position = static_cast<std::size_t>(type);
  if (type > 0 && position < names.size() && !names[position].empty()) return std::string(names[position]);
  return "device type " + std::to_string(type);
}

/// "int64" for code 0 and 64 bits; "type code 12 of 8 bits" for the many codes from 7 on, all of 8 bits or fewer.
[[nodiscard]] inline std::string dlpack_element_name(unsigned code, unsigned bits) {
  constexpr std::array<std::string_view, 7> names{"int", "uint", "float", "opaque", "bfloat", "complex", "bool"};
  if (code < names.size()) return std::string(names[code]) + std::to_string(bits);
  return "type code " + std::to_string(code) + " of " + std::to_string(bits) + " bits";
}

/// The type of a code and a number of bits; tensor_dtype::unknown unless it is one that becomes a float.
[[nodiscard]] constexpr tensor_dtype dlpack_dtype(unsigned code, unsigned bits) noexcept {
  constexpr unsigned ieee = 2;
  constexpr unsigned brain = 4;
  if (code == ieee && bits == 16) return tensor_dtype::f16;
  if (code == ieee && bits == 32) return tensor_dtype::f32;
  if (code == ieee && bits == 64) return tensor_dtype::f64;
  if (code == brain && bits == 16) return tensor_dtype::bf16;
  return tensor_dtype::unknown;
}

}  // namespace detail

LUQ_INLINE std::optional<index> dlpack_matrix::row_stride() const noexcept {
  if (rows() <= 1) return cols();
  if (extents_[0] == 1) return strides_[1];
  if (extents_[1] == 1) return strides_[0];
  if (strides_[0] == extents_[1] * strides_[1]) return strides_[1];
  return std::nullopt;
}

LUQ_INLINE matrix_view dlpack_matrix::view() const {
  require_view();
  return luq::view(static_cast<const float*>(data_), rows(), cols(), *row_stride());
}

LUQ_INLINE mutable_matrix_view dlpack_matrix::mutable_view() const {
  if (read_only_) fail(errc::invalid_argument, text(), ": expected a writable tensor, got a read-only one");
  require_view();
  return luq::view(static_cast<float*>(data_), rows(), cols(), *row_stride());
}

template <class T>
void dlpack_matrix::copy_elements(matrix& target) const {
  const auto* const source = static_cast<const std::byte*>(data_);
  for (index r = 0; r < target.rows(); ++r) {
    const index row = (r / extents_[1]) * strides_[0] + (r % extents_[1]) * strides_[1];
    for (index c = 0; c < target.cols(); ++c) {
      T value;
      std::memcpy(&value, source + (row + c * strides_[2]) * static_cast<index>(sizeof(T)), sizeof(T));
      if constexpr (std::is_same_v<T, double>) {
        if (detail::overflows_float(value)) {
          fail(errc::unsupported, text(), ": row ", r, ", column ", c, ": ", value, " is beyond the range of float");
        }
      }
      target(r, c) = static_cast<float>(value);
    }
  }
}

LUQ_INLINE matrix dlpack_matrix::to_matrix() const {
  matrix result(rows(), cols());
  if (result.size() == 0) return result;
  detail::visit_dtype(dtype_, [&]<class T>(T) {
    if constexpr (!std::is_integral_v<T>) copy_elements<T>(result);
    return true;
  });
  return result;
}

LUQ_INLINE void dlpack_matrix::require_readable(std::int32_t device, std::int32_t number,
                                                const dlpack_options& options) {
  if (device == detail::dlpack_cpu || device == detail::dlpack_cuda_host) return;
  if (device != detail::dlpack_cuda_managed) {
    fail(errc::unsupported, "DLPack tensor: expected memory of CPU, CUDAHost or CUDAManaged, got that of ",
         detail::dlpack_device_name(device), ", device ", number);
  }
  if (!options.cuda_managed_is_synchronised) {
    fail(errc::unsupported, "DLPack tensor: memory of CUDAManaged can be read only when all work on it is done; ",
         "dlpack_options::cuda_managed_is_synchronised says that it is");
  }
}

LUQ_INLINE void dlpack_matrix::set_element_type(unsigned code, unsigned bits, unsigned lanes) {
  dtype_ = detail::dlpack_dtype(code, bits);
  if (dtype_ == tensor_dtype::unknown) {
    fail(errc::unsupported, "DLPack tensor: expected float16, bfloat16, float32 or float64, got ",
         detail::dlpack_element_name(code, bits));
  }
  if (lanes != 1) fail(errc::unsupported, "DLPack tensor: expected elements of 1 lane, got ", lanes);
}

LUQ_INLINE void dlpack_matrix::set_shape(std::int32_t rank, const std::int64_t* shape) {
  if (rank < 1 || rank > 3) fail(errc::unsupported, "DLPack tensor: expected 1 to 3 axes, got ", rank);
  if (shape == nullptr) fail(errc::invalid_argument, "DLPack tensor: the shape is missing");
  first_axis_ = 3 - static_cast<std::size_t>(rank);
  for (std::size_t axis = first_axis_; axis < 3; ++axis) {
    const std::int64_t extent = shape[axis - first_axis_];
    if (extent < 0 || !std::in_range<index>(extent)) {
      fail(errc::invalid_argument, "DLPack tensor: axis ", axis - first_axis_, ": ", extent, " is not an extent");
    }
    extents_[axis] = static_cast<index>(extent);
  }
  const auto count = detail::checked_element_count({extents_.begin(), extents_.end()});
  if (!count || *count > detail::largest_dlpack_offset / element_bytes()) {
    fail(errc::invalid_argument, text(), ": more elements than can be addressed");
  }
}

LUQ_INLINE void dlpack_matrix::set_strides(const std::int64_t* strides) {
  const std::array<index, 3> compact{extents_[1] * extents_[2], extents_[2], 1};
  std::uint64_t reach =
      detail::largest_dlpack_offset / element_bytes() - 1;  // elements that the other axes may still span
  for (std::size_t axis = first_axis_; axis < 3; ++axis) {
    if (extents_[axis] == 1) continue;
    const std::int64_t stride = strides == nullptr ? compact[axis] : strides[axis - first_axis_];
    const auto distance = stride < 0 ? 0 - static_cast<std::uint64_t>(stride) : static_cast<std::uint64_t>(stride);
    const auto steps = static_cast<std::uint64_t>(extents_[axis] - 1);
    if (distance > reach / steps) {
      fail(errc::invalid_argument, text(), ": stride ", stride, " of axis ", axis - first_axis_,
           " leads beyond what can be addressed");
    }
    reach -= distance * steps;
    strides_[axis] = static_cast<index>(stride);
  }
}

LUQ_INLINE void dlpack_matrix::set_data(void* data, std::uint64_t byte_offset) {
  if (data == nullptr) fail(errc::invalid_argument, text(), ": the data is missing");
  if (byte_offset > (std::numeric_limits<std::uintptr_t>::max)() - reinterpret_cast<std::uintptr_t>(data)) {
    fail(errc::invalid_argument, text(), ": byte offset ", byte_offset, " leads beyond what can be addressed");
  }
  data_ = static_cast<std::byte*>(data) + byte_offset;
}

LUQ_INLINE void dlpack_matrix::require_view() const {
  if (dtype_ != tensor_dtype::f32) refuse_view("elements of type F32", dtype_name(dtype_));
  const std::optional<index> stride = row_stride();
  if (!stride) refuse_view("rows of all batches at one distance", "strides " + text_of(strides_));
  if (col_stride() != 1 || *stride < cols()) {
    refuse_view("rows of adjacent elements, one after the other", "strides " + text_of(strides_));
  }
  if (reinterpret_cast<std::uintptr_t>(data_) % alignof(float) != 0) {
    refuse_view("data aligned to a float", "unaligned data");
  }
}

LUQ_INLINE void dlpack_matrix::refuse_view(std::string_view expected, std::string_view found) const {
  fail(errc::unsupported, text(), ": a view expects ", expected, ", got ", found, "; to_matrix() copies");
}

LUQ_INLINE std::string dlpack_matrix::text_of(const std::array<index, 3>& entries) const {
  return shape_text({entries.begin() + static_cast<std::ptrdiff_t>(first_axis_), entries.end()});
}

}  // namespace luq
