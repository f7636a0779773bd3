// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/luq/packed_model.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/io_test_support.hpp"
#include "luq/codecs/hadamard_rotation.hpp"
#include "luq/codecs/input_scaling.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/io/luq/detail/packed_tensors.hpp"
#include "luq/io/luq/plan_json.hpp"
#include "luq/io/safetensors/safetensors_writer.hpp"
#include "policy/random_model.hpp"

using luq::errc;
using luq_test::check_fails;
using luq_test::read_text;
using luq_test::write_text;

namespace {

template <class Codec>
luq::any_packed_matrix pack_nearest(const Codec& codec, const luq::matrix& W) {
  luq::coded_matrix<Codec> coded(codec, W.rows(), W.cols());
  const luq::tile_layout<Codec> layout(codec, W.rows(), W.cols());
  for (luq::index g = 0; g < layout.groups(); ++g) {
    const auto block = W.middleCols(layout.first_column(g), layout.columns_of(g));
    const luq::coded_group group = luq::code_group(codec, block, {});
    coded.codes.middleCols(layout.first_column(g), layout.columns_of(g)) = group.codes;
    coded.groups[static_cast<std::size_t>(g)] = group.parameters;
  }
  return luq::pack(coded);
}

/// Random weights for every linear of a plan.
struct packed_weights {
  std::vector<std::vector<luq::any_packed_matrix>> owned;

  explicit packed_weights(const luq::plan& p, std::uint64_t seed = 0) {
    std::uint64_t stream = 0;
    for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
      owned.emplace_back();
      for (const luq::linear_shape& linear : p.shape[layer]) {
        const luq::matrix W = luq::random_normal_matrix(linear.rows, linear.cols, luq::counter_rng(seed, stream++));
        owned.back().push_back(
            std::visit([&](const auto& codec) { return pack_nearest(codec, W); }, p.recipes[layer].codec));
      }
    }
  }

  [[nodiscard]] luq::packed_layers pointers() const {
    luq::packed_layers result;
    for (const auto& layer : owned) {
      result.emplace_back();
      for (const auto& matrix : layer) result.back().push_back(&matrix);
    }
    return result;
  }
};

luq::plan mixed_plan() {
  return {luq_test::three_layers(),
          {luq::sign_codec{}, luq::int_codec<4>{.symmetric = true}, luq::billm_codec{}},
          "by hand"};
}

luq::plan random_plan(std::uint64_t seed) {
  luq::plan p{luq_test::random_model(seed), {}, "seed " + std::to_string(seed)};
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    p.recipes.push_back(luq_test::random_codec(seed, layer));
  }
  return p;
}

/// A packed model of mixed_plan() with two other tensors, to be spoiled.
struct sample_file {
  sample_file() {
    const std::vector<luq::tensor_source> others{luq::make_tensor_source<float>("norm", {3}, norm),
                                                 luq::make_tensor_source<std::int64_t>("positions", {2}, positions)};
    luq::write_packed_model(path(), plan, weights.pointers(), others);
  }

  [[nodiscard]] std::filesystem::path path() const { return directory / "model.safetensors"; }

  luq_test::scratch_directory directory;
  luq::plan plan = mixed_plan();
  packed_weights weights{plan};
  std::vector<float> norm{1, 2, 3};
  std::vector<std::int64_t> positions{4, 5};
};

/// A file of these tensors, each filled with zero bytes, and this metadata.
void write_zeros(const std::filesystem::path& path, const std::vector<luq::tensor_declaration>& declarations,
                 const std::map<std::string, std::string>& metadata) {
  luq::safetensors_writer writer(path, declarations, metadata);
  for (const luq::tensor_info& tensor : luq::safetensors_layout(writer.layout()).tensors) {
    writer.write(tensor.name, std::vector<std::byte>(static_cast<std::size_t>(tensor.bytes())));
  }
  writer.commit();
}

/// Checks that packed_model refuses what `spoil` makes of a valid file's declarations and metadata.
void check_corrupt_model(
    std::string_view fragment,
    const std::function<void(std::vector<luq::tensor_declaration>&, std::map<std::string, std::string>&)>& spoil,
    errc code = errc::corrupt_file) {
  const luq_test::scratch_directory directory;
  const auto path = directory / "model.safetensors";
  const luq::plan p = mixed_plan();
  auto declarations = luq::detail::packed_declarations(p, {});
  auto metadata = luq::detail::packed_metadata(p);
  spoil(declarations, metadata);
  write_zeros(path, declarations, metadata);
  check_fails(code, fragment, [&] { (void)luq::packed_model(path); });
  check_fails(code, path.string(), [&] { (void)luq::packed_model(path); });
}

}  // namespace

TEST_CASE("a packed model comes back as it was") {
  const sample_file sample;
  const luq::packed_model model(sample.path());
  CHECK(model.planned() == sample.plan);
  REQUIRE(model.layers().size() == 3);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    REQUIRE(model.layers()[layer].size() == sample.plan.shape[layer].size());
    for (std::size_t i = 0; i < model.layers()[layer].size(); ++i) {
      const luq::any_packed_matrix& restored = model.layers()[layer][i];
      const luq::any_packed_matrix& written = sample.weights.owned[layer][i];
      CHECK(luq::codec_of(restored) == sample.plan.recipes[layer].codec);
      CHECK(luq::rows_of(restored) == sample.plan.shape[layer][i].rows);
      CHECK(luq::cols_of(restored) == sample.plan.shape[layer][i].cols);
      CHECK(std::ranges::equal(luq::bytes_of(restored), luq::bytes_of(written)));
      CHECK(luq::decode(restored) == luq::decode(written));
      CHECK(luq::decode(restored).norm() > 1.0f);
    }
  }
  CHECK(model.file().read_floats("norm") == sample.norm);
  CHECK(model.file().read_integers("positions") == sample.positions);
}

TEST_CASE("the file explains itself") {
  const sample_file sample;
  const luq::safetensors_reader file(sample.path());
  CHECK(file.names() == std::vector<std::string>{"a.down.packed", "a.up.packed", "b.up.packed", "c.down.packed",
                                                 "c.up.packed", "norm", "positions"});
  CHECK(file.metadata() == std::map<std::string, std::string>{{"luq.format", "2"},
                                                              {"luq.stored", R"({"billm":1,"int4":1,"sign":1})"},
                                                              {"luq.plan", luq::plan_to_json(sample.plan)}});
  CHECK(file.info("b.up.packed").dtype == luq::tensor_dtype::u8);
  CHECK(file.shape("b.up.packed") == std::vector<luq::index>{4224});
  CHECK(file.info("norm").dtype == luq::tensor_dtype::f32);
}

TEST_CASE("the file has the size that the plan predicts, to the byte") {
  const sample_file sample;
  const std::vector<luq::tensor_source> others{
      luq::make_tensor_source<float>("norm", {3}, sample.norm),
      luq::make_tensor_source<std::int64_t>("positions", {2}, sample.positions)};
  const luq::packed_model_size predicted = luq::predict_packed_model_size(sample.plan, others);
  const luq::packed_model model(sample.path());
  CHECK(predicted.linears == static_cast<std::uint64_t>(luq::total_bytes(sample.plan)));
  CHECK(predicted.others == 3 * 4 + 2 * 8);
  CHECK(predicted.file() == std::filesystem::file_size(sample.path()));
  CHECK(std::filesystem::file_size(sample.path()) - predicted.header == predicted.linears + predicted.others);

  std::uint64_t header_length = 0;  // the file's own statement, read by hand
  const std::string bytes = read_text(sample.path());
  for (std::size_t i = 8; i-- > 0;) header_length = header_length << 8 | static_cast<unsigned char>(bytes[i]);
  CHECK(predicted.header == 8 + header_length);

  CHECK(model.size().header == predicted.header);
  CHECK(model.size().linears == predicted.linears);
  CHECK(model.size().others == predicted.others);
}

TEST_CASE("random plans: size as predicted, content as written") {
  const luq_test::scratch_directory directory;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    const luq::plan p = random_plan(seed);
    const packed_weights weights(p, seed);
    const auto path = directory / ("model" + std::to_string(seed));
    luq::write_packed_model(path, p, weights.pointers());
    const luq::packed_model_size predicted = luq::predict_packed_model_size(p);
    CHECK(predicted.file() == std::filesystem::file_size(path));
    CHECK(predicted.linears == static_cast<std::uint64_t>(luq::total_bytes(p)));
    CHECK(predicted.others == 0);
    const luq::packed_model model(path);
    CHECK(model.planned() == p);
    std::uint64_t stored = 0;
    for (const luq::tensor_info& tensor : model.file().tensors()) stored += tensor.bytes();
    CHECK(stored == predicted.linears);
    for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
      for (std::size_t i = 0; i < p.shape[layer].size(); ++i) {
        CHECK(luq::decode(model.layers()[layer][i]) == luq::decode(weights.owned[layer][i]));
      }
    }
  }
}

TEST_CASE("every codec, in one group for the row and in ragged ones") {
  const luq_test::scratch_directory directory;
  for (const luq::index group : {luq::whole_row, luq::index{48}}) {
    for (luq::any_codec codec : luq_test::all_codecs()) {
      std::visit([&](auto& c) { c.group = group; }, codec);
      CAPTURE(luq::codec_name(codec));
      const luq::plan p = luq::uniform_plan({{{"w", 70, 131}}}, codec);
      const packed_weights weights(p);
      luq::write_packed_model(directory / "w", p, weights.pointers());
      const luq::packed_model model(directory / "w");
      CHECK(model.planned() == p);
      CHECK(luq::decode(model.layers()[0][0]) == luq::decode(weights.owned[0][0]));
    }
  }
}

TEST_CASE("equal models are equal files") {
  const sample_file one;
  const sample_file two;
  CHECK(read_text(one.path()) == read_text(two.path()));
}

TEST_CASE("an open model can be moved") {
  const sample_file sample;
  luq::packed_model first(sample.path());
  const luq::packed_model second(std::move(first));
  CHECK(second.planned() == sample.plan);
  CHECK(second.file().read_floats("norm") == sample.norm);
  CHECK(luq::decode(second.layers()[2][1]) == luq::decode(sample.weights.owned[2][1]));
}

TEST_CASE("weights that are not the plan's are refused and leave an older file alone") {
  const luq_test::scratch_directory directory;
  const auto path = directory / "model.safetensors";
  write_text(path, "older");
  const luq::plan p = mixed_plan();
  const packed_weights weights(p);
  const auto check_refused = [&](std::string_view fragment, const luq::packed_layers& layers) {
    check_fails(errc::shape_mismatch, fragment, [&] { luq::write_packed_model(path, p, layers); });
  };

  luq::packed_layers layers = weights.pointers();
  layers.pop_back();
  check_refused("packed model: expected 3 layers, got 2", layers);
  layers = weights.pointers();
  layers[0].pop_back();
  check_refused("layer 0: expected 2 linears, got 1", layers);
  layers = weights.pointers();
  std::swap(layers[0][0], layers[0][1]);
  check_refused("linear 'a.up': expected sign:g128, 64 x 128, got sign:g128, 128 x 64", layers);
  layers = weights.pointers();
  layers[1][0] = layers[0][0];
  check_refused("linear 'b.up': expected int4:g128:sym, 64 x 128, got sign:g128, 64 x 128", layers);

  // Another option of the same codec is another codec, even where the bytes are as many.
  luq::plan searched = p;
  searched.recipes[1] = luq::int_codec<4>{.symmetric = true, .range = luq::int_range::searched};
  check_fails(errc::shape_mismatch, "linear 'b.up': expected int4:g128:sym:searched",
              [&] { luq::write_packed_model(path, searched, weights.pointers()); });

  CHECK(read_text(path) == "older");
  CHECK(directory.size() == 1);
}

TEST_CASE("other tensors that do not fit in") {
  const luq_test::scratch_directory directory;
  const auto path = directory / "model.safetensors";
  const luq::plan p = luq::uniform_plan(luq_test::three_layers(), luq::sign_codec{});
  const packed_weights weights(p);
  const std::vector<float> values{1, 2};
  const auto write_with = [&](const std::vector<luq::tensor_source>& others) {
    luq::write_packed_model(path, p, weights.pointers(), others);
  };
  const auto floats = [&](std::string name, luq::index count) {
    return luq::make_tensor_source<float>(std::move(name), {count}, values);
  };
  for (const char* name : {"a.up.packed", "z.packed"}) {
    check_fails(errc::invalid_argument, "is no linear of the plan, but named like one",
                [&] { write_with({floats(name, 2)}); });
    const std::vector<luq::tensor_source> others{floats(name, 2)};
    check_fails(errc::invalid_argument, "is no linear of the plan, but named like one",
                [&] { (void)luq::predict_packed_model_size(p, others); });
  }
  check_fails(errc::invalid_argument, "two tensors are named 'x'",
              [&] { write_with({floats("x", 2), floats("x", 2)}); });
  check_fails(errc::shape_mismatch, "expected 12 bytes", [&] { write_with({floats("x", 3)}); });
  CHECK(directory.size() == 0);
}

TEST_CASE("plans that cannot be written") {
  const luq_test::scratch_directory directory;
  luq::plan p = luq::uniform_plan({{{"w", 4, 4}}}, luq::sign_codec{});
  const packed_weights weights(p);
  const auto check_refused = [&](errc code, std::string_view fragment) {
    check_fails(code, fragment, [&] { luq::write_packed_model(directory / "model", p, weights.pointers()); });
    check_fails(code, fragment, [&] { (void)luq::predict_packed_model_size(p); });
  };
  p.shape[0][0].name = "\xFF";
  check_refused(errc::invalid_argument, "is not UTF-8");
  p.shape[0][0].name = "line\nbreak";
  check_refused(errc::invalid_argument, "control character");
  p.shape[0][0].name = std::string(1020, 'w');
  check_refused(errc::invalid_argument, "the name has 1027 bytes, the limit is 1024");
  p.shape[0][0].name = "w";
  p.recipes.clear();
  check_refused(errc::shape_mismatch, "expected 1 recipes, one per layer, got 0");
  CHECK(directory.size() == 0);
}

TEST_CASE("files that are no packed model") {
  const luq_test::scratch_directory directory;
  check_fails(errc::io_failure, "absent", [&] { (void)luq::packed_model(directory / "absent"); });
  write_text(directory / "text", "not a safetensors file");
  CHECK_THROWS_AS((void)luq::packed_model(directory / "text"), luq::error);
  check_corrupt_model("no packed model: expected metadata luq.format and luq.plan",
                      [](auto&, auto& metadata) { metadata.clear(); });
  check_corrupt_model("no packed model", [](auto&, auto& metadata) { metadata.erase("luq.format"); });
  check_corrupt_model("no packed model", [](auto&, auto& metadata) { metadata.erase("luq.plan"); });
  check_corrupt_model(
      "luq.format: expected 2, got '1'", [](auto&, auto& metadata) { metadata["luq.format"] = "1"; },
      errc::unsupported);
}

TEST_CASE("plans that are broken or of another version") {
  check_corrupt_model("invalid JSON", [](auto&, auto& metadata) { metadata["luq.plan"].pop_back(); });
  check_corrupt_model("unknown key 'x'",
                      [](auto&, auto& metadata) { metadata["luq.plan"].replace(1, 0, "\"x\": 1,"); });
  check_corrupt_model(
      "luq_plan: expected version 2, got 7", [](auto&, auto& metadata) { metadata["luq.plan"] = R"({"luq_plan": 7})"; },
      errc::unsupported);
}

TEST_CASE("stored forms that are missing, of another version, or not the plan's") {
  const auto with_forms = [](const char* forms) {
    return [forms](auto&, auto& metadata) { metadata["luq.stored"] = forms; };
  };
  check_corrupt_model("expected metadata luq.stored", [](auto&, auto& metadata) { metadata.erase("luq.stored"); });
  for (const char* forms : {"{}", "[]", "1", R"({"billm":1,"int4":1})", R"({"billm":1,"int4":1,"sign":1,"x":1})"}) {
    check_corrupt_model("luq.stored: expected the 3 stored forms of the plan", with_forms(forms));
  }
  check_corrupt_model("luq.stored: invalid JSON", with_forms("{"));
  check_corrupt_model("luq.stored: expected the version of int4", with_forms(R"({"billm":1,"int5":1,"sign":1})"));
  check_corrupt_model("luq.stored: expected the version of int4", with_forms(R"({"billm":1,"int4":"1","sign":1})"));
  check_corrupt_model("luq.stored: int4: expected version 1, got 2", with_forms(R"({"billm":1,"int4":2,"sign":1})"),
                      errc::unsupported);
}

TEST_CASE("transforms are stored behind their codes, and counted") {
  const luq_test::scratch_directory directory;
  const luq::index cols = 131;
  const luq::matrix W = luq::random_normal_matrix(70, cols, luq::counter_rng(3));
  std::vector<float> factors;
  for (luq::index c = 0; c < cols; ++c) factors.push_back(0.5f + static_cast<float>(c) / 64.0f);
  const luq::shared_transform transforms[] = {std::make_shared<luq::hadamard_rotation>(cols),
                                              std::make_shared<luq::input_scaling>(factors)};
  for (const luq::any_codec& codec : luq_test::all_codecs()) {
    CAPTURE(luq::codec_name(codec));
    for (const luq::shared_transform& transform : transforms) {
      CAPTURE(transform->name());
      const auto method =
          transform->name() == "hadamard" ? luq::transform_method::hadamard : luq::transform_method::rowcol;
      const luq::plan p = luq::uniform_plan({{{"w", 70, cols}}}, luq::recipe(method, codec, luq::code_search::rtn));
      packed_weights weights(p);
      CHECK_THROWS_AS(luq::write_packed_model(directory / "w", p, weights.pointers()), luq::error);
      weights.owned[0][0] = std::visit(
          [&](const auto& c) {
            luq::matrix turned = W;
            transform->transform_weights(turned);
            auto coded = std::get<luq::packed_matrix<std::decay_t<decltype(c)>>>(pack_nearest(c, turned)).unpack();
            coded.transform = transform;
            return luq::any_packed_matrix(luq::pack(coded));
          },
          codec);
      luq::write_packed_model(directory / "w", p, weights.pointers());
      CHECK(luq::predict_packed_model_size(p).file() == std::filesystem::file_size(directory / "w"));
      CHECK(luq::total_bytes(p) == luq::packed_bytes(codec, 70, cols) + transform->bytes());
      const luq::packed_model model(directory / "w");
      const luq::any_packed_matrix& restored = model.layers()[0][0];
      CHECK(luq::transform_of(restored)->name() == transform->name());
      CHECK(std::ranges::equal(luq::bytes_of(restored), luq::bytes_of(weights.owned[0][0])));
      CHECK(luq::decode(restored) == luq::decode(weights.owned[0][0]));
      CHECK((luq::decode(restored) - W).norm() < W.norm());
    }
  }
}

TEST_CASE("tensors that contradict the plan") {
  check_corrupt_model("the plan names linear 'a.up', but there is no tensor 'a.up.packed'",
                      [](auto& declarations, auto&) { declarations[0].name = "a.up"; });
  check_corrupt_model("the plan names linear 'c.down'", [](auto& declarations, auto&) { declarations.pop_back(); });
  check_corrupt_model("tensor 'extra.packed' is no linear of the plan", [](auto& declarations, auto&) {
    declarations.push_back({"extra.packed", luq::tensor_dtype::u8, {5}});
  });
  check_corrupt_model("tensor 'a.up.packed': expected U8 [1152], got U8 [1153]",
                      [](auto& declarations, auto&) { declarations[0].shape = {1153}; });
  check_corrupt_model("expected U8 [1152], got U8 [0]", [](auto& declarations, auto&) { declarations[0].shape = {0}; });
  check_corrupt_model("expected U8 [1152], got U8 [64, 18]",
                      [](auto& declarations, auto&) { declarations[0].shape = {64, 18}; });
  check_corrupt_model("expected U8 [1152], got I8 [1152]",
                      [](auto& declarations, auto&) { declarations[0].dtype = luq::tensor_dtype::i8; });
  check_corrupt_model("expected U8 [1152], got F16 [576]", [](auto& declarations, auto&) {
    declarations[0].dtype = luq::tensor_dtype::f16;
    declarations[0].shape = {576};
  });
}

TEST_CASE("any bytes of the right number are a packed matrix, if its scales are finite") {
  const luq_test::scratch_directory directory;
  const auto path = directory / "w";
  for (const luq::any_codec& codec : luq_test::all_codecs()) {
    CAPTURE(luq::codec_name(codec));
    const luq::plan p = luq::uniform_plan({{{"w", 70, 131}}}, codec);
    const auto declarations = luq::detail::packed_declarations(p, {});
    const auto write_bytes = [&](const std::vector<std::byte>& bytes) {
      luq::safetensors_writer writer(path, declarations, luq::detail::packed_metadata(p));
      writer.write("w.packed", bytes);
      writer.commit();
    };
    std::vector<std::byte> bytes(static_cast<std::size_t>(luq::total_bytes(p)), std::byte{0x3C});
    write_bytes(bytes);  // a half 0x3C3C is 1.06
    CHECK(luq::decode(luq::packed_model(path).layers()[0][0]).allFinite());
    std::fill(bytes.begin(), bytes.end(), std::byte{0xFF});
    write_bytes(bytes);  // a half 0xFFFF is NaN
    check_fails(errc::corrupt_file, "tensor 'w.packed': a scale is not finite in rows from 0, columns from 0",
                [&] { (void)luq::packed_model(path); });
  }
}

TEST_CASE("one infinite scale is found and located") {
  const luq_test::scratch_directory directory;
  const luq::plan p = luq::uniform_plan({{{"w", 70, 131}}}, luq::sign_codec{.group = 64});
  const packed_weights weights(p);
  luq::write_packed_model(directory / "w", p, weights.pointers());
  // Tile of rows 64 ... 69, columns 128 ... 130: six bytes of signs, then six scales, the end of the file.
  std::string file = read_text(directory / "w");
  file[file.size() - 1] = '\x7C';
  file[file.size() - 2] = '\x00';
  write_text(directory / "w", file);
  check_fails(errc::corrupt_file, "a scale is not finite in rows from 64, columns from 128",
              [&] { (void)luq::packed_model(directory / "w"); });
}

TEST_CASE("every truncation of a file is an error, never a crash") {
  const sample_file sample;
  const std::string whole = read_text(sample.path());
  const auto path = sample.directory / "cut";
  const std::size_t header_end = static_cast<std::size_t>(luq::packed_model(sample.path()).size().header);
  for (std::size_t length = 0; length < whole.size(); length += length < header_end + 16 ? 5 : 997) {
    write_text(path, whole.substr(0, length));
    CHECK_THROWS_AS((void)luq::packed_model(path), luq::error);
  }
  write_text(path, whole + '\0');
  CHECK_THROWS_AS((void)luq::packed_model(path), luq::error);
}

TEST_CASE("any one byte of the header may change without a crash") {
  const sample_file sample;
  const std::string whole = read_text(sample.path());
  const auto path = sample.directory / "changed";
  const std::size_t header_end = static_cast<std::size_t>(luq::packed_model(sample.path()).size().header);
  const luq::counter_rng rng(5);
  std::size_t refused = 0;
  for (std::size_t position = 0; position < header_end; ++position) {
    std::string spoiled = whole;
    spoiled[position] = static_cast<char>(spoiled[position] ^ static_cast<char>(1 + rng.below(position, 255)));
    write_text(path, spoiled);
    try {
      (void)luq::packed_model(path);  // what still opens differs in a name or in the plan's reason
    } catch (const luq::error& failure) {
      CHECK(std::string_view(failure.what()).find('\n') == std::string_view::npos);
      ++refused;
    }
  }
  CHECK(refused > header_end * 9 / 10);
}
