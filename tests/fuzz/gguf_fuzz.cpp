// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <luq/io/gguf/gguf.hpp>

#include "hostile_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return luq_fuzz::read_hostile({data, size}, {.multiple = 16}, [](std::span<const std::byte> bytes) {
    const luq::gguf_reader file(bytes, "fuzz");
    for (const luq::gguf_entry& entry : file.metadata()) {
      luq_fuzz::require(file.find_value(entry.key) == &entry.value, "a key that is not found");
    }
    for (const luq::gguf_tensor_info& tensor : file.tensors()) {
      try {
        luq_fuzz::require_within(file.bytes(tensor.name), bytes);
      } catch (const luq::error&) {
        // A type that is not known makes a tensor unreadable, not the file.
      }
    }
  });
}
