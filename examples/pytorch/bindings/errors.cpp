// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// luq::error as the Python exception luq.Error, with the code as text.
#include <luq/core/error.hpp>

#include "bindings.hpp"

namespace luq_python {

namespace nb = nanobind;

namespace {

const char* code_name(luq::errc code) {
  switch (code) {
    case luq::errc::invalid_argument:
      return "invalid_argument";
    case luq::errc::shape_mismatch:
      return "shape_mismatch";
    case luq::errc::non_finite:
      return "non_finite";
    case luq::errc::insufficient_data:
      return "insufficient_data";
    case luq::errc::indefinite_hessian:
      return "indefinite_hessian";
    case luq::errc::impossible_budget:
      return "impossible_budget";
    case luq::errc::io_failure:
      return "io_failure";
    case luq::errc::corrupt_file:
      return "corrupt_file";
    case luq::errc::unsupported:
      return "unsupported";
    case luq::errc::device_failure:
      return "device_failure";
    case luq::errc::faulty_codec:
      return "faulty_codec";
    case luq::errc::faulty_kernel:
      return "faulty_kernel";
  }
  return "unknown";
}

void translate(const std::exception_ptr& thrown, void* error_type) {
  try {
    std::rethrow_exception(thrown);
  } catch (const luq::error& error) {
    const nb::handle type(static_cast<PyObject*>(error_type));
    const nb::object raised = type(error.what());
    raised.attr("code") = code_name(error.code());
    PyErr_SetObject(type.ptr(), raised.ptr());
  }
}

}  // namespace

void bind_errors(nb::module_& module) {
  PyObject* const type = PyErr_NewExceptionWithDoc(
      "luq.Error",
      "Bad data: what is wrong, where, what was expected and what was found.\n\n"
      "code: the kind of error, such as \"shape_mismatch\", \"non_finite\" or \"corrupt_file\".",
      PyExc_RuntimeError, nullptr);
  if (type == nullptr) throw nb::python_error();
  module.attr("Error") = nb::steal(type);
  nb::register_exception_translator(translate, type);
}

}  // namespace luq_python
