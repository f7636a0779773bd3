// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <luq/io/safetensors/safetensors.hpp>
#include <string>
#include <vector>

#include "hostile_input.hpp"

namespace {

constexpr std::size_t length_field = sizeof(std::uint64_t);

/// Reads one tensor in every way; a type that a way does not serve is refused by it.
void read_tensor(const luq::safetensors_reader& file, const std::string& name, std::span<const std::byte> bytes) {
  const auto refusable = [](const auto& read) {
    try {
      read();
    } catch (const luq::error&) {
      // Another way may do.
    }
  };
  refusable([&] { luq_fuzz::require_within(file.bytes(name), bytes); });
  refusable([&] { (void)file.read_matrix(name, {.require_finite = true}); });
  refusable([&] { (void)file.read_floats(name); });
  refusable([&] { (void)file.read_integers(name); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return luq_fuzz::read_hostile({data, size}, {.multiple = 64}, [](std::span<const std::byte> bytes) {
    const luq::safetensors_reader file(bytes, "fuzz");
    luq_fuzz::require(file.header_bytes() <= file.file_bytes(), "a header beyond the end of its file");
    for (const std::string& name : file.names()) read_tensor(file, name, bytes);
  });
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

/// Half of the mutations are of the header alone and keep its length true; else hardly any would get past the first
/// check.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  std::uint64_t length = 0;
  if (size >= length_field) std::memcpy(&length, data, length_field);
  if (seed % 2 == 0 || size < length_field || length > size - length_field) return LLVMFuzzerMutate(data, size, most);
  const std::vector<std::uint8_t> values(data + length_field + length, data + size);
  std::uint8_t* const header = data + length_field;
  length = LLVMFuzzerMutate(header, static_cast<std::size_t>(length), most - length_field - values.size());
  std::memcpy(data, &length, length_field);
  std::copy(values.begin(), values.end(), header + length);
  return length_field + static_cast<std::size_t>(length) + values.size();
}
