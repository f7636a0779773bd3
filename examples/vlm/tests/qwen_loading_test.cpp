// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Directories of Qwen2.5-VL as they occur, and as they should not.
#include <limits>
#include <utility>

#include "qwen_test_support.hpp"

using luq::errc;
using vlm::vision_language_model;
using vlm_test::check_fails;
using vlm_test::identical;
using vlm_test::published_fixture;
using vlm_test::qwen_fixture;
using vlm_test::recent_fixture;
using vlm_test::stored_model;

namespace {

/// Logits of the first sequence, which has an image.
luq::matrix first_qwen_logits(const vision_language_model& model, const qwen_fixture& data) {
  const vlm::encoded_images image = model.image_features(data.images[0]);
  return model.logits(model.sequence(data.sequences[0].ids), &image);
}

vision_language_model load_qwen(const stored_model& stored) {
  const vlm_test::scratch_directory directory;
  stored.write(directory.path());
  return vision_language_model(directory.path());
}

void check_qwen_refused(errc code, const std::vector<std::string>& fragments,
                        const std::function<void(stored_model&)>& spoil) {
  stored_model stored(published_fixture().model);
  spoil(stored);
  check_fails(code, fragments, [&] { (void)load_qwen(stored); });
}

}  // namespace

TEST_CASE("both generations of names, and mixtures of them, are the same model") {
  const qwen_fixture& data = recent_fixture();
  const luq::matrix expected = first_qwen_logits(vlm_test::recent_model(), data);
  stored_model stored(data.model);
  const std::pair<const char*, const char*> renamings[] = {
      {"model.language_model.", "model."}, {"model.visual.merger.", "visual.merger."}, {"model.visual.", "visual."}};
  for (const auto& renaming : renamings) {
    CAPTURE(renaming.second);
    stored.rename(renaming.first, renaming.second);
    CHECK(identical(first_qwen_logits(load_qwen(stored), data), expected));
  }
}

TEST_CASE("a head that is in the file is used, wherever the configuration says that it is tied") {
  const qwen_fixture& data = published_fixture();
  const luq::matrix with_own_head = first_qwen_logits(vlm_test::published_model(), data);
  stored_model twice(data.model);
  twice.tensors["lm_head.weight"] = twice.tensors.at("model.embed_tokens.weight");
  const luq::matrix with_table = first_qwen_logits(load_qwen(twice), data);
  REQUIRE(!identical(with_table, with_own_head));

  stored_model tied(data.model);
  tied.edit_config("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true");
  CHECK(identical(first_qwen_logits(load_qwen(tied), data), with_own_head));
  stored_model without_head = tied;
  without_head.tensors.erase("lm_head.weight");
  CHECK(identical(first_qwen_logits(load_qwen(without_head), data), with_table));
  stored_model without_table = without_head;
  without_table.rename("model.embed_tokens.weight", "lm_head.weight");
  CHECK(identical(first_qwen_logits(load_qwen(without_table), data), with_table));

  // The same where the decoder has a section of its own.
  const qwen_fixture& recent = recent_fixture();
  stored_model own_head(recent.model);
  own_head.tensors["lm_head.weight"] = own_head.tensors.at("model.embed_tokens.weight");
  for (float& value : own_head.tensors["lm_head.weight"].values) value *= -2.0f;
  const luq::matrix expected = -2.0f * first_qwen_logits(vlm_test::recent_model(), recent);
  CHECK(identical(first_qwen_logits(load_qwen(own_head), recent), expected));
  own_head.edit_config("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
  own_head.edit_config("\"use_sliding_window\"", "\"tie_word_embeddings\": true, \"use_sliding_window\"");
  CHECK(identical(first_qwen_logits(load_qwen(own_head), recent), expected));
}

TEST_CASE("a tensor that the configuration does not tell of is an error, not left out") {
  for (const char* name : {"model.layers.0.self_attn.o_proj.bias", "model.layers.2.mlp.up_proj.bias",
                           "model.layers.0.self_attn.k_norm.weight", "model.layers.3.input_layernorm.weight",
                           "visual.blocks.4.norm1.weight", "visual.blocks.0.norm1.bias", "visual.merger.ln_q.bias",
                           "visual.patch_embed.proj.bias", "lm_head.bias", "language_model.lm_head.weight",
                           "model.language_model.norm.weight"}) {
    CAPTURE(name);
    check_qwen_refused(errc::corrupt_file, {std::string("tensor '") + name + "': expected none"},
                       [&](auto& stored) { stored.tensors[name] = {{64}, std::vector<float>(64, 1.0f)}; });
  }
}

TEST_CASE("the numbers of heads and layers of the tower under their other names") {
  const qwen_fixture& data = published_fixture();
  stored_model stored(data.model);
  stored.edit_config("\"num_heads\"", "\"num_attention_heads\"");
  stored.edit_config("\"depth\"", "\"num_hidden_layers\"");
  CHECK(identical(first_qwen_logits(load_qwen(stored), data), first_qwen_logits(vlm_test::published_model(), data)));
}

TEST_CASE("full attention is where the configuration says so") {
  const qwen_fixture& data = published_fixture();
  for (const char* layers : {"[]", "[0, 1, 2, 3]", "[0]", "[1, 3, 3, 40]"}) {
    CAPTURE(layers);
    stored_model stored(data.model);
    stored.edit_config("[\n      1,\n      3\n    ]", layers);
    const bool same = std::string(layers).starts_with("[1, 3");
    CHECK(identical(first_qwen_logits(load_qwen(stored), data), first_qwen_logits(vlm_test::published_model(), data)) ==
          same);
  }
}

TEST_CASE("a tensor that is missing or has another shape is named") {
  const std::string query = "model.layers.1.self_attn.q_proj";
  check_qwen_refused(errc::corrupt_file, {"'" + query + ".bias'", "expected shape [64]", "no such tensor"},
                     [&](auto& stored) { stored.tensors.erase(query + ".bias"); });
  check_qwen_refused(errc::corrupt_file, {"'lm_head.weight'", "no such tensor"},
                     [](auto& stored) { stored.tensors.erase("lm_head.weight"); });
  check_qwen_refused(errc::shape_mismatch, {"patch_embed.proj.weight", "[32, 3, 2, 4, 4]", "got [32, 96]"},
                     [](auto& stored) { stored.tensors["visual.patch_embed.proj.weight"].shape = {32, 96}; });
  check_qwen_refused(errc::shape_mismatch, {"visual.blocks.3.attn.qkv.weight", "[96, 32]", "got [32, 96]"},
                     [](auto& stored) { stored.tensors["visual.blocks.3.attn.qkv.weight"].shape = {32, 96}; });
  check_qwen_refused(errc::shape_mismatch, {"visual.merger.mlp.2.weight", "[64, 128]"},
                     [](auto& stored) { stored.tensors["visual.merger.mlp.2.weight"].shape = {128, 64}; });
  check_qwen_refused(errc::corrupt_file,
                     {"expected a tensor visual.merger.ln_q.weight or model.visual.merger.ln_q.weight"},
                     [](auto& stored) { stored.tensors.erase("visual.merger.ln_q.weight"); });
}

TEST_CASE("weights that are no finite numbers are refused wherever they are") {
  const stored_model whole(published_fixture().model);
  for (const auto& entry : whole.tensors) {
    const std::string& name = entry.first;
    CAPTURE(name);
    check_qwen_refused(errc::non_finite, {"'" + name + "'"}, [&](auto& stored) {
      stored.tensors[name].values.back() = std::numeric_limits<float>::quiet_NaN();
    });
  }
}

TEST_CASE("one architecture's tensors under the other's configuration") {
  stored_model stored(published_fixture().model);
  stored.config = stored_model(vlm_test::random_fixture().model).config;
  check_fails(errc::corrupt_file, {"language_model.model.norm.weight"}, [&] { (void)load_qwen(stored); });
}
