// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Numbers in memory: loads and stores of whole vectors, conversions, and numbers whose type is known at run time.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "luq/core/half.hpp"
#include "luq/kernels/cuda/detail/warp/warp.cuh"

namespace luq::cuda::detail {

/// A stored number as a float.
template <class Stored>
[[nodiscard]] LUQ_DEVICE_CODE float to_float(Stored value) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<Stored, half>) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
    return result;
  }
#endif
  return static_cast<float>(value);
}

/// The number of a type that is nearest to a float.
template <class Stored>
[[nodiscard]] LUQ_DEVICE_CODE Stored rounded_to(float value) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<Stored, half>) {
    Stored result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
  } else if constexpr (std::is_same_v<Stored, bfloat16>) {
    Stored result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
  }
#endif
  return static_cast<Stored>(value);
}

/// @param bytes  aligned as Stored is, in any memory
template <class Stored>
[[nodiscard]] LUQ_DEVICE_CODE Stored load(const void* bytes) {
#ifdef __CUDA_ARCH__
  return *reinterpret_cast<const Stored*>(bytes);  // memcpy can become reads of single bytes
#else
  Stored value;
  std::memcpy(&value, bytes, sizeof(Stored));
  return value;
#endif
}

/// Writes 8 or 16 bytes at once.
/// @param bytes  aligned as Stored is, in global memory
template <class Stored>
LUQ_DEVICE_CODE void store(const Stored& value, void* bytes) {
  static_assert(sizeof(Stored) == 8 || sizeof(Stored) == 16);
#ifdef __CUDA_ARCH__
  // The compiler splits some assignments into their elements.
  if constexpr (sizeof(Stored) == 8) {
    const auto words = std::bit_cast<uint2>(value);
    asm volatile("st.global.v2.u32 [%0], {%1, %2};" ::"l"(bytes), "r"(words.x), "r"(words.y) : "memory");
  } else {
    const auto words = std::bit_cast<uint4>(value);
    asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(bytes), "r"(words.x), "r"(words.y), "r"(words.z),
                 "r"(words.w)
                 : "memory");
  }
#else
  std::memcpy(bytes, &value, sizeof(Stored));
#endif
}

/// The type of numbers in memory, where it is known at run time. As template parameters, types would multiply the
/// number of kernels.
enum class number_type { float32, float16, bfloat16 };

template <class Stored>
[[nodiscard]] constexpr number_type number_type_of() {
  static_assert(std::is_same_v<Stored, float> || std::is_same_v<Stored, half> || std::is_same_v<Stored, luq::bfloat16>,
                "numbers in device memory are float, luq::half or luq::bfloat16");
  return std::is_same_v<Stored, float>  ? number_type::float32
         : std::is_same_v<Stored, half> ? number_type::float16
                                        : number_type::bfloat16;
}

/// Calls body(Stored()) for the type.
template <class Body>
LUQ_DEVICE_CODE void with_number_type(number_type type, const Body& body) {
  if (type == number_type::float32) {
    body(float());
  } else if (type == number_type::float16) {
    body(half());
  } else {
    body(luq::bfloat16());
  }
}

/// Element `position` of an array.
[[nodiscard]] LUQ_DEVICE_CODE float read_number(const void* first, number_type type, std::int64_t position) {
  float result = 0;
  with_number_type(type, [&](auto kind) {
    using Stored = decltype(kind);
    result = to_float(static_cast<const Stored*>(first)[position]);
  });
  return result;
}

/// Rounds a value to element `position` of an array.
LUQ_DEVICE_CODE void write_number(float value, void* first, number_type type, std::int64_t position) {
  with_number_type(type, [&](auto kind) {
    using Stored = decltype(kind);
    static_cast<Stored*>(first)[position] = rounded_to<Stored>(value);
  });
}

inline constexpr int no_column = -1;

/// Several elements of a row of an array, 0 where the column is no_column. There is one branch for the type and not one
/// for each element, so that all of them are requested at once.
/// @param row  position of its first element
template <int Count>
LUQ_DEVICE_CODE void read_numbers(const void* first, number_type type, std::int64_t row, const int (&columns)[Count],
                                  float (&values)[Count]) {
  with_number_type(type, [&](auto kind) {
    using Stored = decltype(kind);
    unrolled<Count>([&](auto i) {
      values[i] = columns[i] == no_column ? 0.0f : to_float(static_cast<const Stored*>(first)[row + columns[i]]);
    });
  });
}

}  // namespace luq::cuda::detail
