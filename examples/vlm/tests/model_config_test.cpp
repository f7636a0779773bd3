// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "engine/model_config.hpp"

#include <nlohmann/json.hpp>
#include <variant>

#include "engine_test_support.hpp"

using nlohmann::json;
using vlm::activation;
using vlm::model_config;
using vlm_test::check_fails;
using vlm_test::llava_vision;

namespace {

model_config parse(const std::string& text) {
  return vlm::parse_model_config(json::parse(text), "config.json");
}

void check_rejected(luq::errc code, const std::string& text, const std::vector<std::string>& fragments) {
  CAPTURE(text);
  check_fails(code, fragments, [&] { (void)parse(text); });
}

}  // namespace

TEST_CASE("a file that holds only what differs from the defaults, as that of llava-1.5-7b-hf") {
  const model_config config = parse(R"({
    "architectures": ["LlavaForConditionalGeneration"], "ignore_index": -100, "image_token_index": 32000,
    "model_type": "llava", "pad_token_id": 32001, "projector_hidden_act": "gelu",
    "text_config": {"_name_or_path": "a decoder", "architectures": ["LlamaForCausalLM"],
                    "max_position_embeddings": 4096, "model_type": "llama", "rms_norm_eps": 1e-05,
                    "torch_dtype": "float16", "vocab_size": 32064},
    "torch_dtype": "float16",
    "vision_config": {"hidden_size": 1024, "image_size": 336, "intermediate_size": 4096,
                      "model_type": "clip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 24,
                      "patch_size": 14, "projection_dim": 768, "vocab_size": 32000},
    "vision_feature_layer": -2, "vision_feature_select_strategy": "default", "vocab_size": 32064})");
  CHECK(config.text.vocabulary == 32064);
  CHECK(config.text.hidden_size == 4096);
  CHECK(config.text.intermediate_size == 11008);
  CHECK(config.text.layers == 32);
  CHECK(config.text.heads == 32);
  CHECK(config.text.key_value_heads == 32);
  CHECK(config.text.head_dim == 128);
  CHECK(config.text.hidden_activation == activation::silu);
  CHECK(config.text.rms_norm_epsilon == 1e-5f);
  CHECK(config.text.rotary.theta == 10000.0);
  CHECK(config.text.rotary.scaling == vlm::rotary_scaling::none);
  CHECK(!config.text.query_key_value_bias);
  CHECK(!config.text.attention_output_bias);
  CHECK(!config.text.mlp_bias);
  CHECK(llava_vision(config).tower.hidden_size == 1024);
  CHECK(llava_vision(config).tower.layers == 24);
  CHECK(llava_vision(config).tower.heads == 16);
  CHECK(llava_vision(config).tower.channels == 3);
  CHECK(llava_vision(config).tower.patches() == 576);
  CHECK(llava_vision(config).tower.hidden_activation == activation::quick_gelu);
  CHECK(llava_vision(config).tower.layer_norm_epsilon == 1e-5f);
  CHECK(config.image_token == 32000);
  CHECK(llava_vision(config).feature_states == std::vector<luq::index>{23});
  CHECK(llava_vision(config).tokens_per_image() == 576);
  CHECK(llava_vision(config).projector_bias);
  CHECK(!config.tied_head);
  CHECK(config.end_tokens == std::vector<std::int32_t>{2});
}

TEST_CASE("an empty file is LLaVA-1.5 with the defaults of LLaMA and of CLIP ViT-L/14 at 336 pixels") {
  const model_config config = parse("{}");
  CHECK(config.text.vocabulary == 32000);
  CHECK(config.text.rms_norm_epsilon == 1e-6f);
  CHECK(llava_vision(config).tower.hidden_size == 1024);
  CHECK(llava_vision(config).tokens_per_image() == 576);
  CHECK(llava_vision(config).feature_states == std::vector<luq::index>{23});
}

TEST_CASE("a vision_config that is there has the defaults of CLIPVisionConfig instead") {
  const model_config config = parse(R"({"vision_config": {}})");
  CHECK(llava_vision(config).tower.hidden_size == 768);
  CHECK(llava_vision(config).tower.intermediate_size == 3072);
  CHECK(llava_vision(config).tower.layers == 12);
  CHECK(llava_vision(config).tower.heads == 12);
  CHECK(llava_vision(config).tower.patches() == 49);
}

TEST_CASE("the two models of the tests") {
  const model_config& tiny = vlm_test::tiny_model().config();
  CHECK(tiny.text.layers == 12);
  CHECK(tiny.text.key_value_heads == 2);
  CHECK(llava_vision(tiny).feature_states == std::vector<luq::index>{3});
  CHECK(llava_vision(tiny).tokens_per_image() == 9);
  const model_config& random = vlm_test::random_model().config();
  CHECK(random.text.rotary.theta == 500000.0);
  CHECK(llava_vision(random).tower.hidden_activation == activation::gelu);
  CHECK(llava_vision(random).tower.layer_norm_epsilon == 1e-6f);
  CHECK(llava_vision(random).feature_states == std::vector<luq::index>{3});
  CHECK(llava_vision(random).tokens_per_image() == 10);
  CHECK(!llava_vision(random).projector_bias);
}

TEST_CASE("values that are not the default are taken") {
  const model_config config = parse(R"({
    "image_token_id": 7, "vision_feature_layer": [-1, 0, 5], "vision_feature_select_strategy": "full",
    "projector_hidden_act": "silu", "multimodal_projector_bias": false,
    "vision_config": {"num_channels": 1, "image_size": 30, "patch_size": 8, "hidden_act": "gelu"},
    "text_config": {"hidden_size": 48, "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 10,
                    "attention_bias": true, "mlp_bias": true, "tie_word_embeddings": true, "eos_token_id": [2, 9]}})");
  CHECK(config.image_token == 7);
  CHECK(llava_vision(config).feature_states == std::vector<luq::index>{12, 0, 5});
  CHECK(llava_vision(config).tower.patches() == 9);  // a rest of 6 pixels is left out
  CHECK(llava_vision(config).tower.pixels() == 900);
  CHECK(llava_vision(config).tokens_per_image() == 10);
  CHECK(llava_vision(config).projector_activation == activation::silu);
  CHECK(!llava_vision(config).projector_bias);
  CHECK(config.text.key_value_heads == 3);
  CHECK(config.text.head_dim == 10);
  CHECK(config.text.query_key_value_bias);
  CHECK(config.text.attention_output_bias);
  CHECK(config.text.mlp_bias);
  CHECK(config.tied_head);
  CHECK(config.end_tokens == std::vector<std::int32_t>{2, 9});
}

TEST_CASE("a flat file with an old name of the rotary embedding, as that of Qwen2.5-VL-7B-Instruct") {
  const model_config config = parse(R"({
    "architectures": ["Qwen2_5_VLForConditionalGeneration"], "attention_dropout": 0.0, "bos_token_id": 151643,
    "eos_token_id": 151645, "vision_start_token_id": 151652, "vision_end_token_id": 151653,
    "vision_token_id": 151654, "image_token_id": 151655, "video_token_id": 151656, "hidden_act": "silu",
    "hidden_size": 3584, "initializer_range": 0.02, "intermediate_size": 18944, "max_position_embeddings": 128000,
    "max_window_layers": 28, "model_type": "qwen2_5_vl", "num_attention_heads": 28, "num_hidden_layers": 28,
    "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768,
    "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_sliding_window": false,
    "vision_config": {"depth": 32, "hidden_act": "silu", "hidden_size": 1280, "intermediate_size": 3420,
                      "num_heads": 16, "in_chans": 3, "out_hidden_size": 3584, "patch_size": 14,
                      "spatial_merge_size": 2, "spatial_patch_size": 14, "window_size": 112,
                      "fullatt_block_indexes": [7, 15, 23, 31], "tokens_per_second": 2, "temporal_patch_size": 2},
    "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}, "vocab_size": 152064})");
  CHECK(config.text.vocabulary == 152064);
  CHECK(config.text.hidden_size == 3584);
  CHECK(config.text.intermediate_size == 18944);
  CHECK(config.text.layers == 28);
  CHECK(config.text.heads == 28);
  CHECK(config.text.key_value_heads == 4);
  CHECK(config.text.head_dim == 128);
  CHECK(config.text.rms_norm_epsilon == 1e-6f);
  CHECK(config.text.query_key_value_bias);
  CHECK(!config.text.attention_output_bias);
  CHECK(!config.text.mlp_bias);
  CHECK(config.text.rotary.theta == 1e6);
  CHECK(config.text.rotary.scaling == vlm::rotary_scaling::none);
  CHECK(config.text.rotary.sections == std::vector<luq::index>{16, 24, 24});
  const auto& vision = std::get<vlm::qwen_vision_config>(config.vision);
  CHECK(vision.hidden_size == 1280);
  CHECK(vision.intermediate_size == 3420);
  CHECK(vision.layers == 32);
  CHECK(vision.heads == 16);
  CHECK(vision.patch_values() == 1176);
  CHECK(vision.merged({6, 10}) == vlm::image_grid{3, 5});
  CHECK(vision.tokens_per_window_side() == 4);
  CHECK(vision.attends_to_all(31));
  CHECK(!vision.attends_to_all(30));
  CHECK(vision.hidden_activation == activation::silu);
  CHECK(vision.rotary_theta == 10000.0);
  CHECK(config.image_token == 151655);
  CHECK(config.video_token == 151656);
  CHECK(!config.tied_head);
  CHECK(config.end_tokens == std::vector<std::int32_t>{151645});
}

TEST_CASE("what a file of Qwen2.5-VL leaves out has the defaults of transformers") {
  const model_config config = parse(R"({"model_type": "qwen2_5_vl", "text_config": {"hidden_size": 3584,
      "num_attention_heads": 28, "num_key_value_heads": 4}})");
  CHECK(config.text.vocabulary == 152064);
  CHECK(config.text.intermediate_size == 29568);
  CHECK(config.text.layers == 80);
  CHECK(config.text.rms_norm_epsilon == 1e-5f);
  CHECK(config.text.rotary.theta == 1e6);
  CHECK(config.text.rotary.sections == std::vector<luq::index>{16, 24, 24});
  const auto& vision = std::get<vlm::qwen_vision_config>(config.vision);
  CHECK(vision.hidden_size == 3584);
  CHECK(vision.layers == 32);
  CHECK(vision.full_attention_layers == std::vector<luq::index>{7, 15, 23, 31});
  CHECK(config.image_token == 151655);
  CHECK(config.end_tokens == std::vector<std::int32_t>{151645});
}

TEST_CASE("what is wrong with a file of Qwen2.5-VL is named with its place") {
  const auto corrupt = luq::errc::corrupt_file;
  const auto with = [](const std::string& text, const std::string& vision) {
    return R"({"model_type": "qwen2_5_vl", "text_config": {"hidden_size": 3584, "num_attention_heads": 28,
               "num_key_value_heads": 4)" +
           text + R"(}, "vision_config": {"depth": 2)" + vision + "}}";
  };
  CHECK_NOTHROW((void)parse(with("", "")));
  check_rejected(corrupt, with(R"(, "rope_scaling": {"mrope_section": [16, 24, 25]})", ""),
                 {"text_config: rope_scaling: mrope_section", "64 pairs", "got 65"});
  check_rejected(corrupt, with(R"(, "rope_parameters": {"mrope_section": [-1, 24, 41]})", ""), {"mrope_section", "-1"});
  check_rejected(corrupt, with("", R"(, "out_hidden_size": 2048)"),
                 {"vision_config: out_hidden_size", "3584", "got 2048"});
  check_rejected(corrupt, with("", R"(, "hidden_size": 1288)"), {"hidden_size", "4 num_heads = 64", "got 1288"});
  check_rejected(corrupt, with("", R"(, "window_size": 27)"), {"window_size", "28 ...", "got 27"});
  check_rejected(corrupt, with("", R"(, "fullatt_block_indexes": [-1])"), {"fullatt_block_indexes", "got -1"});
  check_rejected(corrupt, with("", R"(, "head_dim": 60)"), {"vision_config: head_dim", "num_heads = 224"});
  CHECK_NOTHROW((void)parse(with("", R"(, "head_dim": 224)")));
  check_rejected(corrupt, with(R"(, "head_dim": 64, "rope_scaling": {"mrope_section": [8, 12, 12]})", ""),
                 {"text_config: head_dim", "num_attention_heads = 128", "got 64"});
  const auto unsupported = luq::errc::unsupported;
  check_rejected(unsupported, with(R"(, "use_sliding_window": true)", ""), {"text_config: use_sliding_window"});
  check_rejected(unsupported, with(R"(, "rope_scaling": {"type": "yarn", "factor": 4})", ""), {"type", "yarn"});
  check_rejected(unsupported, with(R"(, "model_type": "qwen2")", ""), {R"("qwen2_5_vl_text")", R"("qwen2")"});
  check_rejected(unsupported, with("", R"(, "rope_parameters": {"rope_type": "linear"})"), {"rope_type", "axial"});
}

TEST_CASE("null means not set") {
  const model_config config = parse(R"({"vision_feature_layer": null, "text_config":
      {"head_dim": null, "num_key_value_heads": null, "rope_scaling": null, "eos_token_id": null}})");
  CHECK(config.text.head_dim == 128);
  CHECK(config.text.key_value_heads == 32);
  CHECK(config.text.rotary.scaling == vlm::rotary_scaling::none);
  CHECK(llava_vision(config).feature_states == std::vector<luq::index>{23});
  // But no number of key heads is that of query heads, where its absence is 8.
  CHECK(parse(R"({"model_type": "qwen2_5_vl", "text_config": {"hidden_size": 3584, "num_attention_heads": 28,
                  "num_key_value_heads": null}})")
            .text.key_value_heads == 28);
}

TEST_CASE("rotary parameters in their old and new places") {
  const auto rotary = [](const std::string& keys) { return parse(R"({"text_config": {)" + keys + "}}").text.rotary; };
  CHECK(rotary(R"("rope_theta": 5e5)").theta == 5e5);
  CHECK(rotary(R"("rope_parameters": {"rope_theta": 7e4, "rope_type": "default"})").theta == 7e4);
  CHECK(rotary(R"("rope_theta": 5e5, "rope_parameters": {"rope_type": "default"})").theta == 5e5);

  const auto linear = rotary(R"("rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 4})");
  CHECK(linear.scaling == vlm::rotary_scaling::linear);
  CHECK(linear.factor == 4.0);
  CHECK(linear.theta == 1e4);

  const std::string factors = R"("factor": 8.0, "low_freq_factor": 1.5, "high_freq_factor": 5.0)";
  const auto llama3 = rotary(R"("max_position_embeddings": 512, "rope_parameters": {"rope_type": "llama3", )" +
                             factors + R"(, "rope_theta": 3e5, "original_max_position_embeddings": 8192})");
  CHECK(llama3.scaling == vlm::rotary_scaling::llama3);
  CHECK(llama3.theta == 3e5);
  CHECK(llama3.factor == 8.0);
  CHECK(llama3.low_frequency_factor == 1.5);
  CHECK(llama3.high_frequency_factor == 5.0);
  CHECK(llama3.original_positions == 8192.0);
  CHECK(rotary(R"("max_position_embeddings": 512, "rope_scaling": {"rope_type": "llama3", )" + factors + "}")
            .original_positions == 512.0);
}

TEST_CASE("of two objects of rotary parameters transformers takes rope_scaling, so they must mean the same") {
  const auto text = [](const std::string& keys) { return R"({"text_config": {)" + keys + "}}"; };
  const auto theta = [&](const std::string& keys) { return parse(text(keys)).text.rotary.theta; };
  CHECK(theta(R"("rope_scaling": {}, "rope_parameters": {"rope_theta": 7e4})") == 7e4);
  CHECK(theta(R"("rope_scaling": {"rope_theta": 7e4}, "rope_parameters": {"rope_theta": 7e4})") == 7e4);
  CHECK(theta(R"("rope_theta": 7e4, "rope_scaling": {"type": "default"}, "rope_parameters": {"rope_theta": 7e4})") ==
        7e4);
  const auto corrupt = luq::errc::corrupt_file;
  const std::vector<std::string> fragments{"text_config: rope_parameters: expected the meaning of rope_scaling"};
  check_rejected(corrupt, text(R"("rope_scaling": {"type": "default"}, "rope_parameters": {"rope_theta": 7e4})"),
                 fragments);
  check_rejected(
      corrupt,
      text(R"("rope_scaling": {"type": "linear", "factor": 2}, "rope_parameters": {"type": "linear", "factor": 4})"),
      fragments);
  check_rejected(corrupt,
                 R"({"model_type": "qwen2_5_vl", "text_config": {"hidden_size": 3584, "num_attention_heads": 28,
      "num_key_value_heads": 4, "rope_scaling": {"type": "mrope"}, "rope_parameters": {"mrope_section": [24, 20, 20]}}})",
                 fragments);
}

TEST_CASE("the context that llama3 stretches: beside the object before in it, and else all positions") {
  const auto original = [](const std::string& beside, const std::string& in) {
    return parse(R"({"text_config": {"max_position_embeddings": 512)" + beside +
                 R"(, "rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4)" +
                 in + "}}}")
        .text.rotary.original_positions;
  };
  CHECK(original("", "") == 512.0);
  CHECK(original("", R"(, "original_max_position_embeddings": 128)") == 128.0);
  CHECK(original(R"(, "original_max_position_embeddings": 64)", "") == 64.0);
  CHECK(original(R"(, "original_max_position_embeddings": 64)", R"(, "original_max_position_embeddings": 128)") ==
        64.0);
}

TEST_CASE("rotary parameters without a meaning for the type are refused, factors of 1 are not") {
  const auto unsupported = luq::errc::unsupported;
  const auto text = [](const std::string& keys) { return R"({"text_config": {)" + keys + "}}"; };
  const auto scaling = [&](const std::string& keys) { return text(R"("rope_scaling": {)" + keys + "}"); };
  CHECK_NOTHROW((void)parse(scaling(R"("factor": 1.0, "partial_rotary_factor": 1, "attention_factor": 1.0,
      "original_max_position_embeddings": 2048, "low_freq_factor": null)")));
  CHECK_NOTHROW((void)parse(text(R"("partial_rotary_factor": 1.0)")));
  check_rejected(unsupported, scaling(R"("type": "default", "factor": 2)"),
                 {"rope_scaling: factor: expected 1, got 2"});
  check_rejected(unsupported, text(R"("partial_rotary_factor": 0.5)"),
                 {"text_config: partial_rotary_factor", "got 0.5"});
  check_rejected(unsupported, scaling(R"("type": "linear", "factor": 2, "partial_rotary_factor": 0.5)"), {"got 0.5"});
  check_rejected(unsupported, scaling(R"("type": "linear", "factor": 2, "attention_factor": 2)"), {"attention_factor"});
  check_rejected(unsupported, scaling(R"("type": "linear", "factor": 2, "high_freq_factor": 2)"), {"high_freq_factor"});
  check_rejected(unsupported, scaling(R"("mrope_section": [16, 24, 24])"), {"no keys but", "mrope_section"});
  check_rejected(unsupported, scaling(R"("type": "mrope")"), {"mrope"});
  check_rejected(unsupported, text(R"("rope_parameters": {"full_attention": {"rope_theta": 1e4}})"),
                 {"full_attention"});
  check_rejected(unsupported, scaling("\"a\\u001b\": 1"), {R"("a\u001b")"});
}

TEST_CASE("keys with two names") {
  CHECK(parse(R"({"image_token_index": 7, "image_token_id": 7})").image_token == 7);
  check_rejected(luq::errc::corrupt_file, R"({"image_token_index": 7, "image_token_id": 8})",
                 {"image_token_id: expected image_token_index, 7, got 8"});
  const auto vision = [](const std::string& keys) {
    return R"({"model_type": "qwen2_5_vl", "text_config": {"hidden_size": 3584, "num_attention_heads": 28, "num_key_value_heads": 4},
               "vision_config": {)" +
           keys + "}}";
  };
  const auto qwen = [&](const std::string& keys) {
    return std::get<vlm::qwen_vision_config>(parse(vision(keys)).vision);
  };
  CHECK(qwen(R"("num_attention_heads": 8, "num_hidden_layers": 5)").heads == 8);
  CHECK(qwen(R"("num_attention_heads": 8, "num_hidden_layers": 5)").layers == 5);
  CHECK(qwen(R"("num_attention_heads": 8, "num_heads": 8)").heads == 8);
  check_rejected(luq::errc::corrupt_file, vision(R"("num_attention_heads": 8, "num_heads": 16)"),
                 {"vision_config: num_attention_heads: expected num_heads, 16, got 8"});
  check_rejected(luq::errc::corrupt_file, vision(R"("num_hidden_layers": 5, "depth": 32)"), {"expected depth, 32"});
}

TEST_CASE("the rotary embedding of Qwen2.5-VL's tower in its three places") {
  const auto theta = [](const std::string& keys) {
    const model_config config = parse(
        R"({"model_type": "qwen2_5_vl", "text_config": {"hidden_size": 3584, "num_attention_heads": 28,
            "num_key_value_heads": 4}, "vision_config": {)" +
        keys + "}}");
    return std::get<vlm::qwen_vision_config>(config.vision).rotary_theta;
  };
  CHECK(theta("") == 10000.0);
  CHECK(theta(R"("rope_theta": 50)") == 50.0);
  CHECK(theta(R"("rope_scaling": {"rope_theta": 60}, "rope_theta": 50)") == 60.0);
  CHECK(theta(R"("rope_parameters": {"rope_theta": 70, "rope_type": "axial"}, "rope_theta": 50)") == 70.0);
}

TEST_CASE("layers that differ from one another, and quantized weights, are refused") {
  const auto unsupported = luq::errc::unsupported;
  CHECK_NOTHROW((void)parse(R"({"text_config": {"layer_types": ["full_attention", "full_attention"]}})"));
  check_rejected(unsupported, R"({"text_config": {"layer_types": ["full_attention", "sliding_attention"]}})",
                 {"text_config: layer_types", "sliding_attention"});
  check_rejected(unsupported, R"({"text_config": {"layer_types": "full_attention"}})", {"layer_types"});
  for (const char* section : {"text_config", "vision_config"}) {
    const std::string name = section;
    check_rejected(unsupported, "{\"" + name + R"(": {"per_layer_config": {"0": {"rms_norm_eps": 0.1}}}})",
                   {name + ": per_layer_config: expected none"});
  }
  check_rejected(unsupported, R"({"per_layer_config": {}})", {"per_layer_config"});
  check_rejected(unsupported, R"({"quantization_config": {"quant_method": "gptq"}})", {"quantization_config", "gptq"});
  CHECK_NOTHROW((void)parse(R"({"quantization_config": null})"));
}

TEST_CASE("a key in another section than its own is an error if it would change the model there") {
  const auto corrupt = luq::errc::corrupt_file;
  check_rejected(corrupt, R"({"rms_norm_eps": 1e-5, "text_config": {}})",
                 {"config.json: rms_norm_eps: expected in text_config, got it in the outermost object"});
  check_rejected(corrupt, R"({"rope_theta": 5e5})", {"rope_theta: expected in text_config"});
  check_rejected(corrupt, R"({"rope_scaling": {"type": "yarn"}, "text_config": {}})", {"rope_scaling"});
  check_rejected(corrupt, R"({"num_attention_heads": 16, "text_config": {}})", {"num_attention_heads"});
  check_rejected(corrupt, R"({"layer_norm_eps": 0.1, "vision_config": {}})",
                 {"layer_norm_eps: expected in vision_config"});
  check_rejected(corrupt, R"({"text_config": {"projector_hidden_act": "silu"}})",
                 {"projector_hidden_act: expected in the outermost object, got it in text_config"});
  check_rejected(corrupt, R"({"vision_config": {"vision_feature_layer": -1}})", {"vision_feature_layer"});
  check_rejected(corrupt, R"({"model_type": "qwen2_5_vl", "hidden_act": "gelu", "text_config": {"hidden_size": 3584,
      "num_attention_heads": 28, "num_key_value_heads": 4}})",
                 {"hidden_act: expected in text_config"});
  // One that says what is so anyway, and one that its own section overrules, as in transformers.
  CHECK_NOTHROW((void)parse(R"({"rms_norm_eps": 1e-6, "text_config": {}})"));
  const model_config overruled = parse(R"({"rms_norm_eps": 1e-5, "text_config": {"rms_norm_eps": 1e-4}})");
  CHECK(overruled.text.rms_norm_epsilon == 1e-4f);
}

TEST_CASE("what is wrong is named with its place") {
  const auto corrupt = luq::errc::corrupt_file;
  check_rejected(corrupt, "[]", {"config.json: expected an object, got []"});
  check_rejected(corrupt, R"({"text_config": 5})", {"config.json: text_config: expected an object, got 5"});
  check_rejected(corrupt, R"({"text_config": {"hidden_size": "x\ny"}})",
                 {R"(config.json: text_config: hidden_size: expected an integer in 1 ... 16777216, got "x\ny")"});
  check_rejected(corrupt, R"({"text_config": {"hidden_size": 0}})", {"hidden_size", "got 0"});
  check_rejected(corrupt, R"({"text_config": {"hidden_size": 64.0}})", {"hidden_size", "got 64.0"});
  check_rejected(corrupt, R"({"text_config": {"vocab_size": 18446744073709551615}})", {"vocab_size"});
  check_rejected(corrupt, R"({"text_config": {"rms_norm_eps": 0}})", {"rms_norm_eps: expected a number > 0, got 0"});
  check_rejected(corrupt, R"({"text_config": {"mlp_bias": 1}})", {"mlp_bias: expected true or false, got 1"});
  check_rejected(corrupt, R"({"text_config": {"hidden_size": 100, "num_attention_heads": 3}})",
                 {"hidden_size", "multiple of 2 num_attention_heads = 6", "got 100"});
  check_rejected(corrupt, R"({"text_config": {"head_dim": 5}})", {"head_dim", "multiple of", "= 2", "got 5"});
  check_rejected(corrupt, R"({"text_config": {"num_key_value_heads": 5}})", {"num_attention_heads", "= 5", "got 32"});
  check_rejected(corrupt, R"({"text_config": {"num_key_value_heads": 64}})", {"num_key_value_heads", "1 ... 32"});
  check_rejected(corrupt, R"({"vision_config": {"num_attention_heads": 5}})", {"vision_config: hidden_size", "= 5"});
  check_rejected(corrupt, R"({"vision_config": {"patch_size": 225}})", {"patch_size", "1 ... 224", "got 225"});
  check_rejected(corrupt, R"({"vision_feature_layer": 25})", {"vision_feature_layer", "-25 ... 24", "got 25"});
  check_rejected(corrupt, R"({"vision_feature_layer": -26})", {"got -26"});
  check_rejected(corrupt, R"({"vision_feature_layer": []})", {"at least one layer"});
  check_rejected(corrupt, R"({"image_token_index": -1})", {"image_token_index", "got -1"});
  check_rejected(corrupt, R"({"text_config": {"rope_scaling": {"type": "linear"}}})", {"rope_scaling: factor", "none"});
  check_rejected(corrupt, R"({"text_config": {"rope_parameters": {"rope_type": "llama3", "factor": 2}}})",
                 {"rope_parameters: low_freq_factor"});
}

TEST_CASE("other architectures are refused by name") {
  const auto unsupported = luq::errc::unsupported;
  check_rejected(unsupported, R"({"model_type": "llava_next"})",
                 {R"(config.json: model_type: expected "llava" or "qwen2_5_vl", got "llava_next")"});
  check_rejected(unsupported, R"({"text_config": {"model_type": "mistral"}})", {R"("llama")", R"("mistral")"});
  check_rejected(unsupported, R"({"vision_config": {"model_type": "siglip_vision_model"}})", {"clip_vision_model"});
  check_rejected(unsupported, R"({"text_config": {"hidden_act": "relu"}})",
                 {R"(expected "gelu" or "quick_gelu" or "silu", got "relu")"});
  check_rejected(unsupported, R"({"vision_feature_select_strategy": "cls"})", {"default", "full", "cls"});
  check_rejected(unsupported, R"({"text_config": {"rope_scaling": {"rope_type": "yarn", "factor": 2}}})",
                 {"rope_type", "yarn"});
}

TEST_CASE("a directory without a configuration") {
  const vlm_test::scratch_directory directory;
  check_fails(luq::errc::io_failure, {"config.json"}, [&] { (void)vlm::read_model_config(directory.path()); });
}
