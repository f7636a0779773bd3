// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The embedded model's decoder as a model of llama.cpp. That blocks are what they should be, weight by weight, is the
// business of the library's own tests; here it is what the model is taken from.
#include <algorithm>
#include <luq/io/gguf/ggml_blocks.hpp>
#include <luq/io/gguf/gguf.hpp>
#include <luq/io/gguf/gguf_writer.hpp>
#include <luq/io/llama_cpp/llama_cpp_export.hpp>
#include <span>

#include "export_test_support.hpp"
#include "qwen_test_support.hpp"

using luq::errc;
using vlm_test::check_fails;
using vlm_test::packed_decoder;
using vlm_test::run_export;
using vlm_test::scratch_directory;

namespace {

const packed_decoder& mixed() {
  static const packed_decoder result({"sign:g128", "int4:g32:sym", "int4:g128:sym:searched"});
  return result;
}

/// A copy of a GGUF file with other metadata or tensors.
template <class Edit>
void rewrite(const std::filesystem::path& from, const std::filesystem::path& to, const Edit& edit) {
  const luq::gguf_reader file(from);
  std::vector<luq::gguf_entry> metadata = file.metadata();
  std::vector<luq::gguf_source> sources;
  for (const luq::gguf_tensor_info& tensor : file.tensors()) {
    sources.push_back({{tensor.name, tensor.type, tensor.shape}, file.bytes(tensor.name)});
  }
  edit(metadata, sources);
  luq::write_gguf(to, sources, metadata);
}

}  // namespace

TEST_CASE("the embedded model for llama.cpp") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  const auto output = directory.path() / "model.gguf";
  mixed().write(packed);
  const std::string printed = run_export({.target = "gguf", .packed = packed, .output = output});
  CHECK(printed == output.string() + ": " + std::to_string(std::filesystem::file_size(output)) +
                       " bytes: model of llama.cpp, 28 linears q1_0 and 56 linears q4_0, without a tokenizer\n");

  const luq::gguf_reader file(output);
  CHECK(file.tensors().size() == 84 + 2 * 12 + 3);
  CHECK(file.value<std::string>("general.architecture") == "llama");
  CHECK(file.value<std::string>("general.name") == "tiny-llava");
  CHECK(file.value<std::uint32_t>("llama.block_count") == 12);
  CHECK(file.value<std::uint32_t>("llama.context_length") == 256);
  CHECK(file.value<std::uint32_t>("llama.embedding_length") == 128);
  CHECK(file.value<std::uint32_t>("llama.feed_forward_length") == 384);
  CHECK(file.value<std::uint32_t>("llama.attention.head_count") == 4);
  CHECK(file.value<std::uint32_t>("llama.attention.head_count_kv") == 2);
  CHECK(file.value<float>("llama.attention.layer_norm_rms_epsilon") == 1e-6f);
  CHECK(file.value<float>("llama.rope.freq_base") == 10000.0f);
  CHECK(file.value<std::uint32_t>("llama.rope.dimension_count") == 32);
  CHECK(file.value<std::uint32_t>("llama.vocab_size") == 64);

  const luq::checkpoint model(vlm_test::embedded_model());
  CHECK(std::ranges::equal(file.bytes("token_embd.weight"), model.bytes("language_model.model.embed_tokens.weight")));
  CHECK(std::ranges::equal(file.bytes("output.weight"), model.bytes("language_model.lm_head.weight")));
  const std::vector<float> norm = model.read_floats("language_model.model.norm.weight");
  CHECK(std::ranges::equal(file.bytes("output_norm.weight"), std::as_bytes(std::span(norm))));
  for (std::size_t layer = 0; layer < 3; ++layer) {
    // The plan's linears stand in the order of their names: the first is mlp.down_proj.
    REQUIRE(mixed().planned().shape[layer][0].name == "model.layers." + std::to_string(layer) + ".mlp.down_proj");
    CHECK(std::ranges::equal(file.bytes("blk." + std::to_string(layer) + ".ffn_down.weight"),
                             luq::to_ggml_blocks(mixed().at(layer, 0))));
  }
}

TEST_CASE("the decoder of Qwen2.5-VL for llama.cpp") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  const auto output = directory.path() / "model.gguf";
  vlm::settings s;
  for (const bool is_published : {true, false}) {
    s.model = is_published ? vlm_test::published_fixture().model : vlm_test::recent_fixture().model;
    const auto& text = (is_published ? vlm_test::published_model() : vlm_test::recent_model()).config().text;
    const packed_decoder decoder({"int8:g32:sym"}, s.model);
    decoder.write(packed);
    if (!is_published) {  // whose columns no block divides
      check_fails(errc::unsupported, {"multiples of 32 inputs", "keep them dense"},
                  [&] { (void)run_export({.target = "gguf", .packed = packed, .output = output}, s); });
      const luq::llama_cpp_decoder described = vlm::llama_cpp_decoder_of(s.model);
      CHECK(described.tied_head);
      CHECK(described.rotary_sections == std::vector<std::int32_t>{4, 5, 3, 0});
      continue;
    }
    (void)run_export({.target = "gguf", .packed = packed, .output = output}, s);
    const luq::gguf_reader file(output);
    CHECK(file.value<std::string>("general.architecture") == "qwen2vl");
    CHECK(file.value<std::uint32_t>("qwen2vl.block_count") == 3);
    CHECK(file.value<std::uint32_t>("qwen2vl.context_length") == 512);
    CHECK(file.value<std::uint32_t>("qwen2vl.attention.head_count_kv") == 2);
    CHECK(file.value<float>("qwen2vl.rope.freq_base") == static_cast<float>(text.rotary.theta));
    CHECK(file.value<std::vector<std::int32_t>>("qwen2vl.rope.dimension_sections") ==
          std::vector<std::int32_t>{2, 3, 3, 0});
    CHECK(file.tensors().size() == 3 * (7 + 2 + 3) + 3);
    const luq::checkpoint model(s.model);
    const std::vector<float> bias = model.read_floats("model.layers.1.self_attn.q_proj.bias");
    CHECK(std::ranges::equal(file.bytes("blk.1.attn_q.bias"), std::as_bytes(std::span(bias))));
    for (std::size_t i = 0; i < 7; ++i) {  // rows of query and key, too, stay where they are
      const std::string name = *luq::gguf_module_name(decoder.planned().shape[1][i].name) + ".weight";
      CHECK(std::ranges::equal(file.bytes(name), luq::to_ggml_blocks(decoder.at(1, i))));
    }
  }
}

TEST_CASE("the rest of a model as a converted file has it") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  const auto plain = directory.path() / "plain.gguf";
  const auto converted = directory.path() / "converted.gguf";
  const auto output = directory.path() / "model.gguf";
  mixed().write(packed);
  (void)run_export({.target = "gguf", .packed = packed, .output = plain});
  rewrite(plain, converted, [](std::vector<luq::gguf_entry>& metadata, auto&) {
    for (luq::gguf_entry& entry : metadata) {
      if (entry.key == "tokenizer.ggml.model") entry.value = std::string("llama");
    }
    metadata.push_back({"tokenizer.chat_template", std::string("{{ messages }}")});
  });
  const std::string printed = run_export({.target = "gguf", .packed = packed, .like = converted, .output = output});
  CHECK(printed.ends_with("28 linears q1_0 and 56 linears q4_0, the rest as in " + converted.string() + "\n"));
  const luq::gguf_reader file(output);
  CHECK(file.value<std::string>("tokenizer.ggml.model") == "llama");
  CHECK(file.value<std::string>("tokenizer.chat_template") == "{{ messages }}");
  const luq::gguf_reader expected(plain);
  for (const luq::gguf_tensor_info& tensor : expected.tensors()) {
    CHECK(std::ranges::equal(file.bytes(tensor.name), expected.bytes(tensor.name)));
  }

  const std::vector<float> ones(128, 1.0f);
  rewrite(plain, converted, [&](auto&, std::vector<luq::gguf_source>& sources) {
    for (luq::gguf_source& source : sources) {
      if (source.declaration.name == "blk.3.ffn_norm.weight") source.data = std::as_bytes(std::span(ones));
    }
  });
  check_fails(errc::invalid_argument, {converted.string(), "blk.3.ffn_norm.weight", "of the same model"}, [&] {
    (void)run_export({.target = "gguf", .packed = packed, .like = converted, .output = directory.path() / "other"});
  });
  CHECK(!std::filesystem::exists(directory.path() / "other"));
}

TEST_CASE("a head that is in the checkpoint is exported, and a converted file must have it") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  const auto output = directory.path() / "model.gguf";
  const auto converted = directory.path() / "converted.gguf";
  mixed().write(packed);
  vlm_test::stored_model stored(vlm_test::embedded_model());
  stored.edit_config("\"tie_word_embeddings\": false,\n  \"torch_dtype\"",
                     "\"tie_word_embeddings\": true,\n  \"torch_dtype\"");
  vlm::settings s;
  s.model = directory.path() / "model";
  std::filesystem::create_directory(s.model);
  stored.write(s.model);
  (void)run_export({.target = "gguf", .packed = packed, .output = output}, s);
  const std::vector<float>& head = stored.tensors.at("language_model.lm_head.weight").values;
  CHECK(std::ranges::equal(luq::gguf_reader(output).bytes("output.weight"), std::as_bytes(std::span(head))));

  const auto refuse_without = [&](const std::string& name) {
    rewrite(output, converted, [&](auto&, std::vector<luq::gguf_source>& sources) {
      std::erase_if(sources, [&](const auto& source) { return source.declaration.name == name; });
    });
    check_fails(errc::invalid_argument, {converted.string(), "no tensor " + name, "of the same model"}, [&] {
      (void)run_export({.target = "gguf", .packed = packed, .like = converted, .output = directory.path() / "o"}, s);
    });
  };
  refuse_without("output.weight");
  refuse_without("blk.3.ffn_norm.weight");

  // Without a head of its own the model is as good without output.weight.
  stored.tensors.erase("language_model.lm_head.weight");
  stored.write(s.model);
  (void)run_export({.target = "gguf", .packed = packed, .output = output}, s);
  CHECK(!luq::gguf_reader(output).contains("output.weight"));
  (void)run_export({.target = "gguf", .packed = packed, .like = output, .output = directory.path() / "like"}, s);
  CHECK(!luq::gguf_reader(directory.path() / "like").contains("output.weight"));
}

TEST_CASE("a converted file says of the decoder what config.json says") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  const auto plain = directory.path() / "plain.gguf";
  const auto converted = directory.path() / "converted.gguf";
  mixed().write(packed);
  (void)run_export({.target = "gguf", .packed = packed, .output = plain});
  const auto refuse = [&](const std::string& key, const luq::gguf_value& value) {
    rewrite(plain, converted, [&](std::vector<luq::gguf_entry>& metadata, auto&) {
      for (luq::gguf_entry& entry : metadata) {
        if (entry.key == key) entry.value = value;
      }
    });
    check_fails(errc::invalid_argument, {key + " differs from what config.json says"}, [&] {
      (void)run_export({.target = "gguf", .packed = packed, .like = converted, .output = directory.path() / "o"});
    });
  };
  refuse("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  refuse("llama.rope.freq_base", 5e5f);
  refuse("llama.attention.head_count", std::uint32_t{8});
  refuse("llama.attention.head_count_kv", std::uint32_t{4});
}

TEST_CASE("a tensor that the configuration does not tell of is not left out of an export") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  mixed().write(packed);
  vlm_test::stored_model stored(vlm_test::embedded_model());
  const std::string name = "language_model.model.layers.0.self_attn.q_proj.bias";
  stored.tensors[name] = {{128}, std::vector<float>(128, 1.0f)};
  vlm::settings s;
  s.model = directory.path() / "model";
  std::filesystem::create_directory(s.model);
  stored.write(s.model);
  for (const char* target : {"gguf", "gptq"}) {
    check_fails(errc::corrupt_file, {"'" + name + "': expected none"},
                [&] { (void)run_export({.target = target, .packed = packed, .output = directory.path() / "out"}, s); });
    CHECK(!std::filesystem::exists(directory.path() / "out"));
  }
}

TEST_CASE("plans that ggml has no blocks for") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  const auto refuse = [&](const char* codec, const std::vector<std::string>& fragments) {
    CAPTURE(codec);
    packed_decoder({"sign:g128", codec}).write(packed);
    check_fails(errc::unsupported, fragments, [&] {
      (void)run_export({.target = "gguf", .packed = packed, .output = directory.path() / "model.gguf"});
    });
    CHECK(!std::filesystem::exists(directory.path() / "model.gguf"));
  };
  refuse("int4:g128:searched", {"'model.layers.1.mlp.down_proj' and 41 other linears", "int4:g128:searched",
                                "quantize them as int4:g128:sym"});
  refuse("bcq2:g128", {"bcq2:g128", "ggml blocks hold sign"});
  refuse("sign:g64", {"sign:g64", "quantize them as sign:g128"});
}

TEST_CASE("models that llama.cpp would compute differently") {
  const scratch_directory directory;
  const auto packed = directory.path() / "packed.safetensors";
  mixed().write(packed);
  vlm_test::stored_model stored(vlm_test::embedded_model());
  const auto refuse = [&](const char* from, const char* to, errc code, const std::vector<std::string>& fragments) {
    const auto model = directory.path() / "model";
    std::filesystem::remove_all(model);
    std::filesystem::create_directory(model);
    vlm_test::stored_model altered = stored;
    altered.edit_config(from, to);
    altered.write(model);
    check_fails(code, fragments, [&] {
      vlm::settings s;
      s.model = model;
      (void)run_export({.target = "gguf", .packed = packed, .output = directory.path() / "model.gguf"}, s);
    });
    CHECK(!std::filesystem::exists(directory.path() / "model.gguf"));
  };
  refuse("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", errc::unsupported, {"silu"});
  refuse("\"rope_theta\": 10000.0",
         "\"rope_theta\": 10000.0, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, "
         "\"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0}",
         errc::unsupported, {"llama3", "--like"});
  refuse("\"intermediate_size\": 384", "\"intermediate_size\": 512", errc::shape_mismatch,
         {"mlp.gate_proj", "512 x 128", "384 x 128"});
  refuse("\"num_hidden_layers\": 12", "\"num_hidden_layers\": 11", errc::corrupt_file,
         {"layers.11.input_layernorm.weight", "8 others", "expected none"});
}
