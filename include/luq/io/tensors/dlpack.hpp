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
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "luq/core/assert.hpp"
#include "luq/core/error.hpp"
#include "luq/core/matrix_view.hpp"
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
  [[nodiscard]] std::optional<index> row_stride() const noexcept;

  /// Distance between two columns in ELEMENTS; 1 if there are not two columns.
  [[nodiscard]] index col_stride() const noexcept { return cols() <= 1 || rows() == 0 ? 1 : strides_[2]; }

  [[nodiscard]] bool is_read_only() const noexcept { return read_only_; }

  /// The lender's memory, without a copy.
  /// @throws luq::error unsupported unless the type is f32, col_stride() is 1, row_stride() is at least cols(), and the
  ///   data are aligned to a float; to_matrix() does without all that
  [[nodiscard]] matrix_view view() const;

  /// As view(), writable.
  /// @throws luq::error as view(); invalid_argument if the tensor is read-only
  [[nodiscard]] mutable_matrix_view mutable_view() const;

  /// A copy as floats: exact but for f64, which is rounded to nearest. Repeated elements are copied as often as they
  /// are repeated.
  /// @throws luq::error unsupported if a finite f64 is beyond float
  [[nodiscard]] matrix to_matrix() const;

 private:
  static void require_readable(std::int32_t device, std::int32_t number, const dlpack_options& options);
  void set_element_type(unsigned code, unsigned bits, unsigned lanes);
  void set_shape(std::int32_t rank, const std::int64_t* shape);

  /// Of a tensor that is not empty. Strides along a single position stay 0: lenders may write anything there.
  void set_strides(const std::int64_t* strides);
  void set_data(void* data, std::uint64_t byte_offset);
  void require_view() const;
  [[noreturn]] void refuse_view(std::string_view expected, std::string_view found) const;

  template <class T>
  void copy_elements(matrix& target) const;

  [[nodiscard]] std::uint64_t element_bytes() const noexcept { return dtype_bits(dtype_) / 8; }

  /// The entries of the axes that the tensor has: "[2, 3]" for messages.
  [[nodiscard]] std::string text_of(const std::array<index, 3>& entries) const;

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

#ifndef LUQ_COMPILED
#include "luq/io/tensors/impl/dlpack.hpp"
#endif
