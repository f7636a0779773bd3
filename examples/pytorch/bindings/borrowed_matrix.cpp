// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "borrowed_matrix.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <luq/core/error.hpp>
#include <memory>
#include <string>

namespace luq_python {

namespace nb = nanobind;

namespace {

/// Asks a tensor for a capsule, a versioned one if it knows of versions (Python array API 2023.12).
nb::object request_capsule(nb::handle tensor, const char* what) {
  if (!nb::hasattr(tensor, "__dlpack__")) {
    throw nb::type_error((std::string(what) + ": expected a tensor, got " + type_name_of(tensor)).c_str());
  }
  // Torch lends no tensor that requires a gradient.
  const nb::object lender = nb::hasattr(tensor, "detach") ? nb::object(tensor.attr("detach")()) : nb::borrow(tensor);
  try {
    return lender.attr("__dlpack__")(nb::arg("max_version") = nb::make_tuple(1, 1));
  } catch (const nb::python_error& error) {
    if (!error.matches(PyExc_TypeError)) throw;
  }
  return lender.attr("__dlpack__")();
}

/// Takes the struct out of a capsule, whose new name says so; null if it is of another name.
template <class Managed>
Managed* take(const nb::object& capsule, const char* name, const char* used_name) {
  if (PyCapsule_IsValid(capsule.ptr(), name) == 0) return nullptr;
  auto* const managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (PyCapsule_SetName(capsule.ptr(), used_name) != 0) throw nb::python_error();
  return managed;
}

/// What a tensor is, as far as it says so itself, for messages.
std::string description_of(nb::handle tensor) {
  std::string text = type_name_of(tensor);
  for (const char* attribute : {"dtype", "shape", "device"}) {
    if (!nb::hasattr(tensor, attribute)) continue;
    text += std::string(", ") + attribute + " " + nb::str(nb::handle(tensor.attr(attribute))).c_str();
  }
  return text;
}

}  // namespace

borrowed_matrix::borrowed_matrix(nb::handle tensor, const char* what) {
  const nb::object capsule = request_capsule(tensor, what);
  if (auto* lent = take<versioned_managed_tensor>(capsule, "dltensor_versioned", "used_dltensor_versioned")) {
    use(versioned_.emplace(lent).as_matrix());
  } else if (auto* unversioned = take<managed_tensor>(capsule, "dltensor", "used_dltensor")) {
    use(unversioned_.emplace(unversioned).as_matrix());
  } else {
    throw nb::type_error(
        (std::string(what) + ": expected an unused DLPack capsule from __dlpack__, got " + type_name_of(capsule))
            .c_str());
  }
}

void borrowed_matrix::use(const luq::dlpack_matrix& lent) {
  rows_ = lent.rows();
  cols_ = lent.cols();
  try {
    const luq::matrix_view view = lent.view();
    data_ = view.data();
    stride_ = view.outerStride();
  } catch (const luq::error&) {  // view() knows what cannot be lent, and says so in no other way
    const nb::gil_scoped_release unlocked;
    copy_ = lent.to_matrix();
    data_ = copy_.data();
    stride_ = cols_;
  }
}

std::vector<luq::token_class> token_classes_of(nb::handle classes) {
  nb::ndarray<nb::ro> given;
  const bool is_tensor = nb::ndarray_check(classes) && nb::try_cast(classes, given);
  // A cast would convert others: a mask to text and image, weights to whatever class is below them.
  const auto code = static_cast<nb::dlpack::dtype_code>(is_tensor ? given.dtype().code : 0);
  const bool has_integers = code == nb::dlpack::dtype_code::Int || code == nb::dlpack::dtype_code::UInt;
  nb::ndarray<const std::int64_t, nb::ndim<1>, nb::device::cpu, nb::c_contig> numbers;
  if (!is_tensor || !has_integers || !nb::try_cast(classes, numbers)) {
    throw nb::type_error(("token classes: expected integers [tokens] of TokenClass, 0 (text), 1 (image) or 2 (padding),"
                          " in memory of the CPU, got " +
                          description_of(classes))
                             .c_str());
  }
  std::vector<luq::token_class> result;
  result.reserve(numbers.size());
  for (std::size_t t = 0; t < numbers.size(); ++t) {
    const std::int64_t number = numbers.data()[t];
    if (number < 0 || number > 2) {
      luq::fail(luq::errc::invalid_argument, "token classes: token ", t,
                ": expected 0 (text), 1 (image) or 2 (padding), got ", number);
    }
    result.push_back(static_cast<luq::token_class>(number));
  }
  return result;
}

nb::object tensor_of(luq::matrix&& source) {
  auto kept = std::make_unique<luq::matrix>(std::move(source));
  const auto rows = static_cast<std::size_t>(kept->rows());
  const auto cols = static_cast<std::size_t>(kept->cols());
  float* const data = kept->data();
  const nb::capsule owner(kept.get(), [](void* matrix) noexcept { delete static_cast<luq::matrix*>(matrix); });
  (void)kept.release();
  return nb::cast(nb::ndarray<nb::pytorch, float, nb::ndim<2>, nb::c_contig>(data, {rows, cols}, owner));
}

std::string type_name_of(nb::handle object) {
  return nb::cast<std::string>(object.type().attr("__name__"));
}

}  // namespace luq_python
