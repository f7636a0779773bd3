// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/detail/parameter_storage.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "codecs/codec_test_support.hpp"
#include "luq/codecs/code_group.hpp"
#include "luq/core/half.hpp"
#include "luq/core/matrix_view.hpp"
#include "luq/core/random_matrix.hpp"
#include "quantizers/codec_list.hpp"

using luq::matrix;
using luq::detail::parameter_counter;
using luq::detail::parameter_reader;
using luq::detail::parameter_writer;
using luq_test::hex;

TEST_CASE("scales are stored parameter by parameter, little-endian") {
  matrix values(2, 2);
  values << 1, 0.5f, -2, 0.25f;
  std::vector<std::byte> halves(8);
  parameter_writer(values.data(), 2, 2, halves).scales<luq::half>(2);
  CHECK(hex(halves) == "00 3c 00 c0 00 38 00 34 ");  // 1, -2, then 0.5, 0.25
  std::vector<std::byte> floats(16);
  parameter_writer(values.data(), 2, 2, floats).scales<float>(2);
  CHECK(hex(floats) == "00 00 80 3f 00 00 00 c0 00 00 00 3f 00 00 80 3e ");

  matrix again(2, 2);
  parameter_reader(halves, again.data(), 2, 2).scales<luq::half>(2);
  CHECK(again == values);
  again.setZero();
  parameter_reader(floats, again.data(), 2, 2).scales<float>(2);
  CHECK(again == values);
}

TEST_CASE("scales are read from and written to blocks of larger matrices") {
  matrix values(2, 3);
  values << 1, 2, 3, 4, 5, 6;
  std::vector<std::byte> bytes(4);
  parameter_writer(values.data() + 1, 2, 3, bytes).scales<luq::half>(1);
  CHECK(hex(bytes) == "00 40 00 45 ");  // 2 and 5
  parameter_reader(bytes, values.data(), 2, 3).scales<luq::half>(1);
  CHECK(values(0, 0) == 2);
  CHECK(values(1, 0) == 5);
  CHECK(values(0, 1) == 2);
  CHECK(values(1, 2) == 6);
}

TEST_CASE("parameters are read one kind after the other, each from where the last one ended") {
  // Three rows of a half, three 3-bit integers 5, 0 and 7, nothing, a half and a float.
  const std::vector<std::byte> bytes = [] {
    std::vector<std::byte> result;
    for (const int byte : {0x00, 0x3c, 0x00, 0x40, 0x00, 0xc4, 0xc5, 0x01, 0x00, 0x38, 0x00, 0x38, 0x00, 0x34,  //
                           0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x40, 0xc0}) {
      result.push_back(static_cast<std::byte>(byte));
    }
    return result;
  }();
  matrix values = matrix::Constant(3, 5, -9.0f);
  parameter_reader reader(bytes, values.data(), 3, 5);
  reader.scales<luq::half>(1);
  reader.bit_packed<3>();
  reader.constant(8.0f);
  reader.scales<luq::half>(1);
  reader.scales<float>(1);
  matrix expected(3, 5);
  expected << 1, 5, 8, 0.5f, 1, 2, 0, 8, 0.5f, 2, -4, 7, 8, 0.25f, -3;
  CHECK(values == expected);

  const auto describe = [](auto&& visitor) {
    visitor.template scales<luq::half>(1);
    visitor.template bit_packed<3>();
    visitor.constant(8.0f);
    visitor.template scales<luq::half>(1);
    visitor.template scales<float>(1);
  };
  std::vector<std::byte> written(bytes.size(), std::byte{0xff});
  describe(parameter_writer(values.data(), 3, 5, written));
  CHECK(written == bytes);
  parameter_counter counter{3};
  describe(counter);
  CHECK(counter.bytes == static_cast<luq::index>(bytes.size()));
}

TEST_CASE("every codec reads the parameters that it packed, for any number of rows of a tile") {
  luq_test::for_each_codec(8, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    for (const luq::index rows : {1, 2, 5, 63, 64}) {
      CAPTURE(rows);
      const matrix fitted = luq::fit_group(codec, luq::random_normal_matrix(rows, 8, luq::counter_rng(2)), {}).values;
      std::vector<std::byte> bytes(static_cast<std::size_t>(luq::detail::parameter_bytes(codec, rows)));
      codec.read_parameters(parameter_writer(fitted.data(), rows, fitted.cols(), bytes));
      matrix again = matrix::Constant(rows, luq::parameter_count<std::decay_t<decltype(codec)>>, -9.0f);
      codec.read_parameters(parameter_reader(bytes, again.data(), rows, again.cols()));
      CHECK(again == fitted);
    }
  });
}
