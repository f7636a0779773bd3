// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The object behind luq.Hessian of Python.
#pragma once

#include <luq/estimators/hessian.hpp>
#include <mutex>
#include <utility>

namespace luq_python {

struct hessian_accumulator {
  explicit hessian_accumulator(luq::hessian begun) : value(std::move(begun)) {}

  luq::hessian value;
  std::mutex lock;  ///< of value; never waited for with the interpreter's lock held by a caller that runs long
};

}  // namespace luq_python
