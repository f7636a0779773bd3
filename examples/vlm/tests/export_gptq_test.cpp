// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The embedded model as a GPTQ checkpoint, read back as a loader would: by its configuration, module by module.
#include <algorithm>
#include <fstream>
#include <luq/core/half.hpp>
#include <luq/io/files/strict_json.hpp>
#include <luq/io/gptq/gptq_config_json.hpp>
#include <luq/io/gptq/gptq_safetensors.hpp>
#include <nlohmann/json.hpp>

#include "export_test_support.hpp"
#include "qwen_test_support.hpp"

using luq::errc;
using vlm_test::check_fails;
using vlm_test::packed_decoder;
using vlm_test::run_export;
using vlm_test::scratch_directory;

namespace {

/// Symmetric and asymmetric integers, and a codec that GPTQ has not.
const packed_decoder& mixed_integers() {
  static const packed_decoder result({"int4:g128:sym:searched", "sign:g128", "int3:g64", "int8:g32:sym"});
  return result;
}

bool has_gptq_form(std::size_t layer) {
  return !std::holds_alternative<luq::sign_codec>(mixed_integers().planned().recipes[layer].codec);
}

/// The checkpoint of mixed_integers() in a directory of its own.
struct exported_checkpoint {
  scratch_directory directory;
  std::filesystem::path packed = directory.path() / "packed.safetensors";
  std::filesystem::path output = directory.path() / "gptq";
  std::string printed;

  exported_checkpoint() {
    mixed_integers().write(packed);
    printed = run_export({.target = "gptq", .packed = packed, .output = output});
  }
};

const exported_checkpoint& checkpoint() {
  static const exported_checkpoint result;
  return result;
}

}  // namespace

TEST_CASE("every linear decodes to the packed weights") {
  const luq::checkpoint tensors(checkpoint().output);
  const luq::gptq_config config = luq::read_gptq_config(checkpoint().output / "config.json");
  CHECK(config == luq::read_gptq_config(checkpoint().output / "quantize_config.json"));
  CHECK(config.format == luq::gptq_format::v2);
  const luq::plan& choice = mixed_integers().planned();
  for (std::size_t layer = 0; layer < choice.shape.size(); ++layer) {
    for (std::size_t i = 0; i < choice.shape[layer].size(); ++i) {
      const std::string module = "model.language_model." + choice.shape[layer][i].name.substr(6);
      CAPTURE(module);
      const luq::matrix expected = luq::decode(mixed_integers().at(layer, i));
      const auto settings = luq::settings_of(config, module);
      REQUIRE(settings.has_value() == has_gptq_form(layer));
      if (settings) {
        CHECK(!tensors.contains(module + ".weight"));
        const luq::gptq_tensors stored =
            luq::read_gptq_tensors(tensors, module, settings->bits, settings->group, config.format);
        CHECK(vlm_test::identical(luq::decode_gptq(stored, module), expected));
      } else {
        CHECK(!tensors.contains(module + ".qweight"));
        CHECK(tensors.info(module + ".weight").dtype == luq::tensor_dtype::f16);
        // Values of a sign codec are halves.
        CHECK(vlm_test::identical(tensors.read_matrix(module + ".weight"), expected));
      }
    }
  }
}

TEST_CASE("rules hold under the names of every engine") {
  const luq::gptq_config config = luq::read_gptq_config(checkpoint().output / "config.json");
  for (const std::string decoder : {"model.", "language_model.model.", "model.language_model."}) {
    CAPTURE(decoder);
    CHECK(luq::settings_of(config, decoder + "layers.0.mlp.up_proj")->bits == 4);
    CHECK(!luq::settings_of(config, decoder + "layers.1.mlp.up_proj"));
    CHECK(!luq::settings_of(config, decoder + "layers.5.self_attn.qkv_proj"));
    CHECK(luq::settings_of(config, decoder + "layers.2.mlp.gate_up_proj")->bits == 3);
    CHECK(luq::settings_of(config, decoder + "layers.11.mlp.down_proj")->bits == 8);
  }
  for (const std::string prefix : {"", "model."}) {
    CAPTURE(prefix);
    CHECK(!luq::settings_of(config, prefix + "vision_tower.encoder.layers.0.mlp.fc1"));
    CHECK(!luq::settings_of(config, prefix + "vision_tower.vision_model.encoder.layers.3.self_attn.qkv_proj"));
    CHECK(!luq::settings_of(config, prefix + "multi_modal_projector.linear_1"));
    CHECK(!luq::settings_of(config, prefix + "multi_modal_projector.linear_2"));
  }
  CHECK(!luq::settings_of(config, "lm_head"));
}

TEST_CASE("all else is the model's") {
  const luq::checkpoint tensors(checkpoint().output);
  const luq::checkpoint model(vlm_test::embedded_model());
  const auto check = [&](const std::string& name, const std::string& stored) {
    CAPTURE(name);
    CHECK(tensors.info(name).dtype == model.info(stored).dtype);
    CHECK(std::ranges::equal(tensors.bytes(name), model.bytes(stored)));
  };
  check("lm_head.weight", "language_model.lm_head.weight");
  check("model.language_model.embed_tokens.weight", "language_model.model.embed_tokens.weight");
  check("model.language_model.norm.weight", "language_model.model.norm.weight");
  check("model.language_model.layers.7.input_layernorm.weight", "language_model.model.layers.7.input_layernorm.weight");
  check("model.multi_modal_projector.linear_2.bias", "multi_modal_projector.linear_2.bias");
  check("model.vision_tower.embeddings.class_embedding", "vision_tower.vision_model.embeddings.class_embedding");
  check("model.vision_tower.encoder.layers.1.mlp.fc2.weight",
        "vision_tower.vision_model.encoder.layers.1.mlp.fc2.weight");
  CHECK(tensors.names().size() == model.names().size() + 3 * 63);  // four tensors for each of 63 linears
  CHECK(tensors.shards()[0].metadata().at("format") == "pt");

  nlohmann::json config = luq::read_strict_json(checkpoint().output / "config.json");
  config.erase("quantization_config");
  CHECK(config == luq::read_strict_json(vlm_test::embedded_model() / "config.json"));
  CHECK(std::filesystem::exists(checkpoint().output / "vocab.json"));
}

TEST_CASE("Qwen2.5-VL has the names of transformers 5, and its tower stays dense") {
  const scratch_directory directory;
  vlm::settings s;
  s.model = vlm_test::published_fixture().model;
  const packed_decoder decoder({"int4:g32"}, s.model);
  decoder.write(directory.path() / "packed.safetensors");
  const auto output = directory.path() / "gptq";
  (void)run_export({.target = "gptq", .packed = directory.path() / "packed.safetensors", .output = output}, s);
  const luq::checkpoint tensors(output);
  const luq::gptq_config config = luq::read_gptq_config(output / "config.json");
  const luq::checkpoint model(s.model);
  for (const std::string& name : model.names()) {
    if (!name.starts_with("visual.")) continue;
    CAPTURE(name);
    CHECK(std::ranges::equal(tensors.bytes("model." + name), model.bytes(name)));
    const std::string module = name.substr(0, name.rfind('.'));
    if (!name.ends_with(".weight") || model.info(name).shape.size() != 2) continue;
    CHECK(!luq::settings_of(config, module));
    CHECK(!luq::settings_of(config, "model." + module));
  }
  CHECK(tensors.contains("model.language_model.layers.0.self_attn.q_proj.bias"));
  const std::string module = "model.language_model." + decoder.planned().shape[2][3].name.substr(6);
  const luq::gptq_tensors stored = luq::read_gptq_tensors(tensors, module, 4, 32, config.format);
  CHECK(vlm_test::identical(luq::decode_gptq(stored, module), luq::decode(decoder.at(2, 3))));
}

TEST_CASE("what is dense is said, and so is what was written") {
  CHECK(
      checkpoint().printed.starts_with("gptq, written as F16: model.layers.1.mlp.down_proj and 20 more: sign:g128: "));
  const auto file = checkpoint().output / "model.safetensors";
  CHECK(vlm_test::last_line(checkpoint().printed) ==
        file.string() + ": " + std::to_string(std::filesystem::file_size(file)) +
            " bytes: GPTQ v2 checkpoint, 63 linears quantized and 21 decoded to F16, the rest as in " +
            vlm_test::embedded_model().string() + "\n");
}

TEST_CASE("a new or empty directory, with a slash after its name or without") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  mixed_integers().write(packed);
  std::filesystem::create_directory(directory.path() / "empty");
  for (const char* name : {"new", "empty", "slash/"}) {
    const auto output = directory.path() / name;
    (void)run_export({.target = "gptq", .packed = packed, .output = output});
    CHECK(std::filesystem::exists(output / "config.json"));
  }
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 4);
}

TEST_CASE("what stands where the directory would be filled is not removed") {
  const scratch_directory directory;
  std::filesystem::create_directories(directory.path() / "gptq.partial" / "mine");
  check_fails(errc::io_failure, {"gptq.partial: cannot be made: File exists"},
              [&] { (void)run_export({.target = "gptq", .packed = "/absent", .output = directory.path() / "gptq"}); });
  CHECK(std::filesystem::exists(directory.path() / "gptq.partial" / "mine"));
}

TEST_CASE("what has no GPTQ checkpoint") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  const auto output = directory.path() / "gptq";
  packed_decoder({"sign:g128"}).write(packed);
  check_fails(errc::invalid_argument, {"no linear of the plan is quantized"},
              [&] { (void)run_export({.target = "gptq", .packed = packed, .output = output}); });
  CHECK(!std::filesystem::exists(output));
  check_fails(errc::io_failure, {directory.path().string(), "expected a new or empty directory"},
              [&] { (void)run_export({.target = "gptq", .packed = packed, .output = directory.path()}); });
  check_fails(errc::io_failure, {packed.string(), "expected a new or empty directory"},
              [&] { (void)run_export({.target = "gptq", .packed = packed, .output = packed}); });
  vlm::settings other;
  other.model = vlm_test::random_fixture().model;
  mixed_integers().write(packed);
  check_fails(errc::shape_mismatch, {packed.string(), "the model has no weight of that name and shape"},
              [&] { (void)run_export({.target = "gptq", .packed = packed, .output = output}, other); });
  CHECK(!std::filesystem::exists(output));
}

TEST_CASE("a head that is exported is not called tied") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  mixed_integers().write(packed);
  vlm_test::stored_model stored(vlm_test::embedded_model());
  nlohmann::json config = nlohmann::json::parse(stored.config);
  config["tie_word_embeddings"] = true;
  config["text_config"]["tie_word_embeddings"] = true;
  stored.config = config.dump();
  vlm::settings s;
  s.model = directory.path() / "model";
  std::filesystem::create_directory(s.model);
  const auto exported_config = [&](const char* name) {
    stored.write(s.model);
    (void)run_export({.target = "gptq", .packed = packed, .output = directory.path() / name}, s);
    return luq::read_strict_json(directory.path() / name / "config.json");
  };
  const nlohmann::json with_head = exported_config("with-head");
  CHECK(with_head["tie_word_embeddings"] == false);
  CHECK(with_head["text_config"]["tie_word_embeddings"] == false);
  stored.tensors.erase("language_model.lm_head.weight");
  const nlohmann::json without_head = exported_config("without-head");
  CHECK(without_head["tie_word_embeddings"] == true);
  CHECK(without_head["text_config"]["tie_word_embeddings"] == true);
}
