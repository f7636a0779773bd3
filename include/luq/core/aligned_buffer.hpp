// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A std::vector whose storage starts on a cache line. The alignment is a constant of the library, unlike that of
// Eigen's allocator, which follows the compiler's flags and would make two translation units disagree on a type.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace luq {

/// Alignment of packed weights in bytes: one cache line, and the widest vector register.
inline constexpr std::size_t buffer_alignment = 64;

template <class T>
struct aligned_allocator {
  using value_type = T;

  aligned_allocator() = default;
  template <class U>
  explicit constexpr aligned_allocator(const aligned_allocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) {
#if defined(__cpp_exceptions)
      throw std::bad_array_new_length();
#else
      std::abort();
#endif
    }
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{buffer_alignment}));
  }
  void deallocate(T* data, std::size_t) noexcept { ::operator delete(data, std::align_val_t{buffer_alignment}); }

  friend constexpr bool operator==(aligned_allocator, aligned_allocator) noexcept { return true; }
};

template <class T>
using aligned_buffer = std::vector<T, aligned_allocator<T>>;

}  // namespace luq
