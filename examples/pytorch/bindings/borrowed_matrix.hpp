// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Tensors of Python as what the library takes. A matrix is borrowed through DLPack: float32 rows of adjacent elements
// are used where they are, at any distance from one another; all else (bfloat16, float16, float64, other strides) is
// copied to float32.
#pragma once

#include <nanobind/nanobind.h>

#include <luq/core/matrix_view.hpp>
#include <luq/estimators/token_class.hpp>
#include <luq/io/tensors/dlpack.hpp>
#include <optional>
#include <vector>

#include "dlpack_abi.hpp"

namespace luq_python {

/// A tensor of one to three axes as a row-major float matrix; all axes but the last are rows. Holds the tensor; to be
/// made and destroyed by a thread that holds the interpreter's lock.
class borrowed_matrix {
 public:
  /// @param tensor  any object with __dlpack__ whose memory the CPU may read; a gradient is not followed
  /// @param what    names it in messages
  /// @throws nanobind::type_error if it is no tensor; luq::error as luq::dlpack_matrix; what __dlpack__ raises
  borrowed_matrix(nanobind::handle tensor, const char* what);

  [[nodiscard]] luq::index rows() const { return rows_; }
  [[nodiscard]] luq::index cols() const { return cols_; }

  /// [rows x cols], valid as long as this object.
  [[nodiscard]] auto view() const { return luq::view(data_, rows_, cols_, stride_); }

 private:
  void use(const luq::dlpack_matrix& lent);

  std::optional<luq::dlpack_owner<versioned_managed_tensor>> versioned_;
  std::optional<luq::dlpack_owner<managed_tensor>> unversioned_;
  luq::matrix copy_;
  const float* data_ = nullptr;
  luq::index rows_ = 0;
  luq::index cols_ = 0;
  luq::index stride_ = 0;
};

/// The classes of tokens: a tensor of integers 0 (text), 1 (image) and 2 (padding), [tokens].
/// @throws nanobind::type_error if it is none, such as a mask of truth values or weights; luq::error invalid_argument
///         for another integer
[[nodiscard]] std::vector<luq::token_class> token_classes_of(nanobind::handle classes);

/// A matrix as a torch tensor that owns it, without a copy of the elements.
[[nodiscard]] nanobind::object tensor_of(luq::matrix&& source);

/// The type of an object, for messages.
[[nodiscard]] std::string type_name_of(nanobind::handle object);

}  // namespace luq_python
