// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "app/pipeline.hpp"

#include <algorithm>
#include <limits>
#include <luq/io/safetensors/checkpoint.hpp>
#include <set>

#include "app_test_support.hpp"

using luq::errc;
using vlm::order_by_name;
using vlm::weight_form;
using vlm_test::check_fails;
using vlm_test::quantize_random_model;
using vlm_test::random_model;
using vlm_test::scratch_directory;
using vlm_test::stored_model;

namespace {

const std::vector<double> scores{3.0, 1.0, 2.0, 5.0, 4.0};

const vlm::quantized_decoder& low_decoder() {
  static const vlm::quantized_decoder decoder = quantize_random_model("sign:g128/gptq");
  return decoder;
}

const vlm::quantized_decoder& high_decoder() {
  static const vlm::quantized_decoder decoder = quantize_random_model("int4:g16:searched/gptq");
  return decoder;
}

luq::plan mixed_plan() {
  return {
      vlm::decoder_shape(random_model()), {high_decoder().how, low_decoder().how, high_decoder().how}, "layer 1 low"};
}

/// Whether a checkpoint of any generation of names stores this decoder linear as `name`.
bool stores(const std::string& name, const luq::linear_shape& linear) {
  const std::string within_decoder = linear.name.substr(std::string("model.").size()) + ".weight";
  return name == "language_model.model." + within_decoder || name == "model.language_model." + within_decoder;
}

/// Checks that the file holds every tensor of the directory bit for bit, but for the weights of the plan's linears.
void check_others(const luq::packed_model& file, const std::filesystem::path& directory) {
  const luq::checkpoint stored(directory);
  std::size_t linears = 0;
  std::set<std::string> expected;
  for (const std::string& name : stored.names()) {
    bool planned = false;
    for (const auto& layer : file.planned().shape) {
      planned |= std::ranges::any_of(layer, [&](const auto& linear) { return stores(name, linear); });
    }
    CAPTURE(name);
    CHECK(file.file().contains(name) == !planned);
    if (planned) {
      ++linears;
      continue;
    }
    expected.insert(name);
    if (!file.file().contains(name)) continue;
    CHECK(file.file().info(name).dtype == stored.info(name).dtype);
    CHECK(file.file().shape(name) == stored.shape(name));
    CHECK(std::ranges::equal(file.file().bytes(name), stored.bytes(name)));
  }
  std::size_t planned = 0;
  for (const auto& layer : file.planned().shape) planned += layer.size();
  CHECK(linears == planned);
  CHECK(file.file().tensors().size() == expected.size() + planned);
}

}  // namespace

TEST_CASE("orders by their names") {
  CHECK(order_by_name("lowest", scores).order == luq::layer_order{1, 2, 0, 4, 3});
  CHECK(order_by_name("lowest", scores).name == "lowest entropy first");
  CHECK(order_by_name("highest", scores).order == luq::layer_order{3, 4, 0, 2, 1});
  CHECK(order_by_name("highest", scores).name == "highest entropy first");
  CHECK(order_by_name("depth", scores).order == luq::layer_order{0, 1, 2, 3, 4});
  CHECK(order_by_name("depth", scores).name == "depth");
  CHECK(order_by_name("random:7", scores).order == luq::random_order(5, 7));
  CHECK(order_by_name("random:7", scores).name == "random 7");
  CHECK(order_by_name("random", scores).order == luq::random_order(5, 1));
  CHECK(order_by_name("random", scores).name == "random 1");
  CHECK(order_by_name("random:18446744073709551615", scores).order ==
        luq::random_order(5, std::numeric_limits<std::uint64_t>::max()));
}

TEST_CASE("unknown orders are refused") {
  for (const char* name : {"", "Lowest", "lowest ", "random:", "random:x", "random:1x", "random:-1", "random: 1",
                           "random:18446744073709551616", "entropy"}) {
    check_fails(errc::invalid_argument, {std::string("\"") + name + "\"", "lowest, highest, depth, random"},
                [&] { (void)order_by_name(name, scores); });
  }
}

TEST_CASE("lowest entropy first is compared with its controls") {
  const std::vector<vlm::named_order> orders = vlm::orders_to_compare(scores, 2);
  const char* const names[] = {"lowest", "highest", "depth", "random:1", "random:2"};
  REQUIRE(orders.size() == 5);
  for (std::size_t o = 0; o < 5; ++o) {
    CHECK(orders[o].name == order_by_name(names[o], scores).name);
    CHECK(orders[o].order == order_by_name(names[o], scores).order);
  }
  CHECK(orders[3].order != orders[4].order);
  CHECK(vlm::orders_to_compare(scores, 0).size() == 3);
}

TEST_CASE("entropies are those of each layer's outputs, and the scores those of all tokens") {
  const vlm::calibration& statistics = vlm_test::random_calibration();
  vlm_test::recorded_progress progress;
  const auto entropies = vlm::estimate_entropies(statistics, {.threads = 2}, &progress);
  const std::vector<double> bits = vlm::entropy_scores(entropies);
  REQUIRE(entropies.size() == 3);
  REQUIRE(bits.size() == 3);
  for (std::size_t layer = 0; layer < 3; ++layer) {
    const luq::layer_entropy expected = statistics.layers[layer].outputs.estimate();
    CHECK(entropies[layer].all.bits == expected.all.bits);
    CHECK(bits[layer] == expected.all.bits);
    REQUIRE(entropies[layer].image.has_value());
    CHECK(entropies[layer].image->bits == expected.image->bits);
  }
  REQUIRE(progress.tasks.size() == 1);
  CHECK(progress.tasks[0].units == 3);
  CHECK(progress.tasks[0].done == 3);
}

TEST_CASE("the table of entropies") {
  std::vector<luq::layer_entropy> entropies(3);
  const double bits[] = {4.5, 5.0, 4.0};
  for (std::size_t layer = 0; layer < 3; ++layer) {
    entropies[layer].all = {.bits = bits[layer], .seed_deviation = 0.01, .low = 1.5, .high = 6.25};
  }
  entropies[1].text = luq::entropy_estimate{.bits = 2.25, .low = 2, .high = 2.5};
  const vlm::table rows = vlm::entropy_table(entropies);
  REQUIRE(rows.rows.size() == 3);
  CHECK(rows.rows[1] ==
        std::vector<std::string>{"1", "5.000 [1.500, 6.250]", "0.0100", "2.250 [2.000, 2.500]", "too few tokens", "3"});
  CHECK(rows.rows[0].back() == "2");
  CHECK(rows.rows[2].back() == "1");
  for (const auto& row : rows.rows) CHECK(row.size() == rows.header.size());
}

TEST_CASE("the table of dead inputs has the linears that have some") {
  CHECK(vlm::dead_input_table(high_decoder()).rows.empty());
  const auto decoder =
      vlm::quantize_decoder(random_model(), vlm_test::random_calibration_with_dead(vlm::linear_input::attention, 3),
                            luq::parse_recipe("sign:g128"), {});
  const std::string inputs = std::to_string(decoder.layers[1][0].decoded->cols());
  using row = std::vector<std::string>;
  CHECK(vlm::dead_input_table(decoder).rows == std::vector<row>{{"1", "self_attn.q_proj", inputs, "3"},
                                                                {"1", "self_attn.k_proj", inputs, "3"},
                                                                {"1", "self_attn.v_proj", inputs, "3"}});
}

TEST_CASE("the table of a plan counts every byte") {
  const luq::plan choice = mixed_plan();
  const vlm::table rows = vlm::plan_table(choice);
  REQUIRE(rows.rows.size() == 4);
  luq::index total = 0;
  for (std::size_t layer = 0; layer < 3; ++layer) {
    luq::index bytes = 0;
    for (const auto& linear : (layer == 1 ? low_decoder() : high_decoder()).layers[layer]) {
      bytes += static_cast<luq::index>(luq::bytes_of(*linear.packed).size());
    }
    total += bytes;
    CHECK(rows.rows[layer][1] == luq::recipe_name(choice.recipes[layer]));
    CHECK(rows.rows[layer][2] == std::to_string(bytes));
  }
  CHECK(rows.rows[1][4] == "1.00");
  CHECK(rows.rows[3][0] == "all");
  CHECK(rows.rows[3][2] == std::to_string(total));
  const double bits = 8.0 * static_cast<double>(total) / static_cast<double>(luq::weights_of(choice.shape));
  CHECK(rows.rows[3][3] == vlm::fixed(bits, 3));
  for (const auto& row : rows.rows) CHECK(row.size() == rows.header.size());
}

TEST_CASE("the table of accuracies leaves out kinds that were not asked") {
  vlm::question_set set;
  set.kinds = {"sum", "never", "where"};
  const vlm::table rows = vlm::accuracy_table(set, {{1, 0, 3}, {4, 0, 3}});
  const std::vector<std::vector<std::string>> expected{
      {"sum", "4", "1", "25.0 %"}, {"where", "3", "3", "100.0 %"}, {"all", "7", "4", "57.1 %"}};
  CHECK(rows.rows == expected);
  CHECK(vlm::percent(0.1234) == "12.3 %");
}

TEST_CASE("a planned model comes back from its file as it was in memory") {
  const scratch_directory directory;
  const auto path = directory.path() / "packed.safetensors";
  const luq::plan choice = mixed_plan();
  const luq::packed_model_size predicted =
      vlm::write_planned_model(path, vlm_test::random_fixture().model, choice, {&low_decoder(), &high_decoder()});
  const luq::packed_model file(path);
  CHECK(file.planned() == choice);
  CHECK(predicted.linears == static_cast<std::uint64_t>(luq::total_bytes(choice)));
  CHECK(predicted.linears == file.size().linears);
  CHECK(predicted.others == file.size().others);
  CHECK(predicted.header == file.size().header);
  CHECK(predicted.file() == std::filesystem::file_size(path));
  check_others(file, vlm_test::random_fixture().model);

  const vlm::vision_language_model in_memory =
      vlm::planned_model(random_model(), choice, {&low_decoder(), &high_decoder()}, weight_form::packed);
  const luq::matrix expected = vlm_test::random_logits(in_memory);
  CHECK(vlm_test::identical(vlm_test::random_logits(vlm::with_packed_decoder(random_model(), file)), expected));
  CHECK(!vlm_test::identical(vlm_test::random_logits(random_model()), expected));
}

TEST_CASE("decoder linears are left out of the other tensors under every generation of names, in shards too") {
  const luq::plan choice = mixed_plan();
  const scratch_directory directory;
  const auto check = [&](const std::filesystem::path& model) {
    const auto path = directory.path() / "packed.safetensors";
    vlm::write_planned_model(path, model, choice, {&low_decoder(), &high_decoder()});
    check_others(luq::packed_model(path), model);
  };
  stored_model stored(vlm_test::random_fixture().model);
  const auto recent = directory.path() / "recent";
  std::filesystem::create_directory(recent);
  stored.write_sharded(recent);
  check(recent);

  stored.rename("model.language_model.", "language_model.model.");
  stored.rename("model.vision_tower.", "vision_tower.");
  const auto older = directory.path() / "older";
  std::filesystem::create_directory(older);
  stored.write(older);
  check(older);
}

TEST_CASE("decoder linears of the embedded model are left out, layer by layer") {
  const luq::model_shape shape = vlm::decoder_shape(vlm_test::tiny_model());
  const scratch_directory directory;
  const auto path = directory.path() / "packed.safetensors";
  const luq::any_codec codec = luq::parse_codec("sign:g128");
  vlm::quantized_decoder decoder{{codec}, std::vector<vlm::quantized_layer>(12)};
  for (std::size_t layer = 0; layer < 12; ++layer) {
    for (std::size_t i = 0; i < vlm::decoder_linears.size(); ++i) {
      const luq::linear_shape& linear = shape[layer][i];
      const auto bytes = static_cast<std::size_t>(luq::packed_bytes(codec, linear.rows, linear.cols));
      const std::vector<std::byte> zeros(bytes);
      decoder.layers[layer][i].packed = std::make_shared<const luq::any_packed_matrix>(
          luq::make_packed_matrix(codec, linear.rows, linear.cols, {zeros.begin(), zeros.end()}));
    }
  }
  vlm::write_planned_model(path, vlm_test::tiny_fixture().model, luq::uniform_plan(shape, codec), {&decoder});
  check_others(luq::packed_model(path), vlm_test::tiny_fixture().model);
}

TEST_CASE("a file that was made for another model is refused") {
  const scratch_directory directory;
  const auto path = directory.path() / "packed.safetensors";
  vlm::write_planned_model(path, vlm_test::random_fixture().model, mixed_plan(), {&low_decoder(), &high_decoder()});
  const luq::packed_model file(path);
  check_fails(errc::shape_mismatch, {"packed.safetensors", "other layers or shapes"},
              [&] { (void)vlm::with_packed_decoder(vlm_test::tiny_model(), file); });
}

TEST_CASE("a plan of which a recipe is missing is not written") {
  const scratch_directory directory;
  const auto path = directory.path() / "packed.safetensors";
  check_fails(errc::shape_mismatch, {"layer 1"}, [&] {
    vlm::write_planned_model(path, vlm_test::random_fixture().model, mixed_plan(), {&high_decoder()});
  });
  CHECK(std::filesystem::is_empty(directory.path()));
}
