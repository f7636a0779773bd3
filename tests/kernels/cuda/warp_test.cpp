// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <luq/core/random.hpp>
#include <luq/kernels/cuda/warp.cuh>

namespace {

using warp = luq::cuda::emulated_warp;

// Where an element is, in the words of the PTX ISA for mma.m16n8k32 with 8-bit types: the lane's group is lane / 4, its
// place in the group lane % 4, and element i of a fragment is byte i % 4 of word i / 4.
int row_of_a(int lane, int i) {
  return lane / 4 + ((i < 4) || (i >= 8 && i < 12) ? 0 : 8);
}
int column_of_a(int lane, int i) {
  return lane % 4 * 4 + (i & 3) + (i < 8 ? 0 : 16);
}
int row_of_b(int lane, int i) {
  return lane % 4 * 4 + (i & 3) + (i < 4 ? 0 : 16);
}
int column_of_b(int lane) {
  return lane / 4;
}
int row_of_c(int lane, int i) {
  return lane / 4 + (i < 2 ? 0 : 8);
}
int column_of_c(int lane, int i) {
  return lane % 4 * 2 + (i & 1);
}

}  // namespace

TEST_CASE("the emulated instruction multiplies the matrices whose fragments it is given") {
  const luq::counter_rng rng(5);
  std::uint64_t position = 0;
  std::array<std::array<int, 32>, 16> A{};
  std::array<std::array<int, 8>, 32> B{};
  for (auto& row : A) {
    for (int& value : row) value = static_cast<int>(rng.below(position++, 256));
  }
  for (auto& row : B) {
    for (int& value : row) value = static_cast<int>(rng.below(position++, 256)) - 128;
  }
  warp::per_lane<luq::cuda::fragment_a> a{};
  warp::per_lane<luq::cuda::fragment_b> b{};
  warp::per_lane<luq::cuda::fragment_c> c{};
  warp::each_lane([&](int lane) {
    for (int i = 0; i < 16; ++i) {
      const int value = A[static_cast<std::size_t>(row_of_a(lane, i))][static_cast<std::size_t>(column_of_a(lane, i))];
      a[lane].word[i / 4] |= static_cast<std::uint32_t>(value) << (8 * (i % 4));
    }
    for (int i = 0; i < 8; ++i) {
      const int value = B[static_cast<std::size_t>(row_of_b(lane, i))][static_cast<std::size_t>(column_of_b(lane))];
      b[lane].word[i / 4] |= static_cast<std::uint32_t>(value & 0xff) << (8 * (i % 4));
    }
    for (int i = 0; i < 4; ++i) c[lane].sum[i] = 1000 * lane + i;
  });
  warp::multiply_accumulate(c, a, b);
  for (int lane = 0; lane < luq::cuda::lanes_of_warp; ++lane) {
    for (int i = 0; i < 4; ++i) {
      std::int32_t expected = 1000 * lane + i;
      for (std::size_t k = 0; k < 32; ++k) {
        expected +=
            A[static_cast<std::size_t>(row_of_c(lane, i))][k] * B[k][static_cast<std::size_t>(column_of_c(lane, i))];
      }
      CHECK(c[lane].sum[i] == expected);
    }
  }
}

TEST_CASE("what all lanes have together") {
  warp::per_lane<float> values{};
  warp::per_lane<int> numbers{};
  warp::each_lane([&](int lane) {
    values[lane] = lane == 17 ? 3.5f : -1.0f;
    numbers[lane] = lane - 10;
  });
  CHECK(warp::maximum(values) == 3.5f);
  CHECK(warp::sum(numbers) == 31 * 32 / 2 - 320);
}
