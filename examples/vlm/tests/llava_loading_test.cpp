// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Model directories as they occur, and as they should not.
#include <limits>
#include <utility>

#include "engine_test_support.hpp"

using luq::errc;
using vlm::vision_language_model;
using vlm_test::check_fails;
using vlm_test::fixture;
using vlm_test::scratch_directory;
using vlm_test::stored_model;

namespace {

/// Logits of the first sequence, which has an image.
luq::matrix first_llava_logits(const vision_language_model& model, const fixture& data) {
  const vlm::encoded_images image = model.image_features(data.images[0]);
  return model.logits(model.sequence(data.sequences[0].ids), &image);
}

vision_language_model load_llava(const stored_model& stored) {
  const scratch_directory directory;
  stored.write(directory.path());
  return vision_language_model(directory.path());
}

void check_llava_refused(errc code, const stored_model& stored, const std::vector<std::string>& fragments) {
  check_fails(code, fragments, [&] { (void)load_llava(stored); });
}

const std::string query = "model.language_model.layers.1.self_attn.q_proj";

}  // namespace

TEST_CASE("both generations of names, and mixtures of them, are the same model") {
  const fixture& data = vlm_test::random_fixture();
  const luq::matrix expected = first_llava_logits(vlm_test::random_model(), data);
  const std::pair<const char*, const char*> renamings[] = {
      {"model.language_model.", "language_model.model."},
      {"lm_head.", "language_model.lm_head."},
      {"model.vision_tower.vision_model.", "vision_tower.vision_model."},
      {"model.multi_modal_projector.", "multi_modal_projector."},
      {"vision_tower.vision_model.", "vision_tower."},
      {"vision_tower.", "model.vision_tower."}};
  stored_model stored(data.model);
  for (const auto& renaming : renamings) {
    CAPTURE(renaming.second);
    stored.rename(renaming.first, renaming.second);
    CHECK(vlm_test::identical(first_llava_logits(load_llava(stored), data), expected));
  }
}

TEST_CASE("a model in shards is the model in one file") {
  const fixture& data = vlm_test::random_fixture();
  const scratch_directory directory;
  stored_model(data.model).write_sharded(directory.path());
  CHECK(vlm_test::identical(first_llava_logits(vision_language_model(directory.path()), data),
                            first_llava_logits(vlm_test::random_model(), data)));
}

TEST_CASE("a head that is in the file is used, wherever the configuration says that it is tied") {
  const fixture& data = vlm_test::random_fixture();
  const luq::matrix with_own_head = first_llava_logits(vlm_test::random_model(), data);
  const std::string table = "model.language_model.embed_tokens.weight";
  stored_model twice(data.model);
  twice.tensors["lm_head.weight"] = twice.tensors.at(table);
  const luq::matrix with_table = first_llava_logits(load_llava(twice), data);
  REQUIRE(!vlm_test::identical(with_table, with_own_head));

  const std::pair<const char*, const char*> in_text{"\"tie_word_embeddings\": false,\n    \"use_cache\"",
                                                    "\"tie_word_embeddings\": true,\n    \"use_cache\""};
  const std::pair<const char*, const char*> in_root{"\"tie_word_embeddings\": false,\n  \"transformers_version\"",
                                                    "\"tie_word_embeddings\": true,\n  \"transformers_version\""};
  for (const int places : {1, 2, 3}) {
    CAPTURE(places);
    stored_model tied(data.model);
    if ((places & 1) != 0) tied.edit_config(in_text.first, in_text.second);
    if ((places & 2) != 0) tied.edit_config(in_root.first, in_root.second);
    CHECK(vlm_test::identical(first_llava_logits(load_llava(tied), data), with_own_head));

    stored_model without_head = tied;
    without_head.tensors.erase("lm_head.weight");
    CHECK(vlm_test::identical(first_llava_logits(load_llava(without_head), data), with_table));

    stored_model without_table = without_head;
    without_table.rename(table, "lm_head.weight");
    CHECK(vlm_test::identical(first_llava_logits(load_llava(without_table), data), with_table));
  }
  stored_model untied(data.model);
  untied.tensors.erase(table);
  check_llava_refused(errc::corrupt_file, untied, {"'" + table + "'", "no such tensor"});
}

TEST_CASE("a table that is stored twice is in memory once") {
  stored_model stored(vlm_test::random_fixture().model);
  stored.tensors["lm_head.weight"] = stored.tensors.at("model.language_model.embed_tokens.weight");
  const vision_language_model model = load_llava(stored);
  const auto row = model.text_decoder().embedding(0);
  CHECK(static_cast<const void*>(row.data()) == model.text_decoder().head().bytes().data());
}

TEST_CASE("a tensor that the configuration does not tell of is an error, not left out") {
  const fixture& data = vlm_test::random_fixture();
  const std::string layer = "model.language_model.layers.1.";
  const auto refuse = [&](const std::string& name) {
    CAPTURE(name);
    stored_model stored(data.model);
    stored.tensors[name] = {{8}, std::vector<float>(8, 1.0f)};
    check_llava_refused(errc::corrupt_file, stored, {"tensor '" + name + "': expected none"});
  };
  refuse(layer + "self_attn.q_proj.bias");
  refuse(layer + "mlp.down_proj.bias");
  refuse(layer + "self_attn.q_norm.weight");
  refuse(layer + "post_feedforward_layernorm.weight");
  refuse("model.language_model.layers.3.input_layernorm.weight");
  refuse("model.language_model.norm.bias");
  refuse("model.multi_modal_projector.linear_1.bias");
  refuse("model.vision_tower.vision_model.embeddings.patch_embedding.bias");
  refuse("model.vision_tower.vision_model.encoder.layers.3.layer_norm1.bias");
  refuse("model.image_newline");
  refuse("lm_head.bias");
  refuse("language_model.lm_head.weight");
  refuse("language_model.model.embed_tokens.weight");  // of the other generation of names

  stored_model fewer_layers(data.model);
  fewer_layers.edit_config("\"num_hidden_layers\": 3,\n    \"num_key", "\"num_hidden_layers\": 2,\n    \"num_key");
  check_llava_refused(errc::corrupt_file, fewer_layers,
                      {"'model.language_model.layers.2.input_layernorm.weight' and 8 others: expected none"});
}

TEST_CASE("buffers of old checkpoints, whose numbers follow from the configuration, are not read") {
  const fixture& data = vlm_test::random_fixture();
  stored_model stored(data.model);
  stored.tensors["model.language_model.layers.0.self_attn.rotary_emb.inv_freq"] = {{4}, {1.0f, 0.5f, 0.25f, 0.125f}};
  stored.tensors["model.vision_tower.vision_model.embeddings.position_ids"] = {{1, 2}, {0.0f, 1.0f}};
  CHECK(vlm_test::identical(first_llava_logits(load_llava(stored), data),
                            first_llava_logits(vlm_test::random_model(), data)));
}

TEST_CASE("biases are read where the configuration says so") {
  const fixture& data = vlm_test::random_fixture();
  stored_model stored(data.model);
  stored.edit_config("\"attention_bias\": false", "\"attention_bias\": true");
  stored.edit_config("\"mlp_bias\": false", "\"mlp_bias\": true");
  const vlm::text_config& text = vlm_test::random_model().config().text;
  float value = 0.0f;
  for (luq::index layer = 0; layer < text.layers; ++layer) {
    for (const vlm::decoder_linear linear : vlm::decoder_linears) {
      const luq::index size = vlm_test::random_model().decoder_linear_at(layer, linear).out_features();
      const std::string name = "model.language_model.layers." + std::to_string(layer) + "." +
                               std::string(vlm::tensor_name(linear)) + ".bias";
      value += 1.0f;
      stored.tensors[name] = {{size}, std::vector<float>(static_cast<std::size_t>(size), value)};
    }
  }
  const vision_language_model model = load_llava(stored);
  value = 0.0f;
  for (luq::index layer = 0; layer < text.layers; ++layer) {
    for (const vlm::decoder_linear linear : vlm::decoder_linears) {
      const vlm::linear& with_bias = model.decoder_linear_at(layer, linear);
      value += 1.0f;
      const luq::matrix bias = with_bias(luq::matrix::Zero(1, with_bias.in_features()));
      CHECK(bias.minCoeff() == value);
      CHECK(bias.maxCoeff() == value);
    }
  }
}

TEST_CASE("several vision states side by side") {
  const fixture& data = vlm_test::random_fixture();
  stored_model stored(data.model);
  stored.edit_config("\"vision_feature_layer\": -1", "\"vision_feature_layer\": [-1, 1]");
  // Zero weights for the second state: the result is that of the first alone.
  vlm_test::tensor& first = stored.tensors.at("model.multi_modal_projector.linear_1.weight");
  const auto rows = static_cast<std::size_t>(first.shape[0]);
  const auto width = static_cast<std::size_t>(first.shape[1]);
  vlm_test::tensor wide{{first.shape[0], 2 * first.shape[1]}, std::vector<float>(2 * rows * width, 0.0f)};
  for (std::size_t r = 0; r < rows; ++r) {
    std::copy_n(first.values.begin() + static_cast<std::ptrdiff_t>(r * width), width,
                wide.values.begin() + static_cast<std::ptrdiff_t>(2 * r * width));
  }
  first = wide;
  CHECK(vlm_test::relative_difference(load_llava(stored).image_features(data.images[0]).rows,
                                      data.image_features[0].rows) < 2e-5);
}

TEST_CASE("vision layers behind the last state that is shown are not needed") {
  const fixture& data = vlm_test::tiny_fixture();
  stored_model stored(data.model);
  std::erase_if(stored.tensors, [](const auto& entry) {
    return entry.first.find("encoder.layers.3.") != std::string::npos ||
           entry.first.find("post_layernorm") != std::string::npos;
  });
  CHECK(vlm_test::identical(first_llava_logits(load_llava(stored), data),
                            first_llava_logits(vlm_test::tiny_model(), data)));
}

TEST_CASE("a tensor that is missing or has another shape is named") {
  const fixture& data = vlm_test::random_fixture();
  stored_model stored(data.model);
  stored.tensors.erase(query + ".weight");
  check_llava_refused(errc::corrupt_file, stored,
                      {"tensor '" + query + ".weight': expected shape [48, 48], got no such tensor"});

  stored = stored_model(data.model);
  stored.tensors[query + ".weight"].shape = {24, 96};
  check_llava_refused(errc::shape_mismatch, stored,
                      {"model.safetensors", query, "expected shape [48, 48], got [24, 96]"});

  stored = stored_model(data.model);
  stored.tensors["model.language_model.norm.weight"].shape = {48, 1};
  check_llava_refused(errc::shape_mismatch, stored, {"norm.weight", "expected shape [48], got [48, 1]"});

  stored = stored_model(data.model);
  stored.tensors.erase("lm_head.weight");
  check_llava_refused(errc::corrupt_file, stored, {"'lm_head.weight'", "no such tensor"});
}

TEST_CASE("a part without any of its names") {
  const fixture& data = vlm_test::random_fixture();
  for (const char* prefix : {"model.language_model.norm.", "model.vision_tower.vision_model.embeddings.class_",
                             "model.multi_modal_projector.linear_1."}) {
    stored_model stored(data.model);
    stored.rename(prefix, "elsewhere.");
    check_llava_refused(errc::corrupt_file, stored, {"expected a tensor ", prefix, " or ", "got none of them"});
  }
}

TEST_CASE("weights that are no finite numbers are refused wherever they are") {
  const fixture& data = vlm_test::random_fixture();
  const stored_model whole(data.model);
  for (const auto& entry : whole.tensors) {
    const std::string& name = entry.first;
    if (name.find("post_layernorm") != std::string::npos) continue;  // of no use
    CAPTURE(name);
    stored_model stored = whole;
    stored.tensors[name].values.back() = std::numeric_limits<float>::infinity();
    check_llava_refused(errc::non_finite, stored, {"'" + name + "'"});
  }
}

TEST_CASE("a wrong directory") {
  const scratch_directory directory;
  check_fails(errc::io_failure, {"nothing of that name"}, [&] { vision_language_model{directory.path() / "absent"}; });
  check_fails(errc::io_failure, {directory.path().string(), "model.safetensors"},
              [&] { vision_language_model{directory.path()}; });
}
