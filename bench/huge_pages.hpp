// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Memory for weights that are streamed. On Linux huge pages are asked for with madvise(), which the system grants where
// transparent huge pages are set to "madvise" or "always"; elsewhere nothing is done and pages are what they are. Fewer
// pages spare a reader look-ups, on virtual machines above all: one thread on Zen 4 read a quarter faster.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "luq/core/aligned_buffer.hpp"

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace luq_bench {

#ifdef __linux__
namespace detail {

/// Advice on [first, first + size), widened to multiples of `unit` bytes. It may be refused, which does no harm.
inline void advise(void* first, std::size_t size, std::size_t unit, int advice) {
  const auto address = reinterpret_cast<std::uintptr_t>(first);
  const std::uintptr_t begin = address / unit * unit;
  const std::uintptr_t end = (address + size + unit - 1) / unit * unit;
  madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

}  // namespace detail
#endif

/// Asks for huge pages in [first, first + size) and in what else lies on its first and last page, so that no gap
/// separates neighbours. Pages that were touched before stay as they are.
inline void advise_huge_pages([[maybe_unused]] void* first, [[maybe_unused]] std::size_t size) {
#ifdef __linux__
  detail::advise(first, size, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), MADV_HUGEPAGE);
#endif
}

/// Turns pages that were touched already into huge ones, in Linux 6.1 and newer.
inline void collapse_into_huge_pages([[maybe_unused]] void* first, [[maybe_unused]] std::size_t size) {
#ifdef __linux__
  constexpr int collapse = 25;  // MADV_COLLAPSE, which glibc 2.36 does not name yet
  detail::advise(first, size, std::size_t{2} << 20, collapse);
#endif
}

/// `count` copies of `bytes`, in huge pages where they are to be had. All are allocated before the first is written, so
/// that most are neighbours and huge pages can lie across two of them. What the allocator notes between them takes a
/// small page; the last step mends that.
inline std::vector<luq::aligned_buffer<std::byte>> copies_in_huge_pages(std::span<const std::byte> bytes,
                                                                        std::size_t count) {
  std::vector<luq::aligned_buffer<std::byte>> copies(count);
  for (auto& copy : copies) copy.reserve(bytes.size());  // unlike resize() touches nothing
  for (auto& copy : copies) advise_huge_pages(copy.data(), copy.capacity());
  for (auto& copy : copies) copy.assign(bytes.begin(), bytes.end());
  for (auto& copy : copies) collapse_into_huge_pages(copy.data(), copy.capacity());
  return copies;
}

}  // namespace luq_bench
