// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "allocation_meter.hpp"

#include <algorithm>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define LUQ_FUZZ_HAS_HOOKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LUQ_FUZZ_HAS_HOOKS 1
#endif
#endif

#ifdef LUQ_FUZZ_HAS_HOOKS
#include <sanitizer/allocator_interface.h>
#endif

namespace luq_fuzz {

namespace {

bool counting = false;
std::int64_t live = 0;  // may fall below zero: what was there before may be freed
std::int64_t most = 0;

#ifdef LUQ_FUZZ_HAS_HOOKS
void on_allocation(const volatile void* /*memory*/, std::size_t bytes) {
  if (!counting) return;
  live += static_cast<std::int64_t>(bytes);
  most = std::max(most, live);
}

void on_deallocation(const volatile void* memory) {
  if (!counting || memory == nullptr) return;
  live -= static_cast<std::int64_t>(__sanitizer_get_allocated_size(const_cast<const void*>(memory)));
}

[[maybe_unused]] const int installed = __sanitizer_install_malloc_and_free_hooks(on_allocation, on_deallocation);
#endif

}  // namespace

allocation_meter::allocation_meter() {
  live = 0;
  most = 0;
  counting = true;
}

allocation_meter::~allocation_meter() {
  counting = false;
}

std::size_t allocation_meter::peak() const {
  return static_cast<std::size_t>(most);
}

}  // namespace luq_fuzz
