// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The 32 lanes of a warp as kernels are written for them, on a GPU or emulated by one thread of the host:
//
//   typename Warp::template per_lane<int> value;
//   Warp::each_lane([&](int lane) { value[lane] = lane * lane; });   // device: once, for the thread's own lane
//   int all = Warp::sum(value);
//   Warp::multiply_add(D, A, B, C);                                  // all lanes together
//
// On a GPU a per_lane is one register, and the index is ignored. Emulation tests without a GPU what a kernel reads and
// what it computes. It does not test time, nor the order of memory accesses, which kernels ensure by barriers and by
// waiting for copies.
//
// Two matrix instructions (PTX ISA, "Matrix Fragments for mma.m16n8k32" and "for mma.m16n8k128"; sm_80 and later), both
// with 32-bit sums. With g = lane / 4 and t = lane % 4, a lane holds
//
//   bytes: A unsigned, B signed
//   A [16 x 32]   word 0: row g,     columns 4t ... 4t+3         word 1: row g + 8, the same columns
//                 word 2: row g,     columns 16 + 4t ... + 3     word 3: row g + 8, the same columns
//   B [32 x 8]    word 0: column g, rows 4t ... 4t+3             word 1: column g, rows 16 + 4t ... + 3
//   bits: the product is the number of places where both are 1
//   A [16 x 128]  word 0: row g,     columns 32t ... 32t+31      word 1: row g + 8, the same columns
//   B [128 x 8]   the word: column g, rows 32t ... 32t+31
//   both
//   C [16 x 8]    sums 0, 1: row g, columns 2t and 2t + 1        sums 2, 3: row g + 8, the same columns
//
// Copies from global to shared memory are asynchronous (cp.async). A lane begins copies, closes them as a group, and
// waits until at most a given number of later groups is under way.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <type_traits>

/// Code of kernels: for the device where nvcc compiles it, for an emulated warp elsewhere.
#ifdef __CUDACC__
#ifndef __CUDACC_RELAXED_CONSTEXPR__
#error "luq's CUDA kernels use constexpr functions of its codecs: compile with nvcc --expt-relaxed-constexpr"
#endif
#define LUQ_DEVICE_CODE __device__ __forceinline__
#else
#define LUQ_DEVICE_CODE inline
#endif

namespace luq::cuda::detail {

inline constexpr int lanes_of_warp = 32;

/// A lane's words of A, bytes.
struct fragment_a {
  std::uint32_t word[4];
};

/// A lane's words of B, bytes.
struct fragment_b {
  std::uint32_t word[2];
};

/// A lane's words of A, bits.
struct bit_fragment_a {
  std::uint32_t word[2];
};

/// A lane's sums of C.
struct fragment_c {
  std::int32_t sum[4];
};

/// Calls step(std::integral_constant<int, i>()) for i = 0 ... Count-1. Arrays in registers cannot be indexed at run
/// time.
template <int Count, class Step>
LUQ_DEVICE_CODE void unrolled(const Step& step) {
  if constexpr (Count > 0) {
    unrolled<Count - 1>(step);
    step(std::integral_constant<int, Count - 1>());
  }
}

#ifndef __CUDACC__
/// A warp that one thread of the host emulates, lane after lane.
struct emulated_warp {
  template <class T>
  struct per_lane {
    std::array<T, lanes_of_warp> values;
    T& operator[](int lane) { return values[static_cast<std::size_t>(lane)]; }
    const T& operator[](int lane) const { return values[static_cast<std::size_t>(lane)]; }
  };

  template <class Body>
  static void each_lane(const Body& body) {
    for (int lane = 0; lane < lanes_of_warp; ++lane) body(lane);
  }

  /// The maximum, and the sum, of the values of all lanes.
  static float maximum(const per_lane<float>& of) { return *std::max_element(of.values.begin(), of.values.end()); }
  static int sum(const per_lane<int>& of) { return std::accumulate(of.values.begin(), of.values.end(), 0); }
  /// Bit i is the value of lane i.
  static std::uint32_t ballot(const per_lane<bool>& of) {
    std::uint32_t result = 0;
    each_lane([&](int lane) { result |= static_cast<std::uint32_t>(of[lane]) << lane; });
    return result;
  }
  /// Every lane gets the sum of the values of its pair, or of its four lanes.
  static void sum_of_two(per_lane<float>& values) {
    for (int lane = 0; lane < lanes_of_warp; lane += 2) {
      values[lane] += values[lane + 1];
      values[lane + 1] = values[lane];
    }
  }
  static void sum_of_four(per_lane<float>& values) {
    for (int first = 0; first < lanes_of_warp; first += 4) {
      const float sum = (values[first] + values[first + 1]) + (values[first + 2] + values[first + 3]);
      for (int lane = first; lane < first + 4; ++lane) values[lane] = sum;
    }
  }

  /// Begins to copy 4, 8 or 16 bytes, aligned so.
  template <int Bytes>
  static void copy_async(void* shared, const void* global) {
    std::memcpy(shared, global, Bytes);
  }
  static void close_group() {}
  /// Waits until at most `Later` groups are under way.
  template <int Later>
  static void wait_for_copies() {}
  /// All lanes see what any lane of the warp has written to shared memory.
  static void synchronize() {}

  /// D = C + A B; D may be C.
  static void multiply_add(per_lane<fragment_c>& D, const per_lane<fragment_a>& A, const per_lane<fragment_b>& B,
                           const per_lane<fragment_c>& C) {
    const auto byte_of = [](std::uint32_t word, int byte) { return (word >> (8 * byte)) & 0xffu; };
    each_lane([&](int lane) {
      D[lane] = C[lane];
      for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + (i >= 2 ? 8 : 0);
        const int column = 2 * (lane % 4) + i % 2;
        for (int k = 0; k < 32; ++k) {
          const int word_of_k = k / 16;
          const int holder = (k % 16) / 4;
          const auto a =
              static_cast<std::int32_t>(byte_of(A[4 * (row % 8) + holder].word[2 * word_of_k + row / 8], k % 4));
          const auto b = static_cast<std::int8_t>(byte_of(B[4 * column + holder].word[word_of_k], k % 4));
          D[lane].sum[i] += a * b;
        }
      }
    });
  }

  /// D = A B for bits.
  static void multiply_bits(per_lane<fragment_c>& D, const per_lane<bit_fragment_a>& A,
                            const per_lane<std::uint32_t>& B) {
    each_lane([&](int lane) {
      D[lane] = {};
      for (int i = 0; i < 4; ++i) {
        const int row = lane / 4;
        const int column = 2 * (lane % 4) + i % 2;
        for (int t = 0; t < 4; ++t) D[lane].sum[i] += std::popcount(A[4 * row + t].word[i / 2] & B[4 * column + t]);
      }
    });
  }
};

#else
/// The warp that the calling thread is a lane of.
struct device_warp {
  template <class T>
  struct per_lane {
    T value;
    __device__ __forceinline__ T& operator[](int /*lane*/) { return value; }
    __device__ __forceinline__ const T& operator[](int /*lane*/) const { return value; }
  };

  template <class Body>
  static __device__ __forceinline__ void each_lane(const Body& body) {
    body(static_cast<int>(threadIdx.x) % lanes_of_warp);
  }

  static __device__ __forceinline__ float maximum(const per_lane<float>& values) {
    float result = values.value;
    for (int distance = lanes_of_warp / 2; distance > 0; distance /= 2) {
      result = fmaxf(result, __shfl_xor_sync(0xffffffffu, result, distance));
    }
    return result;
  }
  static __device__ __forceinline__ int sum(const per_lane<int>& values) {
    return __reduce_add_sync(0xffffffffu, values.value);
  }
  static __device__ __forceinline__ std::uint32_t ballot(const per_lane<bool>& of) {
    return __ballot_sync(0xffffffffu, of.value);
  }
  static __device__ __forceinline__ void sum_of_two(per_lane<float>& values) {
    values.value += __shfl_xor_sync(0xffffffffu, values.value, 1);
  }
  static __device__ __forceinline__ void sum_of_four(per_lane<float>& values) {
    values.value += __shfl_xor_sync(0xffffffffu, values.value, 1);
    values.value += __shfl_xor_sync(0xffffffffu, values.value, 2);
  }

  template <int Bytes>
  static __device__ __forceinline__ void copy_async(void* shared, const void* global) {
    const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    if constexpr (Bytes == 16) {
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(global) : "memory");
    } else {
      asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(to), "l"(global), "n"(Bytes) : "memory");
    }
  }
  static __device__ __forceinline__ void close_group() { asm volatile("cp.async.commit_group;" ::: "memory"); }
  template <int Later>
  static __device__ __forceinline__ void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(Later) : "memory");
  }
  static __device__ __forceinline__ void synchronize() { __syncwarp(); }

  static __device__ __forceinline__ void multiply_add(per_lane<fragment_c>& D, const per_lane<fragment_a>& A,
                                                      const per_lane<fragment_b>& B, const per_lane<fragment_c>& C) {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, "
        "%13};"
        : "=r"(D.value.sum[0]), "=r"(D.value.sum[1]), "=r"(D.value.sum[2]), "=r"(D.value.sum[3])
        : "r"(A.value.word[0]), "r"(A.value.word[1]), "r"(A.value.word[2]), "r"(A.value.word[3]), "r"(B.value.word[0]),
          "r"(B.value.word[1]), "r"(C.value.sum[0]), "r"(C.value.sum[1]), "r"(C.value.sum[2]), "r"(C.value.sum[3]));
  }

  static __device__ __forceinline__ void multiply_bits(per_lane<fragment_c>& D, const per_lane<bit_fragment_a>& A,
                                                       const per_lane<std::uint32_t>& B) {
    asm("mma.sync.aligned.m16n8k128.row.col.s32.b1.b1.s32.and.popc {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %7, %7, %7};"
        : "=r"(D.value.sum[0]), "=r"(D.value.sum[1]), "=r"(D.value.sum[2]), "=r"(D.value.sum[3])
        : "r"(A.value.word[0]), "r"(A.value.word[1]), "r"(B.value), "r"(0));
  }
};
#endif

}  // namespace luq::cuda::detail
