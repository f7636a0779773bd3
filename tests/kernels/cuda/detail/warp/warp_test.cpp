// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <luq/core/random.hpp>
#include <luq/kernels/cuda/detail/warp/warp.cuh>

namespace {

using warp = luq::cuda::detail::emulated_warp;

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
  warp::per_lane<luq::cuda::detail::fragment_a> a{};
  warp::per_lane<luq::cuda::detail::fragment_b> b{};
  warp::per_lane<luq::cuda::detail::fragment_c> c{};
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
  warp::multiply_add(c, a, b, c);
  for (int lane = 0; lane < luq::cuda::detail::lanes_of_warp; ++lane) {
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

TEST_CASE("the emulated instruction of bits counts where both are 1") {
  const luq::counter_rng rng(6);
  std::uint64_t position = 0;
  const auto random_bit = [&] { return rng.below(position++, 2) == 1; };
  std::array<std::array<bool, 128>, 16> A{};
  std::array<std::array<bool, 8>, 128> B{};
  for (auto& row : A) {
    for (bool& value : row) value = random_bit();
  }
  for (auto& row : B) {
    for (bool& value : row) value = random_bit();
  }
  // Lane 4g + t has columns 32t ... of rows g and g + 8, and rows 32t ... of column g.
  warp::per_lane<luq::cuda::detail::bit_fragment_a> a{};
  warp::per_lane<std::uint32_t> b{};
  warp::per_lane<luq::cuda::detail::fragment_c> d{};
  warp::each_lane([&](int lane) {
    const auto g = static_cast<std::size_t>(lane / 4);
    const auto first = static_cast<std::size_t>(lane % 4 * 32);
    for (std::size_t i = 0; i < 32; ++i) {
      a[lane].word[0] |= static_cast<std::uint32_t>(A[g][first + i]) << i;
      a[lane].word[1] |= static_cast<std::uint32_t>(A[g + 8][first + i]) << i;
      b[lane] |= static_cast<std::uint32_t>(B[first + i][g]) << i;
    }
    for (auto& sum : d[lane].sum) sum = -7;
  });
  warp::multiply_bits(d, a, b);
  for (int lane = 0; lane < luq::cuda::detail::lanes_of_warp; ++lane) {
    for (int i = 0; i < 4; ++i) {
      std::int32_t expected = 0;
      for (std::size_t k = 0; k < 128; ++k) {
        const bool both =
            A[static_cast<std::size_t>(row_of_c(lane, i))][k] && B[k][static_cast<std::size_t>(column_of_c(lane, i))];
        expected += both ? 1 : 0;
      }
      CHECK(d[lane].sum[i] == expected);
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

  warp::per_lane<bool> some{};
  warp::each_lane([&](int lane) { some[lane] = lane == 0 || lane == 3 || lane == 31; });
  CHECK(warp::ballot(some) == 0x80000009u);
}

TEST_CASE("sums of neighbours") {
  warp::per_lane<float> of_two{};
  warp::each_lane([&](int lane) { of_two[lane] = static_cast<float>(lane); });
  warp::per_lane<float> of_four = of_two;
  warp::sum_of_two(of_two);
  warp::sum_of_four(of_four);
  for (int lane = 0; lane < luq::cuda::detail::lanes_of_warp; ++lane) {
    CHECK(of_two[lane] == static_cast<float>(2 * (lane / 2 * 2) + 1));
    CHECK(of_four[lane] == static_cast<float>(4 * (lane / 4 * 4) + 6));
  }
}
