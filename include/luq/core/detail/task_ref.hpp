// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A view of a callable of one index, of one type. It must not outlive the callable.
#pragma once

#include <type_traits>

#include "luq/core/index.hpp"

namespace luq::detail {

class task_ref {
 public:
  template <class Task>
  requires(!std::is_same_v<std::remove_cv_t<Task>, task_ref>)
  explicit task_ref(Task& task) noexcept
      : task_(const_cast<void*>(static_cast<const void*>(&task))),
        call_([](void* t, index i) { (*static_cast<Task*>(t))(i); }) {}

  void operator()(index i) const { call_(task_, i); }

 private:
  void* task_;
  void (*call_)(void*, index);
};

}  // namespace luq::detail
