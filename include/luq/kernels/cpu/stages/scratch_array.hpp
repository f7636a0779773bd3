// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Memory that a product needs beside its arguments. Not a std::vector, for two reasons: nothing of it is written before
// it is used, and the code that handles it belongs to one instruction set. A member function of a vector of plain
// numbers has the same name in every translation unit, and the linker takes any of them: the one that was compiled for
// AVX-512, say, for a caller on a machine without.
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "luq/core/aligned_buffer.hpp"
#include "luq/core/assert.hpp"
#include "luq/core/index.hpp"

namespace luq::detail {

/// `count` objects of T, not initialised, from the start of a cache line on.
/// @tparam Tag  the instruction set of the caller, or another type that only this caller uses. It makes mangled names
///   unique, so the linker cannot merge this code with a copy compiled for another instruction set.
template <class T, class Tag>
class scratch_array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit scratch_array(index count)
      : data_(static_cast<T*>(
            ::operator new(static_cast<std::size_t>(count) * sizeof(T), std::align_val_t{buffer_alignment}))),
        count_(count) {}
  scratch_array(scratch_array&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  scratch_array& operator=(scratch_array&&) = delete;
  ~scratch_array() { ::operator delete(data_, std::align_val_t{buffer_alignment}); }

  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] std::span<T> first(index count) const noexcept {
    LUQ_ASSERT(count <= count_);
    return {data_, static_cast<std::size_t>(count)};
  }
  [[nodiscard]] std::span<T> all() const noexcept { return first(count_); }

 private:
  T* data_;
  index count_;
};

}  // namespace luq::detail
