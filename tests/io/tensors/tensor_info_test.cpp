// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/tensors/tensor_info.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "luq/io/tensors/detail/element_count.hpp"

using luq::tensor_dtype;

namespace {

TEST_CASE("names and widths of the element types") {
  using enum tensor_dtype;
  struct row {
    std::string_view name;
    tensor_dtype dtype;
    std::uint64_t bits;
  };
  const std::vector<row> expected = {
      {"BOOL", boolean, 8},
      {"F4", f4, 4},
      {"F6_E2M3", f6_e2m3, 6},
      {"F6_E3M2", f6_e3m2, 6},
      {"U8", u8, 8},
      {"I8", i8, 8},
      {"F8_E5M2", f8_e5m2, 8},
      {"F8_E4M3", f8_e4m3, 8},
      {"F8_E8M0", f8_e8m0, 8},
      {"F8_E4M3FNUZ", f8_e4m3fnuz, 8},
      {"F8_E5M2FNUZ", f8_e5m2fnuz, 8},
      {"I16", i16, 16},
      {"U16", u16, 16},
      {"F16", f16, 16},
      {"BF16", bf16, 16},
      {"I32", i32, 32},
      {"U32", u32, 32},
      {"F32", f32, 32},
      {"C64", c64, 64},
      {"F64", f64, 64},
      {"I64", i64, 64},
      {"U64", u64, 64},
  };
  CHECK(expected.size() == static_cast<std::size_t>(unknown));
  for (const row& row : expected) {
    CAPTURE(row.name);
    CHECK((luq::parse_dtype(row.name) == row.dtype));
    CHECK(luq::dtype_name(row.dtype) == row.name);
    CHECK(luq::dtype_bits(row.dtype) == row.bits);
  }
  for (const std::string_view name : {"", "f32", "F32 ", "F128", "unknown", "F", "BF1"}) {
    CAPTURE(name);
    CHECK((luq::parse_dtype(name) == unknown));
  }
  CHECK(luq::dtype_name(unknown) == "unknown");
  CHECK(luq::dtype_bits(unknown) == 0);
}

TEST_CASE("types of C++ have the element type of their size and kind") {
  static_assert(luq::dtype_of<bool>() == tensor_dtype::boolean);
  static_assert(luq::dtype_of<luq::half>() == tensor_dtype::f16);
  static_assert(luq::dtype_of<luq::bfloat16>() == tensor_dtype::bf16);
  static_assert(luq::dtype_of<float>() == tensor_dtype::f32);
  static_assert(luq::dtype_of<double>() == tensor_dtype::f64);
  static_assert(luq::dtype_of<std::int8_t>() == tensor_dtype::i8);
  static_assert(luq::dtype_of<std::uint8_t>() == tensor_dtype::u8);
  static_assert(luq::dtype_of<std::int16_t>() == tensor_dtype::i16);
  static_assert(luq::dtype_of<std::uint16_t>() == tensor_dtype::u16);
  static_assert(luq::dtype_of<std::int32_t>() == tensor_dtype::i32);
  static_assert(luq::dtype_of<std::uint32_t>() == tensor_dtype::u32);
  static_assert(luq::dtype_of<std::int64_t>() == tensor_dtype::i64);
  static_assert(luq::dtype_of<std::uint64_t>() == tensor_dtype::u64);
  static_assert(luq::dtype_of<void*>() == tensor_dtype::unknown);
  static_assert(luq::dtype_of<long double>() == tensor_dtype::unknown);
}

TEST_CASE("element counts are checked from the left") {
  constexpr luq::index big = luq::index{1} << 40;
  CHECK(luq::detail::checked_element_count({}) == 1);
  CHECK(luq::detail::checked_element_count({3, 5}) == 15);
  CHECK(luq::detail::checked_element_count({0, big, big}) == 0);
  CHECK(luq::detail::checked_element_count({big, 1 << 22}) == std::uint64_t{1} << 62);
  CHECK_FALSE(luq::detail::checked_element_count({big, 1 << 23}));
  CHECK_FALSE(luq::detail::checked_element_count({big, big, 0}));
  CHECK(luq::shape_text({}) == "[]");
  CHECK(luq::shape_text({2, 3}) == "[2, 3]");
}

}  // namespace
