// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/codecs/stored_transform.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec_test_support.hpp"
#include "luq/codecs/any_packed_matrix.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/codecs/transform_bytes.hpp"
#include "quantizers/codec_list.hpp"

using luq::errc;
using luq::read_transform;
using luq_test::check_fails;

namespace {

/// One transform of each stored form.
std::vector<luq::shared_transform> stored_transforms(luq::index columns) {
  std::vector<float> factors;
  for (luq::index c = 0; c < columns; ++c) factors.push_back(0.5f + static_cast<float>(c % 11) / 4.0f);
  return {std::make_shared<const luq::hadamard_rotation>(columns, luq::rotation_options{.seed = 0x0123456789abcdef}),
          std::make_shared<const luq::input_scaling>(factors)};
}

std::vector<std::byte> bytes_of_stored(const luq::input_transform& transform) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(transform.bytes()));
  transform.pack(bytes);
  return bytes;
}

}  // namespace

TEST_CASE("a transform is restored by the name of its stored form") {
  for (const luq::index columns : {1, 5, 16, 48, 300}) {
    CAPTURE(columns);
    for (const luq::shared_transform& transform : stored_transforms(columns)) {
      CAPTURE(transform->name());
      const std::vector<std::byte> bytes = bytes_of_stored(*transform);
      CHECK(static_cast<luq::index>(bytes.size()) == luq::transform_bytes(transform->name(), columns));
      const luq::shared_transform again = read_transform(transform->name(), columns, bytes);
      REQUIRE(again != nullptr);
      CHECK(again->name() == transform->name());
      CHECK(again->in_features() == columns);
      CHECK(bytes_of_stored(*again) == bytes);
      luq::matrix X = luq::random_normal_matrix(3, columns, luq::counter_rng(1));
      luq::matrix same = X;
      transform->transform_activations(X);
      again->transform_activations(same);
      CHECK(X == same);
    }
  }
}

TEST_CASE("names and sizes of stored forms are those of the format") {
  const auto transforms = stored_transforms(40);
  CHECK(transforms[0]->name() == "hadamard");
  CHECK(transforms[1]->name() == "scaling");
  CHECK(luq::transform_bytes("hadamard", 40) == 12);
  CHECK(luq::transform_bytes("scaling", 40) == 80);
  CHECK(luq::transform_bytes("", 40) == 0);
}

TEST_CASE("no name is no transform, and has no bytes") {
  CHECK(read_transform("", 40, {}) == nullptr);
  const std::vector<std::byte> one(1);
  check_fails(errc::corrupt_file, "expected nothing behind its codes, got 1 bytes",
              [&] { (void)read_transform("", 40, one); });
}

TEST_CASE("a name that no stored form has is unsupported") {
  const std::vector<std::byte> bytes(80);
  for (const char* const name : {"Hadamard", "awq", "rowcol", "hadamard ", "none", "scaling2"}) {
    const std::string expected = std::string("input transform \"") + name + "\": expected hadamard or scaling";
    check_fails(errc::unsupported, expected, [&] { (void)read_transform(name, 40, bytes); });
    check_fails(errc::unsupported, expected, [&] { (void)luq::transform_bytes(name, 40); });
  }
  check_fails(errc::unsupported, "input transform \"" + std::string(40, 'x') + "\"",
              [&] { (void)read_transform(std::string(5000, 'x'), 40, bytes); });
}

TEST_CASE("bytes that are no such transform are a corrupt file") {
  for (const luq::shared_transform& transform : stored_transforms(40)) {
    CAPTURE(transform->name());
    std::vector<std::byte> bytes = bytes_of_stored(*transform);
    bytes.push_back(std::byte{0});
    check_fails(errc::corrupt_file, "got " + std::to_string(bytes.size()),
                [&] { (void)read_transform(transform->name(), 40, bytes); });
    bytes.resize(bytes.size() - 2);
    check_fails(errc::corrupt_file, "got " + std::to_string(bytes.size()),
                [&] { (void)read_transform(transform->name(), 40, bytes); });
    check_fails(errc::corrupt_file, "got 0", [&] { (void)read_transform(transform->name(), 40, {}); });
  }
  std::vector<std::byte> block_of_three = bytes_of_stored(luq::hadamard_rotation(40));
  block_of_three[8] = std::byte{3};
  check_fails(errc::corrupt_file, "power of two", [&] { (void)read_transform("hadamard", 40, block_of_three); });
  std::vector<std::byte> infinite = bytes_of_stored(luq::input_scaling(40));
  infinite[2 * 7 + 1] = std::byte{0x7c};
  check_fails(errc::corrupt_file, "column 7", [&] { (void)read_transform("scaling", 40, infinite); });
}

TEST_CASE("a packed matrix with a transform is made of its bytes and the name of the transform") {
  for (const luq::shared_transform& transform : stored_transforms(40)) {
    CAPTURE(transform->name());
    luq_test::for_each_codec(16, [&](const auto& codec) {
      CAPTURE(luq::codec_name(codec));
      auto coded = luq_test::random_coded_matrix(codec, 66, 40, 2);
      coded.transform = transform;
      const luq::packed_matrix packed = luq::pack(coded);
      luq::aligned_buffer<std::byte> bytes(packed.bytes().begin(), packed.bytes().end());
      const std::byte* const data = bytes.data();
      const luq::any_packed_matrix any =
          luq::make_packed_matrix(luq::any_codec(codec), 66, 40, std::move(bytes), transform->name());
      CHECK(luq::codec_of(any) == luq::any_codec(codec));
      CHECK(luq::bytes_of(any).data() == data);  // taken over, not copied
      CHECK(std::ranges::equal(luq::bytes_of(any), packed.bytes()));
      REQUIRE(luq::transform_of(any) != nullptr);
      CHECK(luq::transform_of(any)->name() == transform->name());
      CHECK(luq::decode(any) == coded.decode());
    });
  }
}

TEST_CASE("a packed matrix with too few or too many bytes for its transform is a corrupt file") {
  const luq::sign_codec codec{.group = 16};
  for (const luq::shared_transform& transform : stored_transforms(40)) {
    CAPTURE(transform->name());
    auto coded = luq_test::random_coded_matrix(codec, 66, 40, 3);
    coded.transform = transform;
    const luq::packed_matrix packed = luq::pack(coded);
    const std::size_t right = packed.bytes().size();
    const auto codes = static_cast<std::size_t>(packed.layout().bytes());
    const auto make = [&](std::size_t size, std::string_view name) {
      luq::aligned_buffer<std::byte> bytes(size);
      std::copy_n(packed.bytes().begin(), std::min(size, right), bytes.begin());
      (void)luq::make_packed_matrix(luq::any_codec(codec), 66, 40, std::move(bytes), name);
    };
    CHECK_NOTHROW(make(right, transform->name()));
    CHECK_NOTHROW(make(codes, ""));
    for (const std::size_t wrong : {std::size_t{0}, codes - 1, codes, right - 1, right + 1, 2 * right}) {
      CAPTURE(wrong);
      check_fails(errc::corrupt_file, "expected ", [&] { make(wrong, transform->name()); });
    }
    check_fails(errc::corrupt_file, "expected " + std::to_string(codes) + " bytes, got " + std::to_string(right),
                [&] { make(right, ""); });
    check_fails(errc::unsupported, "expected hadamard or scaling", [&] { make(right, "rotation"); });
  }
}
