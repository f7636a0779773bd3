// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What holds for packed matrices of any codec; the bytes of each codec are in the tests of that codec.
#include "luq/codecs/packed_matrix.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "codec_test_support.hpp"
#include "luq/codecs/detail/stored_places.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/core/openmp_executor.hpp"
#include "quantizers/codec_list.hpp"

using luq::matrix;
using luq::packed_matrix;
using luq_test::check_fails;
using luq_test::for_each_codec;
using luq_test::hex;
using luq_test::random_coded_matrix;

namespace {

luq::aligned_buffer<std::byte> copy_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

std::vector<float> packed_factors(luq::index columns) {
  std::vector<float> factors;
  for (luq::index c = 0; c < columns; ++c) factors.push_back(0.25f + static_cast<float>(c % 13) / 8.0f);
  return factors;
}

}  // namespace

TEST_CASE("two row tiles and two groups, tile by tile") {
  // 66 rows of 9 columns in groups of 8: row r holds the bits of r and, in the last column, whether r is odd.
  luq::coded_matrix coded(luq::sign_codec{.group = 8}, 66, 9);
  for (std::size_t g = 0; g < 2; ++g) coded.groups[g].values.resize(66, 1);
  for (luq::index r = 0; r < 66; ++r) {
    for (luq::index bit = 0; bit < 8; ++bit) coded.codes(r, bit) = (r >> bit) % 2 != 0;
    coded.codes(r, 8) = r % 2 != 0;
    coded.groups[0].values(r, 0) = 1;
    coded.groups[1].values(r, 0) = r < 65 ? 2 : 4;
  }
  const packed_matrix packed = luq::pack(coded);
  const auto bytes = packed.bytes();
  REQUIRE(bytes.size() == 396);
  const auto byte = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
  for (std::size_t r = 0; r < 64; ++r) {
    CHECK(byte(r) == static_cast<int>(r));            // row tile 0, group 0: one byte of signs a row,
    CHECK(byte(64 + 2 * r + 1) == 0x3c);              //   then the scale 1 of each row
    CHECK(byte(192 + r) == static_cast<int>(r % 2));  // row tile 0, group 1
    CHECK(byte(256 + 2 * r + 1) == 0x40);             //   the scale 2
  }
  CHECK(hex(bytes.subspan(384)) ==
        "40 41 00 3c 00 3c "    // row tile 1 has two rows: group 0,
        "00 01 00 40 00 44 ");  // and group 1

  CHECK(packed.tile(0, 1).data() == bytes.data() + 192);
  CHECK(packed.tile(0, 1).size() == 192);
  CHECK(hex(packed.tile(1, 0)) == "40 41 00 3c 00 3c ");
  CHECK(packed.tile_parameters(1, 0) == matrix::Ones(2, 1));
  CHECK(packed.tile_parameters(1, 1)(0, 0) == 2);
  CHECK(packed.tile_parameters(1, 1)(1, 0) == 4);
  CHECK(packed.at(65, 6) == 1);
  CHECK(packed.at(65, 7) == -1);
  CHECK(packed.at(65, 8) == 4);
  CHECK(packed.at(64, 8) == -2);
}

TEST_CASE("columns of class 1 come first, each class in its order") {
  using places = std::vector<luq::index>;
  const std::vector<std::uint8_t> classes{0, 1, 0, 0, 1};
  CHECK(luq::detail::stored_places(classes, 5) == places{2, 0, 3, 4, 1});
  CHECK(luq::detail::stored_places({}, 3) == places{0, 1, 2});
  const std::vector<std::uint8_t> same{1, 1, 1};
  CHECK(luq::detail::stored_places(same, 3) == places{0, 1, 2});
  CHECK(luq::detail::stored_places({}, 0).empty());
}

TEST_CASE("a packed matrix made of the bytes of another is that other") {
  for (const luq::index group : {luq::whole_row, luq::index{1}, luq::index{22}, luq::index{100}}) {
    for_each_codec(group, [&](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      const packed_matrix packed = luq::pack(random_coded_matrix(codec, 67, 51, 1));
      const packed_matrix again(codec, 67, 51, copy_of(packed.bytes()));
      CHECK(again.codec() == codec);
      CHECK(again.rows() == 67);
      CHECK(again.cols() == 51);
      CHECK(again.unpack().decode() == packed.unpack().decode());
      CHECK(hex(luq::pack(again.unpack()).bytes()) == hex(packed.bytes()));
    });
  }
}

TEST_CASE("bytes are taken over, not copied") {
  const luq::sign_codec codec{.group = 8};
  luq::aligned_buffer<std::byte> bytes(static_cast<std::size_t>(luq::packed_bytes(codec, 5, 20)));
  const std::byte* const data = bytes.data();
  CHECK(packed_matrix(codec, 5, 20, std::move(bytes)).bytes().data() == data);
}

TEST_CASE("a wrong number of bytes is a corrupt file") {
  for_each_codec(16, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto right = static_cast<std::size_t>(luq::packed_bytes(codec, 70, 40));
    for (const std::size_t wrong : {std::size_t{0}, std::size_t{1}, right - 1, right + 1, 2 * right}) {
      check_fails(luq::errc::corrupt_file,
                  "packed matrix of codec " + luq::codec_name(codec) + ", 70 x 40: expected " + std::to_string(right) +
                      " bytes, got " + std::to_string(wrong),
                  [&] { packed_matrix(codec, 70, 40, luq::aligned_buffer<std::byte>(wrong)); });
    }
    CHECK_NOTHROW(packed_matrix(codec, 70, 40, luq::aligned_buffer<std::byte>(right)));
  });
}

TEST_CASE("whatever the bytes, every code is legal") {
  for_each_codec(30, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    luq::aligned_buffer<std::byte> bytes(static_cast<std::size_t>(luq::packed_bytes(codec, 66, 64)));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>(luq::counter_rng(5).below(i, 256));
    }
    const auto coded = packed_matrix(codec, 66, 64, std::move(bytes)).unpack();
    CHECK(static_cast<int>(coded.codes.maxCoeff()) < luq::code_count<std::decay_t<decltype(codec)>>());
  });
}

TEST_CASE("the tiles and the column flags are all bytes, in order") {
  for_each_codec(30, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const auto coded = random_coded_matrix(codec, 130, 64, 2);
    const packed_matrix packed = luq::pack(coded);
    const std::byte* next = packed.bytes().data();
    for (luq::index t = 0; t < 3; ++t) {
      for (luq::index g = 0; g < 3; ++g) {
        CHECK(packed.tile(t, g).data() == next);
        next += packed.tile(t, g).size();
        const luq::index rows = t == 2 ? 2 : 64;
        CHECK(packed.tile_parameters(t, g) ==
              coded.groups[static_cast<std::size_t>(g)].values.middleRows(64 * t, rows));
        CHECK(packed.column_classes(g) == coded.groups[static_cast<std::size_t>(g)].column_class);
      }
    }
    const std::size_t flag_bytes = luq::column_class_count<std::decay_t<decltype(codec)>> > 1 ? 8 : 0;
    CHECK(next + flag_bytes == packed.bytes().data() + packed.bytes().size());
  });
}

TEST_CASE("stored codes are addressed by their place in the group") {
  const luq::billm_codec codec{.group = 9};
  const auto coded = random_coded_matrix(codec, 65, 13, 3);
  const packed_matrix packed = luq::pack(coded);
  for (luq::index g = 0; g < 2; ++g) {
    const auto& classes = coded.groups[static_cast<std::size_t>(g)].column_class;
    luq::index place = 0;
    for (const int column_class : {1, 0}) {
      for (std::size_t c = 0; c < classes.size(); ++c) {
        if (classes[c] != column_class) continue;
        const luq::index column = 9 * g + static_cast<luq::index>(c);
        CHECK(packed.stored_code(0, g, 63, place) == coded.codes(63, column));
        CHECK(packed.stored_code(1, g, 0, place) == coded.codes(64, column));
        ++place;
      }
    }
    CHECK(place == (g == 0 ? 9 : 4));
  }
}

TEST_CASE("a packed matrix knows its stored order, whether it was packed or read") {
  luq::coded_matrix<luq::billm_codec> coded(luq::billm_codec{.group = 4}, 1, 6);
  for (auto& group : coded.groups) group.values = matrix::Zero(1, 7);
  coded.groups[0].column_class = {0, 1, 0, 1};
  coded.groups[1].column_class = {0, 0};
  const packed_matrix packed = luq::pack(coded);
  const packed_matrix again(packed.codec(), 1, 6, copy_of(packed.bytes()));
  for (const auto* matrix : {&packed, &again}) {
    CHECK(matrix->stored_columns() == std::vector<luq::index>{1, 3, 0, 2, 4, 5});
    CHECK(matrix->class_border(0) == 2);
    CHECK(matrix->class_border(1) == 0);
  }
  const packed_matrix one_class = luq::pack(random_coded_matrix(luq::sign_codec{.group = 4}, 1, 6, 1));
  CHECK(one_class.stored_columns().empty());
  CHECK(one_class.class_border(1) == 0);
}

TEST_CASE("bits per weight count every byte") {
  for_each_codec(22, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    const packed_matrix packed = luq::pack(random_coded_matrix(codec, 67, 51, 4));
    CHECK(packed.bits_per_weight() == 8.0 * static_cast<double>(packed.bytes().size()) / (67.0 * 51.0));
  });
}

TEST_CASE("the bytes start on a cache line") {
  const packed_matrix packed = luq::pack(random_coded_matrix(luq::sign_codec{}, 3, 5, 5));
  CHECK(reinterpret_cast<std::uintptr_t>(packed.bytes().data()) % luq::buffer_alignment == 0);
}

TEST_CASE("matrices without rows or columns have no codes") {
  for_each_codec(8, [](const auto& codec) {
    CAPTURE(luq::codec_name(codec));
    luq::coded_matrix coded(codec, 0, 20);
    for (auto& group : coded.groups) group.values.resize(0, luq::parameter_count<std::decay_t<decltype(codec)>>);
    CHECK(luq::pack(coded).unpack().decode().cols() == 20);
    const packed_matrix packed = luq::pack(luq::coded_matrix(codec, 20, 0));
    CHECK(packed.bytes().empty());
    CHECK(packed.unpack().decode().rows() == 20);
  });
}

TEST_CASE("a transform occupies bytes behind the codes, which are counted") {
  luq::coded_matrix coded = random_coded_matrix(luq::sign_codec{.group = 128}, 64, 256, 1);
  const packed_matrix plain = luq::pack(coded);
  CHECK(plain.transform() == nullptr);
  CHECK(plain.bits_per_weight() == 1.125);
  const auto with = [&](luq::shared_transform transform) {
    coded.transform = std::move(transform);
    const packed_matrix packed = luq::pack(coded);
    CHECK(packed.transform() == coded.transform);
    CHECK(packed.layout().bytes() == plain.layout().bytes());
    const auto codes = packed.bytes().first(plain.bytes().size());
    CHECK(hex(codes) == hex(plain.bytes()));
    std::vector<std::byte> behind(static_cast<std::size_t>(coded.transform->bytes()));
    coded.transform->pack(behind);
    CHECK(hex(packed.bytes().subspan(codes.size())) == hex(behind));
    return packed;
  };
  const packed_matrix scaled = with(std::make_shared<const luq::input_scaling>(packed_factors(256)));
  CHECK(scaled.bytes().size() == 64 * 256 / 8 + 64 * 2 * 2 + 256 * 2);
  CHECK(scaled.bits_per_weight() == 1.125 + 16.0 / 64);
  const packed_matrix rotated = with(std::make_shared<const luq::hadamard_rotation>(256));
  CHECK(rotated.bits_per_weight() == doctest::Approx(1.125 + 12 * 8.0 / (64 * 256)));
}

TEST_CASE("with a transform it stands for its codes times the transform") {
  for (const auto& shape : {std::pair<luq::index, luq::index>{1, 1}, {3, 40}, {65, 24}, {7, 33}}) {
    const luq::index rows = shape.first;
    const luq::index cols = shape.second;
    for_each_codec(16, [&](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      CAPTURE(cols);
      auto coded = random_coded_matrix(codec, rows, cols, 2);
      const matrix own = luq::pack(coded).unpack().decode();
      const Eigen::MatrixXd Q = own.template cast<double>();
      for (const luq::shared_transform& transform :
           {luq::shared_transform(
                std::make_shared<const luq::hadamard_rotation>(cols, luq::rotation_options{.seed = 3})),
            luq::shared_transform(std::make_shared<const luq::input_scaling>(packed_factors(cols)))}) {
        matrix T = matrix::Identity(cols, cols);  // the transform of the unit vectors, hence T^T
        transform->transform_activations(T);
        coded.transform = transform;
        const packed_matrix packed = luq::pack(coded);
        CHECK(packed.rows() == rows);
        CHECK(packed.cols() == cols);
        const auto unpacked = packed.unpack();
        CHECK(unpacked.transform == transform);
        CHECK(unpacked.codes == coded.codes);
        const matrix decoded = unpacked.decode();
        CHECK(decoded == coded.decode());
        CHECK(decoded == coded.decode(luq::openmp_executor{.threads = 3}));
        const Eigen::MatrixXd expected = Q * T.transpose().template cast<double>();
        CHECK((decoded.template cast<double>() - expected).cwiseAbs().maxCoeff() <= 1e-6 * Q.norm());
        for (const luq::index r : {luq::index{0}, rows - 1}) {  // at() is of the codes themselves
          for (const luq::index c : {luq::index{0}, cols / 2, cols - 1}) {
            CHECK(packed.at(r, c) == own(r, c));
            CHECK(unpacked.at(r, c) == own(r, c));
          }
        }
        const packed_matrix again(codec, rows, cols, copy_of(packed.bytes()), transform);
        CHECK(again.transform() == transform);
        CHECK(again.unpack().decode() == decoded);
      }
    });
  }
}

TEST_CASE("a transform of another width is an error") {
  luq::coded_matrix coded = random_coded_matrix(luq::sign_codec{.group = 8}, 4, 16, 3);
  coded.transform = std::make_shared<const luq::input_scaling>(15);
  check_fails(luq::errc::shape_mismatch, "expected a transform of 16 columns, got 15", [&] { (void)luq::pack(coded); });
  luq::aligned_buffer<std::byte> bytes(static_cast<std::size_t>(luq::packed_bytes(coded.codec, 4, 16)) + 30);
  check_fails(luq::errc::shape_mismatch, "expected a transform of 16 columns, got 15",
              [&] { packed_matrix(coded.codec, 4, 16, std::move(bytes), coded.transform); });
}

TEST_CASE("a wrong number of bytes for codes and transform is a corrupt file") {
  const luq::sign_codec codec{.group = 8};
  const auto rotation = std::make_shared<const luq::hadamard_rotation>(16);
  const auto right = static_cast<std::size_t>(luq::packed_bytes(codec, 4, 16)) + 12;
  for (const std::size_t wrong : {std::size_t{0}, right - 12, right - 1, right + 1}) {
    check_fails(luq::errc::corrupt_file, "expected " + std::to_string(right) + " bytes, got " + std::to_string(wrong),
                [&] { packed_matrix(codec, 4, 16, luq::aligned_buffer<std::byte>(wrong), rotation); });
  }
  check_fails(luq::errc::corrupt_file, "expected " + std::to_string(right - 12) + " bytes",
              [&] { packed_matrix(codec, 4, 16, luq::aligned_buffer<std::byte>(right)); });
}
