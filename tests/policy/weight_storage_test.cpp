// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/policy/weight_storage.hpp"

#include <doctest/doctest.h>

#include "io/io_test_support.hpp"
#include "policy/random_model.hpp"

using luq::block_format;
using luq::errc;
using luq::weight_storage;
using luq_test::check_fails;

TEST_CASE("codecs keep their names, bytes and nominal bits") {
  for (const luq::any_codec& codec : luq_test::all_codecs()) {
    const weight_storage storage(codec);
    CHECK(luq::storage_name(storage) == luq::codec_name(codec));
    CHECK(luq::nominal_storage_bits(storage) == luq::nominal_bits(codec));
    CHECK_FALSE(luq::is_plain(storage));
    for (const auto& [rows, cols] : {std::pair<luq::index, luq::index>(1, 1), {3, 130}, {64, 256}}) {
      CHECK(luq::storage_bytes(storage, rows, cols, "w") == luq::packed_bytes(codec, rows, cols));
    }
  }
}

TEST_CASE("blocks take their bytes for each row") {
  const weight_storage q4_k = block_format{"q4_k", 256, 144};
  CHECK(luq::storage_name(q4_k) == "q4_k");
  CHECK(luq::nominal_storage_bits(q4_k) == 4.5);
  CHECK_FALSE(luq::is_plain(q4_k));
  CHECK(luq::storage_bytes(q4_k, 1, 256, "w") == 144);
  CHECK(luq::storage_bytes(q4_k, 5, 768, "w") == 5 * 3 * 144);
  for (luq::index cols = 1; cols < 768; ++cols) {
    if (cols % 256 == 0) continue;
    check_fails(errc::unsupported, "w: " + std::to_string(cols) + " columns are no multiple of 256, the block of q4_k",
                [&] { (void)luq::storage_bytes(q4_k, 256, cols, "w"); });
  }
}

TEST_CASE("plain numbers take any shape") {
  const weight_storage bf16 = block_format{"bf16", 1, 2};
  CHECK(luq::is_plain(bf16));
  CHECK(luq::nominal_storage_bits(bf16) == 16);
  for (luq::index cols = 1; cols < 20; ++cols) CHECK(luq::storage_bytes(bf16, 3, cols, "w") == 6 * cols);
}
