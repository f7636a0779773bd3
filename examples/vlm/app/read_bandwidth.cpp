// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "read_bandwidth.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <luq/core/assert.hpp>
#include <xsimd/xsimd.hpp>

namespace vlm {

namespace {

/// Exclusive or of the whole words of a buffer: something that depends on every one of them. Eight sums at once, since
/// one chain of operations would be slower than the nearest cache.
std::uint64_t fold(std::span<const std::byte> bytes) {
  using batch = xsimd::batch<std::uint64_t>;
  constexpr std::size_t word = sizeof(std::uint64_t);
  std::array<batch, 8> sums;
  sums.fill(batch(std::uint64_t{0}));
  std::size_t at = 0;
  for (; at + sums.size() * batch::size * word <= bytes.size(); at += sums.size() * batch::size * word) {
    const auto* const words = reinterpret_cast<const std::uint64_t*>(bytes.data() + at);
    for (std::size_t v = 0; v < sums.size(); ++v) sums[v] = sums[v] ^ batch::load_unaligned(words + v * batch::size);
  }
  for (std::size_t v = 1; v < sums.size(); ++v) sums[0] = sums[0] ^ sums[v];
  std::array<std::uint64_t, batch::size> lanes;
  sums[0].store_unaligned(lanes.data());
  std::uint64_t result = 0;
  for (const std::uint64_t lane : lanes) result ^= lane;
  for (; at + word <= bytes.size(); at += word) {
    std::uint64_t last;
    std::memcpy(&last, bytes.data() + at, word);
    result ^= last;
  }
  return result;
}

/// Part `number` of `parts` of a buffer. Parts begin at cache lines, as far as the buffer does.
std::span<const std::byte> part_of(std::span<const std::byte> buffer, std::size_t number, std::size_t parts) {
  constexpr std::size_t line = 64;
  const auto border = [&](std::size_t n) {
    return n == parts ? buffer.size() : n * buffer.size() / parts / line * line;
  };
  return buffer.subspan(border(number), border(number + 1) - border(number));
}

}  // namespace

double read_bandwidth(const std::vector<std::span<const std::byte>>& buffers, const luq::openmp_executor& executor) {
  using clock = std::chrono::steady_clock;
  std::size_t bytes = 0;
  for (const auto buffer : buffers) bytes += buffer.size();
  LUQ_ASSERT(bytes > 0);
  const auto threads = static_cast<std::size_t>(executor.concurrency());
  std::vector<std::uint64_t> folded(threads, 0);
  const auto start = clock::now();
  double passes = 0;
  double seconds = 0;
  do {
    executor.parallel_for(static_cast<luq::index>(threads), [&](luq::index thread) {
      std::uint64_t sum = 0;
      for (const auto buffer : buffers) sum ^= fold(part_of(buffer, static_cast<std::size_t>(thread), threads));
      folded[static_cast<std::size_t>(thread)] ^= sum;
    });
    ++passes;
    seconds = std::chrono::duration<double>(clock::now() - start).count();
  } while (seconds < 0.02);
  volatile std::uint64_t sink = 0;  // what nobody uses a compiler need not read
  for (const std::uint64_t sum : folded) sink = sink ^ sum;
  return passes * static_cast<double>(bytes) / seconds;
}

}  // namespace vlm
