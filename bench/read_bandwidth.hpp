// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The yardstick of products that are bound by memory: reading the same buffers from one end to the other and doing
// nothing else, without software prefetch. A kernel that prefetches can be faster than this by a few hundredths.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <xsimd/xsimd.hpp>

#include "luq/core/executor.hpp"

namespace luq_bench {

/// Reads all bytes on the calling thread, eight vectors at once: one chain of operations would be slower than the
/// nearest cache.
inline void read_bytes(std::span<const std::byte> bytes) {
  using batch = xsimd::batch<unsigned char>;
  constexpr std::size_t vectors = 8;
  std::array<batch, vectors> sums;  // whose address must go nowhere, or every step may store them
  sums.fill(batch(static_cast<unsigned char>(0)));
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t i = 0;
  batch total(static_cast<unsigned char>(0));
  [&]<std::size_t... v>(std::index_sequence<v...>) {
    for (; i + vectors * batch::size <= bytes.size(); i += vectors * batch::size) {
      ((sums[v] = sums[v] ^ batch::load_unaligned(data + i + v * batch::size)), ...);
    }
    ((total = total ^ sums[v]), ...);
  }(std::make_index_sequence<vectors>());
  unsigned char rest = 0;
  for (; i < bytes.size(); ++i) rest = static_cast<unsigned char>(rest ^ data[i]);
  benchmark::DoNotOptimize(total);
  benchmark::DoNotOptimize(rest);
}

/// Reads each buffer once, in order; of every buffer each thread reads its own contiguous part, as in a product.
/// Threads do not wait for each other between buffers.
template <luq::Executor E>
void read_buffers(std::span<const std::span<const std::byte>> buffers, const E& executor) {
  const auto threads = static_cast<std::size_t>(executor.concurrency());
  executor.parallel_for(static_cast<luq::index>(threads), [&](luq::index thread) {
    constexpr std::size_t line = 64;
    for (const std::span<const std::byte> buffer : buffers) {
      const std::size_t part = (buffer.size() / threads + line - 1) / line * line;
      const std::size_t first = std::min(static_cast<std::size_t>(thread) * part, buffer.size());
      read_bytes(buffer.subspan(first, std::min(part, buffer.size() - first)));
    }
  });
}

}  // namespace luq_bench
