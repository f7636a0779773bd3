// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Files of format 2, one for each codec and each transform, that every later version reads to the same weights
// (docs/format.md). A file holds a matrix w and, as "w.decoded", what it stood for when it was written. A new codec, or a
// new version of one, adds a file and changes none:
//
//   LUQ_WRITE_FIXTURES=tests/data/format2 build/test/tests/tests.io --no-skip --test-case="write the fixtures*"
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/io_test_support.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/io/luq/packed_model.hpp"

namespace {

constexpr luq::index rows = 66;  // a whole tile of rows and a ragged one
constexpr luq::index cols = 40;
constexpr luq::index group = 16;  // two whole groups and a ragged one

/// A recipe for every codec of the catalogue, and for every transform.
std::vector<luq::recipe> stored_recipes() {
  std::vector<luq::recipe> result;
  const auto add_all = [&]<class... Codecs>(const std::variant<Codecs...>*) {
    (result.emplace_back(luq::transform_method::none, luq::any_codec(Codecs{.group = group}), luq::code_search::rtn),
     ...);
  };
  add_all(static_cast<const luq::any_codec*>(nullptr));
  for (const auto method : {luq::transform_method::hadamard, luq::transform_method::rowcol}) {
    result.emplace_back(method, luq::int_codec<4>{.group = group}, luq::code_search::rtn);
  }
  return result;
}

/// "int4.1", or "hadamard.1-int4.1": the stored forms and their versions.
std::string file_name(const luq::recipe& how) {
  const luq::codec_format codec = luq::format_of(how.codec);
  const std::string transform(luq::stored_transform(how));
  return (transform.empty() ? "" : transform + ".1-") + std::string(codec.family) + "." +
         std::to_string(codec.version) + ".safetensors";
}

std::filesystem::path fixtures() {
  return std::filesystem::path(LUQ_TEST_DATA) / "format2";
}

/// Random weights rounded to a recipe's codec under its transform.
luq::any_packed_matrix rounded(const luq::recipe& how) {
  std::vector<float> factors;
  for (luq::index c = 0; c < cols; ++c) factors.push_back(0.5f + static_cast<float>(c) / 32.0f);
  luq::shared_transform transform;
  if (luq::stored_transform(how) == "hadamard") transform = std::make_shared<luq::hadamard_rotation>(cols);
  if (luq::stored_transform(how) == "scaling") transform = std::make_shared<luq::input_scaling>(factors);
  luq::matrix W = luq::random_normal_matrix(rows, cols, luq::counter_rng(7));
  if (transform) transform->transform_weights(W);
  return std::visit(
      [&]<class Codec>(const Codec& codec) {
        luq::coded_matrix<Codec> coded(codec, rows, cols);
        coded.transform = transform;
        const luq::tile_layout<Codec> layout(codec, rows, cols);
        for (luq::index g = 0; g < layout.groups(); ++g) {
          const luq::index first = layout.first_column(g);
          luq::coded_group part = luq::code_group(codec, W.middleCols(first, layout.columns_of(g)), {});
          coded.codes.middleCols(first, layout.columns_of(g)) = part.codes;
          coded.groups[static_cast<std::size_t>(g)] = std::move(part.parameters);
        }
        return luq::any_packed_matrix(luq::pack(coded));
      },
      how.codec);
}

}  // namespace

TEST_CASE("every codec and every transform has a fixture, which is read as it was written") {
  for (const luq::recipe& how : stored_recipes()) {
    const std::filesystem::path path = fixtures() / file_name(how);
    CAPTURE(path.string());
    REQUIRE(std::filesystem::exists(path));
    const luq::packed_model model(path);
    CHECK(model.planned().recipes == std::vector<luq::recipe>{how});
    const luq::any_packed_matrix& packed = model.layers().at(0).at(0);
    const luq::matrix expected = model.file().read_matrix("w.decoded");
    REQUIRE(expected.norm() > 1);
    CHECK((luq::decode(packed) - expected).cwiseAbs().maxCoeff() <= 1e-6f * expected.cwiseAbs().maxCoeff());
    std::visit([&](const auto& p) { CHECK(std::ranges::equal(luq::pack(p.unpack()).bytes(), p.bytes())); }, packed);
  }
}

TEST_CASE("no fixture is of a form that is no longer there") {
  std::vector<std::string> known;
  for (const luq::recipe& how : stored_recipes()) known.push_back(file_name(how));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(fixtures())) {
    CAPTURE(entry.path().string());
    CHECK(std::ranges::count(known, entry.path().filename().string()) == 1);
    CHECK_NOTHROW(luq::packed_model{entry.path()});
    ++files;
  }
  CHECK(files == known.size());
}

TEST_CASE("write the fixtures that are missing" * doctest::skip()) {
  const char* const directory = std::getenv("LUQ_WRITE_FIXTURES");
  REQUIRE(directory != nullptr);
  for (const luq::recipe& how : stored_recipes()) {
    const std::filesystem::path path = std::filesystem::path(directory) / file_name(how);
    if (std::filesystem::exists(path)) continue;
    const luq::any_packed_matrix packed = rounded(how);
    const luq::matrix decoded = luq::decode(packed);
    const std::vector<luq::tensor_source> others{luq::make_tensor_source<float>(
        "w.decoded", {rows, cols}, std::span(decoded.data(), static_cast<std::size_t>(decoded.size())))};
    luq::write_packed_model(path, luq::uniform_plan({{{"w", rows, cols}}}, how), {{&packed}}, others);
  }
}
