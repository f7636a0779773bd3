// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// How far ahead of its reading a kernel asks for packed weights. Processors differ, and the wrong answer costs up to
// half of the bandwidth:
//
//   most            8 KiB ahead into the first-level cache: their own prefetchers stop at each 4 KiB page and are late
//                   for a kernel that takes longer for a line than a plain read does.
//   AMD family 19h  (Zen 3, Zen 4) such requests take the few buffers that plain loads need: int4 streams a quarter
//                   slower than without any, while planes of 1 and 2 bits, whose kernels take longer for a line, stream
//                   up to 1.7 times as fast with requests 16 KiB ahead into the second level.
//
// Second-level requests instead cost a Zen 5 core much: signs stream at 0.53 of the read bandwidth with them and at
// 0.83 without, and int4 takes 1.5 times as long for eight tokens.
#pragma once

#include <cstddef>
#include <cstdint>

#include "luq/core/index.hpp"
#include "luq/core/inline.hpp"
#include "luq/kernels/instruction_set.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace luq::detail {

enum class cache_level { first, second };

/// The processor is of AMD's family 19h. A variable that asks the processor itself would do so as the program starts,
/// by code of every translation unit, also of those that are compiled for instructions which the machine has not.
inline constinit bool is_amd_family_19h = false;

/// Sets is_amd_family_19h, once; to be called before the first product.
inline void recognise_processor() {
#if defined(__x86_64__)
  [[maybe_unused]] static const bool done = [] {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    const bool is_amd = __get_cpuid(0, &eax, &ebx, &ecx, &edx) != 0 && ebx == signature_AMD_ebx;
    const bool has_family = __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0;
    is_amd_family_19h = is_amd && has_family && ((eax >> 8) & 0xfu) + ((eax >> 20) & 0xffu) == 0x19;
    return true;
  }();
#endif
}

/// Asks for the cache line `distance` bytes after `address`, which may lie beyond the end of the matrix.
template <class Lanes, cache_level Level>
LUQ_ALWAYS_INLINE void prefetch_at(const std::byte* address, std::uintptr_t distance) {
  Lanes::template prefetch<Level>(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(address) + distance));
}

/// Asks for weights that are soon read, given those that are read now.
/// @tparam SymbolsPerByte  of a plane that a single token is multiplied with; 8 also stands for whatever else is read
template <class Lanes, index SymbolsPerByte = 8>
LUQ_ALWAYS_INLINE void prefetch_weights(const std::byte* address) {
  if (!is_amd_family_19h) {
    prefetch_at<Lanes, cache_level::first>(address, 8192);
  } else if constexpr (SymbolsPerByte >= 4) {
    prefetch_at<Lanes, cache_level::second>(address, 16384);
  }
}

/// Asks for weights that are soon read in equal shares, while others are multiplied: many requests at once would wait
/// for each other, and nothing is multiplied meanwhile.
template <class Lanes>
class upcoming_weights {
 public:
  upcoming_weights() = default;
  /// @param bytes   what is read now
  /// @param shares  how often request_share() will be called, or more
  LUQ_ALWAYS_INLINE upcoming_weights(const std::byte* bytes, index size, index shares)
      : next_(bytes), end_(bytes + size), share_((size + 64 * shares - 1) / (64 * shares) * 64) {}

  LUQ_ALWAYS_INLINE void request_share() { request_up_to(end_ - next_ < share_ ? end_ : next_ + share_); }
  LUQ_ALWAYS_INLINE void request_rest() { request_up_to(end_); }

 private:
  LUQ_ALWAYS_INLINE void request_up_to(const std::byte* end) {
    for (; next_ < end; next_ += 64) prefetch_weights<Lanes>(next_);
  }

  const std::byte* next_ = nullptr;
  const std::byte* end_ = nullptr;
  index share_ = 0;
};

}  // namespace luq::detail
