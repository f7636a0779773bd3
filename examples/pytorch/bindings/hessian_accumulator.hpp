// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The object behind luq.Hessian of Python.
#pragma once

#include <luq/estimators/hessian.hpp>
#include <mutex>

namespace luq_python {

struct hessian_accumulator {
  explicit hessian_accumulator(luq::index in_features) : value(in_features) {}

  luq::hessian value;
  std::mutex lock;  ///< of value; never waited for with the interpreter's lock held by a caller that runs long
};

}  // namespace luq_python
