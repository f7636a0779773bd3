// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A GGUF file written by llama.cpp's own Python package, gguf 0.19.0, with every type of value, and what is in it:
//
//   w = GGUFWriter(path, "llama")
//   w.add_uint8("t.u8", 200) ... w.add_float64("t.f64", 0.1)                 one key of each plain type
//   w.add_key_value("a.u8", [1, 255], V.ARRAY, V.UINT8) ...                  and four arrays
//   w.add_tensor("norm", np.array([1.5, -2.0, 0.25], dtype=np.float32))
//   w.add_tensor("up", np.arange(72, dtype=np.uint8).reshape(2, 36), raw_dtype=Q.Q4_0)
//   w.add_tensor("sign", np.arange(18, dtype=np.uint8).reshape(1, 18), raw_dtype=Q.Q1_0)
//   w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file()
//
// and a spelling of files by hand, for all that such a package would not write.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf_value.hpp"

namespace luq_test {

[[nodiscard]] inline std::string from_hex(std::string_view digits) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(16 * digit(digits[i]) + digit(digits[i + 1]));
  }
  return bytes;
}

inline constexpr std::string_view gguf_reference_hex =
    "474755460300000003000000000000001100000000000000140000000000000067656e6572616c2e6172636869746563747572650800"
    "000005000000000000006c6c616d610400000000000000742e753800000000c80400000000000000742e6938010000009c0500000000"
    "000000742e7531360200000060ea0500000000000000742e69313603000000d08a0500000000000000742e7533320400000000286bee"
    "0500000000000000742e69333205000000006cca880500000000000000742e663332060000000000c03f0600000000000000742e626f"
    "6f6c07000000010500000000000000742e737472080000000300000000000000c3a90a0500000000000000742e7536340a0000000500"
    "0000000000800500000000000000742e6936340b00000000000000000000800500000000000000742e6636340c0000009a9999999999"
    "b93f0400000000000000612e75380900000000000000020000000000000001ff0500000000000000612e693332090000000500000003"
    "00000000000000ffffffff02000000030000000500000000000000612e73747209000000080000000200000000000000010000000000"
    "0000780200000000000000797a0600000000000000612e626f6f6c090000000700000003000000000000000100010400000000000000"
    "6e6f726d0100000003000000000000000000000000000000000000000200000000000000757002000000400000000000000002000000"
    "0000000002000000200000000000000004000000000000007369676e0200000080000000000000000100000000000000290000008000"
    "00000000000000000000000000000000c03f000000c00000803e00000000000000000000000000000000000000000001020304050607"
    "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d"
    "3e3f4041424344454647000000000000000000000000000000000000000000000000000102030405060708090a0b0c0d0e0f10110000"
    "000000000000000000000000";

/// The whole file, 768 bytes.
[[nodiscard]] inline std::string gguf_reference() {
  return from_hex(gguf_reference_hex);
}

/// Its keys and values, in its order.
[[nodiscard]] inline std::vector<luq::gguf_entry> gguf_reference_metadata() {
  return {{"general.architecture", "llama"},
          {"t.u8", std::uint8_t{200}},
          {"t.i8", std::int8_t{-100}},
          {"t.u16", std::uint16_t{60000}},
          {"t.i16", std::int16_t{-30000}},
          {"t.u32", std::uint32_t{4000000000}},
          {"t.i32", std::int32_t{-2000000000}},
          {"t.f32", 1.5f},
          {"t.bool", true},
          {"t.str", "\xC3\xA9\n"},
          {"t.u64", (std::uint64_t{1} << 63) + 5},
          {"t.i64", std::numeric_limits<std::int64_t>::min()},
          {"t.f64", 0.1},
          {"a.u8", luq::gguf_array(std::vector<std::uint8_t>{1, 255})},
          {"a.i32", luq::gguf_array(std::vector<std::int32_t>{-1, 2, 3})},
          {"a.str", luq::gguf_array(std::vector<std::string>{"x", "yz"})},
          {"a.bool", luq::gguf_array(std::vector<bool>{true, false, true})}};
}

struct gguf_reference_tensor {
  std::string name;
  luq::ggml_type type;
  std::vector<luq::index> shape;  // slowest extent first
  std::string data;
};

/// Bytes 0, 1, 2, ...
[[nodiscard]] inline std::string counting_bytes(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(i & 0xffu);
  return bytes;
}

/// Its tensors, in its order.
[[nodiscard]] inline std::vector<gguf_reference_tensor> gguf_reference_tensors() {
  return {{"norm", luq::ggml_type::f32, {3}, from_hex("0000c03f000000c00000803e")},
          {"up", luq::ggml_type::q4_0, {2, 64}, counting_bytes(72)},
          {"sign", luq::ggml_type::q1_0, {1, 128}, counting_bytes(18)}};
}

/// A file spelled field by field.
class gguf_spelling {
 public:
  template <class T>
  gguf_spelling& number(T value) {
    using bits =
        std::conditional_t<sizeof(T) == 1, std::uint8_t,
                           std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                              std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
    const std::uint64_t word = std::bit_cast<bits>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes_ += static_cast<char>((word >> (8 * i)) & 0xffu);
    return *this;
  }

  gguf_spelling& text(std::string_view value) { return number(std::uint64_t{value.size()}).raw(value); }

  gguf_spelling& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  /// Magic, version and counts.
  gguf_spelling& begin(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    return raw("GGUF").number(version).number(tensors).number(keys);
  }

  gguf_spelling& key(std::string_view name, std::int32_t type) { return text(name).number(type); }

  /// @param extents  fastest first, as in the file
  gguf_spelling& tensor(std::string_view name, const std::vector<std::int64_t>& extents, std::int32_t type,
                        std::uint64_t offset) {
    text(name).number(static_cast<std::uint32_t>(extents.size()));
    for (const std::int64_t extent : extents) number(extent);
    return number(type).number(offset);
  }

  /// Zeros up to a multiple of the alignment, counted from the beginning of the file.
  gguf_spelling& pad(std::size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment, '\0');
    return *this;
  }

  gguf_spelling& zeros(std::size_t count) {
    bytes_.append(count, '\0');
    return *this;
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace luq_test
