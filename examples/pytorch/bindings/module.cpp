// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "bindings.hpp"

NB_MODULE(_luq, module) {
  module.doc() = "luq's C++ library: see the package luq, which names all of this.";
  luq_python::bind_errors(module);
  luq_python::bind_execution(module);
  luq_python::bind_estimators(module);
  luq_python::bind_packed_matrix(module);
  luq_python::bind_quantize(module);
  luq_python::bind_plan(module);
  luq_python::bind_packed_model(module);
  luq_python::bind_output_check(module);
}
