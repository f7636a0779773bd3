// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/core/aligned_buffer.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <type_traits>

TEST_CASE("storage starts on a cache line, whatever the size") {
  for (std::size_t size = 1; size < 300; ++size) {
    const luq::aligned_buffer<std::uint8_t> buffer(size);
    REQUIRE(reinterpret_cast<std::uintptr_t>(buffer.data()) % luq::buffer_alignment == 0);
  }
}

TEST_CASE("a buffer grows, copies, moves and compares like a vector") {
  luq::aligned_buffer<int> buffer;
  for (int i = 0; i < 1000; ++i) {
    buffer.push_back(i);
    REQUIRE(reinterpret_cast<std::uintptr_t>(buffer.data()) % luq::buffer_alignment == 0);
  }
  const luq::aligned_buffer<int> copy = buffer;
  const int* const storage = buffer.data();
  const luq::aligned_buffer<int> moved = std::move(buffer);
  CHECK(moved.data() == storage);
  CHECK(copy.data() != storage);
  CHECK(moved == copy);
  CHECK(moved[999] == 999);
}

TEST_CASE("a size whose bytes overflow is refused") {
  luq::aligned_allocator<double> allocator;
  CHECK_THROWS_AS(static_cast<void>(allocator.allocate(std::numeric_limits<std::size_t>::max() / 4)),
                  std::bad_array_new_length);
}

TEST_CASE("allocators of all types are interchangeable") {
  CHECK(luq::aligned_allocator<int>(luq::aligned_allocator<double>()) == luq::aligned_allocator<int>());
  static_assert(std::allocator_traits<luq::aligned_allocator<int>>::is_always_equal::value);
}
