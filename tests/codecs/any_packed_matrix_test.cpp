// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/any_packed_matrix.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "codec_test_support.hpp"
#include "quantizers/codec_list.hpp"

using luq::any_codec;
using luq::any_packed_matrix;
using luq_test::hex;

static_assert(std::variant_size_v<any_packed_matrix> == std::variant_size_v<any_codec>);
static_assert(std::is_same_v<std::variant_alternative_t<4, any_packed_matrix>,
                             luq::packed_matrix<std::variant_alternative_t<4, any_codec>>>);

TEST_CASE("a packed matrix of any codec says what it is") {
  luq_test::for_each_codec(16, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const luq::packed_matrix packed = luq::pack(luq_test::random_coded_matrix(codec, 66, 40, 1));
    const any_packed_matrix any = packed;
    CHECK(luq::rows_of(any) == 66);
    CHECK(luq::cols_of(any) == 40);
    CHECK(luq::codec_of(any) == any_codec(codec));
    CHECK(hex(luq::bytes_of(any)) == hex(packed.bytes()));
    CHECK(luq::decode(any) == packed.unpack().decode());
    CHECK(luq::transform_of(any) == nullptr);
  });
}

TEST_CASE("a matrix made of bytes is the one that they were packed from") {
  luq_test::for_each_codec(16, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto coded = luq_test::random_coded_matrix(codec, 66, 40, 2);
    const luq::packed_matrix packed = luq::pack(coded);
    luq::aligned_buffer<std::byte> bytes(packed.bytes().begin(), packed.bytes().end());
    const std::byte* const data = bytes.data();
    const any_packed_matrix any = luq::make_packed_matrix(any_codec(codec), 66, 40, std::move(bytes));
    CHECK(std::holds_alternative<luq::packed_matrix<std::decay_t<decltype(codec)>>>(any));
    CHECK(luq::codec_of(any) == any_codec(codec));
    CHECK(luq::rows_of(any) == 66);
    CHECK(luq::cols_of(any) == 40);
    CHECK(luq::bytes_of(any).data() == data);  // taken over, not copied
    CHECK(luq::decode(any) == coded.decode());
  });
}

TEST_CASE("a wrong number of bytes is a corrupt file") {
  luq_test::for_each_codec(16, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto right = static_cast<std::size_t>(luq::packed_bytes(codec, 66, 40));
    for (const std::size_t wrong : {std::size_t{0}, right - 1, right + 1}) {
      luq_test::check_fails(luq::errc::corrupt_file, "expected " + std::to_string(right) + " bytes, got ", [&] {
        (void)luq::make_packed_matrix(luq::any_codec(codec), 66, 40, luq::aligned_buffer<std::byte>(wrong));
      });
    }
  });
}
