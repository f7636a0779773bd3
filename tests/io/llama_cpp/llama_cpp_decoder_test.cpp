// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/llama_cpp/llama_cpp_decoder.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/io_test_support.hpp"

using luq::errc;
using luq::llama_cpp_architecture;
using luq_test::check_fails;

namespace {

/// The decoder of LLaVA-1.5-7B.
luq::llama_cpp_decoder llava() {
  return {.architecture = llama_cpp_architecture::llama,
          .name = "llava-1.5-7b-hf",
          .layers = 32,
          .hidden_size = 4096,
          .intermediate_size = 11008,
          .heads = 32,
          .key_value_heads = 32,
          .head_dim = 128,
          .vocabulary = 32064,
          .context_length = 4096,
          .rms_norm_epsilon = 1e-5f};
}

luq::llama_cpp_decoder qwen() {
  luq::llama_cpp_decoder d = llava();
  d.architecture = llama_cpp_architecture::qwen2vl;
  d.hidden_size = 3584;
  d.heads = 28;
  d.key_value_heads = 4;
  d.rotary_base = 1e6f;
  d.rotary_sections = {16, 24, 24, 0};
  return d;
}

std::map<std::string, luq::gguf_value> metadata(const luq::llama_cpp_decoder& d) {
  std::map<std::string, luq::gguf_value> result;
  for (const luq::gguf_entry& entry : luq::llama_cpp_decoder_metadata(d)) {
    CHECK(result.emplace(entry.key, entry.value).second);
  }
  return result;
}

std::uint32_t number(const std::map<std::string, luq::gguf_value>& entries, const std::string& key) {
  CAPTURE(key);
  REQUIRE(entries.contains(key));
  return std::get<std::uint32_t>(entries.at(key));
}

}  // namespace

TEST_CASE("the keys that llama.cpp reads of a llama decoder") {
  const auto entries = metadata(llava());
  CHECK(std::get<std::string>(entries.at("general.architecture")) == "llama");
  CHECK(std::get<std::string>(entries.at("general.name")) == "llava-1.5-7b-hf");
  CHECK(number(entries, "llama.block_count") == 32);
  CHECK(number(entries, "llama.context_length") == 4096);
  CHECK(number(entries, "llama.embedding_length") == 4096);
  CHECK(number(entries, "llama.feed_forward_length") == 11008);
  CHECK(number(entries, "llama.attention.head_count") == 32);
  CHECK(number(entries, "llama.attention.head_count_kv") == 32);
  CHECK(number(entries, "llama.attention.key_length") == 128);
  CHECK(number(entries, "llama.attention.value_length") == 128);
  CHECK(std::get<float>(entries.at("llama.attention.layer_norm_rms_epsilon")) == 1e-5f);
  CHECK(std::get<float>(entries.at("llama.rope.freq_base")) == 10000.0f);
  CHECK(number(entries, "llama.rope.dimension_count") == 128);
  CHECK(number(entries, "llama.vocab_size") == 32064);
  CHECK(std::get<std::string>(entries.at("tokenizer.ggml.model")) == "no_vocab");
  CHECK(!entries.contains("llama.rope.dimension_sections"));
  CHECK(!entries.contains("llama.rope.scaling.type"));
}

TEST_CASE("a stretched rotary embedding and one of several positions") {
  luq::llama_cpp_decoder stretched = llava();
  stretched.rotary_factor = 4;
  const auto linear = metadata(stretched);
  CHECK(std::get<std::string>(linear.at("llama.rope.scaling.type")) == "linear");
  CHECK(std::get<float>(linear.at("llama.rope.scaling.factor")) == 4.0f);

  const auto sections = metadata(qwen());
  CHECK(std::get<std::string>(sections.at("general.architecture")) == "qwen2vl");
  CHECK(number(sections, "qwen2vl.attention.head_count_kv") == 4);
  CHECK(std::get<luq::gguf_array>(sections.at("qwen2vl.rope.dimension_sections")) ==
        luq::gguf_array(std::vector<std::int32_t>{16, 24, 24, 0}));
}

TEST_CASE("names of architectures") {
  for (const auto architecture :
       {llama_cpp_architecture::llama, llama_cpp_architecture::qwen2, llama_cpp_architecture::qwen2vl}) {
    CHECK(luq::parse_llama_cpp_architecture(luq::llama_cpp_architecture_name(architecture)) == architecture);
    CHECK(luq::has_rotary_neighbours(architecture) == (architecture == llama_cpp_architecture::llama));
  }
  CHECK(!luq::parse_llama_cpp_architecture("qwen3"));
  CHECK(!luq::parse_llama_cpp_architecture("Llama"));
}

TEST_CASE("sizes that no decoder has") {
  const auto refuse = [](luq::llama_cpp_decoder d, const char* fragment) {
    check_fails(errc::invalid_argument, fragment, [&] { (void)luq::llama_cpp_decoder_metadata(d); });
  };
  luq::llama_cpp_decoder d = llava();
  d.layers = 0;
  refuse(d, "layers: expected 1");
  d = llava();
  d.key_value_heads = 5;
  refuse(d, "heads: expected 1 ... 2147483647, a multiple of 5, got 32");
  d = llava();
  d.head_dim = 3;
  refuse(d, "features of a head: expected 2 ... 2147483647, a multiple of 2, got 3");
  d = llava();
  d.vocabulary = luq::index{1} << 31;
  refuse(d, "vocabulary");
  d = llava();
  d.rms_norm_epsilon = 0;
  refuse(d, "positive epsilon");
  d = llava();
  d.rotary_sections = {16, 24, 24, 0};
  refuse(d, "rotary sections: expected 0 for llama, got 4");
  d = qwen();
  d.rotary_sections.pop_back();
  refuse(d, "rotary sections: expected 4 for qwen2vl, got 3");
  d = qwen();
  d.hidden_size = 4096;
  refuse(d, "qwen2vl: expected 4096 features in all heads, the hidden size, got 28 heads of 128");
}
