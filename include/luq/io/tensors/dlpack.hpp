// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Matrices in tensors that other frameworks lend through DLPack (https://dmlc.github.io/dlpack/latest/c_api.html):
//
//   const luq::dlpack_owner tensor(managed);            // DLManagedTensor* or DLManagedTensorVersioned*
//   const luq::dlpack_matrix X = tensor.as_matrix();    // checked; still the memory of the lender
//   H.add(X.view());                                    // float32 by rows: without a copy
//   const luq::matrix copy = X.to_matrix();             // any float type, strides and alignment: with one
//
// Element (i, j, k) of a tensor of shape [batch, tokens, features] is at
//
//   data + byte_offset + (i * strides[0] + j * strides[1] + k * strides[2]) * bytes of an element
//
// and in row i * tokens + j, column k of the matrix. [tokens, features] is a batch of one; [features] is one row.
// Strides count elements and may be negative, or 0 where elements are repeated. Without strides rows are compact:
// DLPack forbids that from 1.2 on, but all versions are accepted alike.
//
// Needs no dlpack.h: any struct with the members that DLPack 0.5 and later have will do, the caller's own dlpack.h
// first of all. The size of the lender's memory is not among them and cannot be checked.
//
// Not a lender, not for memory of other devices, and nothing of Python: who takes a managed tensor out of a capsule has
// to rename the capsule.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/io/tensors/detail/tensor_conversion.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq {

/// A struct with the members of DLTensor.
template <class T>
concept DlpackTensor = requires(const T& tensor) {
  { tensor.data } -> std::convertible_to<void*>;
  requires sizeof(tensor.device.device_type) == sizeof(std::int32_t);  // an enumeration, or an integer
  { tensor.device.device_id } -> std::convertible_to<std::int32_t>;
  { tensor.ndim } -> std::convertible_to<std::int32_t>;
  { tensor.dtype.code } -> std::convertible_to<unsigned>;
  { tensor.dtype.bits } -> std::convertible_to<unsigned>;
  { tensor.dtype.lanes } -> std::convertible_to<unsigned>;
  { tensor.shape } -> std::convertible_to<const std::int64_t*>;
  { tensor.strides } -> std::convertible_to<const std::int64_t*>;
  { tensor.byte_offset } -> std::convertible_to<std::uint64_t>;
};

/// A struct with the members of DLManagedTensor. `version` and `flags`, which DLManagedTensorVersioned adds, are heeded
/// where there are such.
template <class T>
concept DlpackManagedTensor = requires(T& managed) {
  requires DlpackTensor<std::remove_cvref_t<decltype(managed.dl_tensor)>>;
  managed.manager_ctx;
  { managed.deleter == nullptr } -> std::convertible_to<bool>;
  managed.deleter(&managed);
};

/// What a tensor does not say of itself.
struct dlpack_options {
  bool cuda_managed_is_synchronised = false;  ///< all work on CUDA managed memory is done, so that the CPU may read it
  bool read_only = false;                     ///< there is no mutable view, whatever the tensor's flags say
};

namespace detail {

inline constexpr std::int32_t dlpack_cpu = 1;
inline constexpr std::int32_t dlpack_cuda_host = 3;
inline constexpr std::int32_t dlpack_cuda_managed = 13;

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

/// A tensor of one to three axes as a matrix in the memory of its lender, which must outlive it and its views. All that
/// can be checked is checked on construction; a view then fails only where the layout does not allow it.
class dlpack_matrix {
 public:
  /// @param tensor  is read only here; its data must outlive the matrix
  /// @throws luq::error unsupported unless the tensor is in memory that the CPU may read, of 1 to 3 axes, and of
  ///   float16, bfloat16, float32 or float64 in one lane; invalid_argument if it has no shape, a negative extent, no
  ///   data though it is not empty, or elements beyond what can be addressed
  template <DlpackTensor Tensor>
  explicit dlpack_matrix(const Tensor& tensor, const dlpack_options& options = {}) : read_only_(options.read_only) {
    // A bit cast, as an enumeration of an older dlpack.h need not have room for the devices of a newer one.
    require_readable(std::bit_cast<std::int32_t>(tensor.device.device_type), tensor.device.device_id, options);
    set_element_type(tensor.dtype.code, tensor.dtype.bits, tensor.dtype.lanes);
    set_shape(tensor.ndim, tensor.shape);
    if (size() == 0) return;  // neither data nor strides mean anything
    set_strides(tensor.strides);
    set_data(tensor.data, tensor.byte_offset);
  }

  /// f16, bf16, f32 or f64.
  [[nodiscard]] tensor_dtype dtype() const noexcept { return dtype_; }

  [[nodiscard]] index rows() const noexcept { return extents_[0] * extents_[1]; }
  [[nodiscard]] index cols() const noexcept { return extents_[2]; }
  [[nodiscard]] index size() const noexcept { return rows() * cols(); }

  /// Distance between two rows in ELEMENTS, negative if they are stored in reverse; cols() if there are not two rows.
  /// Nothing if rows are not equally far apart, as where each batch is padded.
  [[nodiscard]] std::optional<index> row_stride() const noexcept {
    if (rows() <= 1) return cols();
    if (extents_[0] == 1) return strides_[1];
    if (extents_[1] == 1) return strides_[0];
    if (strides_[0] == extents_[1] * strides_[1]) return strides_[1];
    return std::nullopt;
  }

  /// Distance between two columns in ELEMENTS; 1 if there are not two columns.
  [[nodiscard]] index col_stride() const noexcept { return cols() <= 1 || rows() == 0 ? 1 : strides_[2]; }

  [[nodiscard]] bool is_read_only() const noexcept { return read_only_; }

  /// The lender's memory, without a copy.
  /// @throws luq::error unsupported unless the type is f32, col_stride() is 1, row_stride() is at least cols(), and the
  ///   data are aligned to a float; to_matrix() does without all that
  [[nodiscard]] matrix_view view() const {
    require_view();
    return luq::view(static_cast<const float*>(data_), rows(), cols(), *row_stride());
  }

  /// As view(), writable.
  /// @throws luq::error as view(); invalid_argument if the tensor is read-only
  [[nodiscard]] mutable_matrix_view mutable_view() const {
    if (read_only_) fail(errc::invalid_argument, text(), ": expected a writable tensor, got a read-only one");
    require_view();
    return luq::view(static_cast<float*>(data_), rows(), cols(), *row_stride());
  }

  /// A copy as floats: exact but for f64, which is rounded to nearest. Repeated elements are copied as often as they
  /// are repeated.
  /// @throws luq::error unsupported if a finite f64 is beyond float
  [[nodiscard]] matrix to_matrix() const {
    matrix result(rows(), cols());
    if (result.size() == 0) return result;
    detail::visit_dtype(dtype_, [&]<class T>(T) {
      if constexpr (!std::is_integral_v<T>) copy_elements<T>(result);
      return true;
    });
    return result;
  }

 private:
  static constexpr auto largest_offset = static_cast<std::uint64_t>((std::numeric_limits<std::ptrdiff_t>::max)());

  static void require_readable(std::int32_t device, std::int32_t number, const dlpack_options& options) {
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

  void set_element_type(unsigned code, unsigned bits, unsigned lanes) {
    dtype_ = detail::dlpack_dtype(code, bits);
    if (dtype_ == tensor_dtype::unknown) {
      fail(errc::unsupported, "DLPack tensor: expected float16, bfloat16, float32 or float64, got ",
           detail::dlpack_element_name(code, bits));
    }
    if (lanes != 1) fail(errc::unsupported, "DLPack tensor: expected elements of 1 lane, got ", lanes);
  }

  void set_shape(std::int32_t rank, const std::int64_t* shape) {
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
    if (!count || *count > largest_offset / element_bytes()) {
      fail(errc::invalid_argument, text(), ": more elements than can be addressed");
    }
  }

  /// Of a tensor that is not empty. Strides along a single position stay 0: lenders may write anything there.
  void set_strides(const std::int64_t* strides) {
    const std::array<index, 3> compact{extents_[1] * extents_[2], extents_[2], 1};
    std::uint64_t reach = largest_offset / element_bytes() - 1;  // elements that the other axes may still span
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

  void set_data(void* data, std::uint64_t byte_offset) {
    if (data == nullptr) fail(errc::invalid_argument, text(), ": the data is missing");
    if (byte_offset > (std::numeric_limits<std::uintptr_t>::max)() - reinterpret_cast<std::uintptr_t>(data)) {
      fail(errc::invalid_argument, text(), ": byte offset ", byte_offset, " leads beyond what can be addressed");
    }
    data_ = static_cast<std::byte*>(data) + byte_offset;
  }

  void require_view() const {
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

  [[noreturn]] void refuse_view(std::string_view expected, std::string_view found) const {
    fail(errc::unsupported, text(), ": a view expects ", expected, ", got ", found, "; to_matrix() copies");
  }

  template <class T>
  void copy_elements(matrix& target) const {
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

  [[nodiscard]] std::uint64_t element_bytes() const noexcept { return dtype_bits(dtype_) / 8; }

  /// The entries of the axes that the tensor has: "[2, 3]" for messages.
  [[nodiscard]] std::string text_of(const std::array<index, 3>& entries) const {
    return shape_text({entries.begin() + static_cast<std::ptrdiff_t>(first_axis_), entries.end()});
  }

  [[nodiscard]] std::string text() const { return "DLPack tensor of shape " + text_of(extents_); }

  void* data_ = nullptr;  // the element (0, 0, 0); null if the matrix is empty
  tensor_dtype dtype_ = tensor_dtype::unknown;
  bool read_only_;
  std::size_t first_axis_ = 0;             // of the three, the first that the tensor has
  std::array<index, 3> extents_{1, 1, 1};  // batch, tokens, features
  std::array<index, 3> strides_{0, 0, 0};  // in elements; 0 along a single position and in an empty matrix
};

/// Owns a managed tensor: its deleter, if it has one, is called once, by the destructor or by the move that replaces
/// it. The lender may need a lock to do so, as Python's frameworks need the interpreter's; the owner must not be
/// destroyed while the caller holds one that conflicts. Move-only.
template <DlpackManagedTensor Managed>
class dlpack_owner {
 public:
  /// Takes the tensor over, also when this throws.
  /// @throws luq::error invalid_argument if there is no tensor; unsupported if its major version is not 1: then nothing
  ///   else of it is used but the deleter
  explicit dlpack_owner(Managed* tensor) : tensor_(tensor) {
    if (tensor_ == nullptr) fail(errc::invalid_argument, "DLPack tensor: the managed tensor is missing");
    if constexpr (requires { tensor->version.major; }) {
      const std::uint32_t major = tensor->version.major;
      if (major != 1) {
        tensor_.reset();
        fail(errc::unsupported, "DLPack tensor: expected major version 1, got ", major);
      }
    }
  }

  /// The tensor as a matrix, read-only if its flags or the options say so; valid as long as the tensor is owned.
  /// @throws luq::error as the constructor of dlpack_matrix
  [[nodiscard]] dlpack_matrix as_matrix(dlpack_options options = {}) const& {
    LUQ_ASSERT(tensor_ != nullptr);
    if constexpr (requires { tensor_->flags; }) {
      constexpr std::uint64_t read_only_flag = 1;
      if ((tensor_->flags & read_only_flag) != 0) options.read_only = true;
    }
    return dlpack_matrix(tensor_->dl_tensor, options);
  }
  dlpack_matrix as_matrix(dlpack_options options = {}) const&& = delete;

 private:
  struct call_deleter {
    void operator()(Managed* tensor) const {
      if (tensor->deleter != nullptr) tensor->deleter(tensor);
    }
  };

  std::unique_ptr<Managed, call_deleter> tensor_;
};

}  // namespace luq
