// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/llama_cpp/llama_cpp_export.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/io_test_support.hpp"

using luq::errc;
using luq_test::check_fails;

namespace {

/// A decoder with the names of a Hugging Face checkpoint below `prefix`, alternating sign:g128 and symmetric int4.
luq::plan decoder_plan(std::string_view prefix, luq::index layers, luq::index hidden, luq::index key_value,
                       luq::index intermediate) {
  luq::plan p;
  for (luq::index layer = 0; layer < layers; ++layer) {
    const std::string name = std::string(prefix) + "layers." + std::to_string(layer) + ".";
    p.shape.push_back({{name + "self_attn.q_proj", hidden, hidden},
                       {name + "self_attn.k_proj", key_value, hidden},
                       {name + "self_attn.v_proj", key_value, hidden},
                       {name + "self_attn.o_proj", hidden, hidden},
                       {name + "mlp.gate_proj", intermediate, hidden},
                       {name + "mlp.up_proj", intermediate, hidden},
                       {name + "mlp.down_proj", hidden, intermediate}});
    p.recipes.push_back(luq::parse_codec(layer % 2 == 0 ? "sign:g128" : "int4:g64:sym:searched"));
  }
  return p;
}

/// All tensors of the GGUF model of such a decoder, with the biases that Qwen has.
std::vector<std::string> all_tensors(luq::index layers) {
  std::vector<std::string> names = {"token_embd.weight", "output_norm.weight", "output.weight", "rope_freqs.weight"};
  for (luq::index layer = 0; layer < layers; ++layer) {
    for (const char* name : {"attn_norm.weight", "attn_q.weight", "attn_q.bias", "attn_k.weight", "attn_k.bias",
                             "attn_v.weight", "attn_v.bias", "attn_output.weight", "ffn_norm.weight", "ffn_gate.weight",
                             "ffn_up.weight", "ffn_down.weight"}) {
      names.push_back("blk." + std::to_string(layer) + "." + name);
    }
  }
  return names;
}

struct line {
  std::string pattern;
  std::string type;
};

/// As parse_tensor_type of llama-quantize: split at the first '=', the pattern in lower case.
line parse_line(const std::string& word) {
  const std::size_t separator = word.find('=');
  REQUIRE(separator != std::string::npos);
  std::string pattern = word.substr(0, separator);
  std::transform(pattern.begin(), pattern.end(), pattern.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return {pattern, word.substr(separator + 1)};
}

/// As parse_tensor_type_file: words between white space.
std::vector<line> parse_file(const std::string& text) {
  std::istringstream stream(text);
  std::vector<line> lines;
  std::string word;
  while (stream >> word) lines.push_back(parse_line(word));
  return lines;
}

/// As ik_llama.cpp: between commas.
std::vector<line> parse_custom_q(const std::string& text) {
  std::istringstream stream(text);
  std::vector<line> lines;
  std::string word;
  while (std::getline(stream, word, ',')) lines.push_back(parse_line(word));
  return lines;
}

/// The type that each tensor gets, and the number of lines that match it.
void check_lines(const std::vector<line>& lines, const std::vector<std::string>& tensors,
                 const std::map<std::string, std::string>& expected) {
  std::vector<std::regex> patterns;
  for (const line& entry : lines) patterns.emplace_back(entry.pattern);
  std::vector<int> matches(lines.size(), 0);
  int wrong = 0;
  for (const std::string& tensor : tensors) {
    std::string type;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (!std::regex_search(tensor, patterns[i])) continue;
      ++matches[i];
      if (type.empty()) type = lines[i].type;
    }
    const auto entry = expected.find(tensor);
    wrong += type == (entry == expected.end() ? "" : entry->second) ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(std::all_of(matches.begin(), matches.end(), [](int count) { return count == 1; }));
  CHECK(lines.size() == expected.size());
}

/// What decoder_plan() stands for.
std::map<std::string, std::string> expected_types(luq::index layers, const std::string& even, const std::string& odd) {
  std::map<std::string, std::string> expected;
  for (luq::index layer = 0; layer < layers; ++layer) {
    for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
      expected["blk." + std::to_string(layer) + "." + name + ".weight"] = layer % 2 == 0 ? even : odd;
    }
  }
  return expected;
}

TEST_CASE("every line decides about its own tensor and no other") {
  const luq::plan llava = decoder_plan("language_model.model.", 32, 4096, 4096, 11008);
  const luq::plan qwen = decoder_plan("model.language_model.", 28, 3584, 512, 18944);
  const luq::plan text = decoder_plan("model.", 12, 4096, 1024, 14336);
  for (const luq::plan* p : {&llava, &qwen, &text}) {
    const auto layers = static_cast<luq::index>(p->shape.size());
    CAPTURE(layers);
    check_lines(parse_file(luq::llama_cpp_tensor_type_file(*p)), all_tensors(layers),
                expected_types(layers, "q1_0", "q4_0"));
    check_lines(parse_custom_q(luq::ik_llama_cpp_custom_q(*p)), all_tensors(layers),
                expected_types(layers, "q1_0", "q4_0"));
    const luq::llama_cpp_types types = {{"sign:g128", "IQ1_M"}, {"int4:g64:sym:searched", "q4_K"}};
    check_lines(parse_file(luq::llama_cpp_tensor_type_file(*p, types)), all_tensors(layers),
                expected_types(layers, "iq1_m", "q4_k"));
  }
}

TEST_CASE("the texts") {
  luq::plan p = decoder_plan("model.", 1, 128, 128, 256);
  p.shape.push_back({{"model.layers.17.mlp.down_proj", 128, 256}});
  p.recipes.push_back(luq::parse_codec("int4:g128:sym"));
  CHECK(luq::llama_cpp_tensor_type_file(p) ==
        R"(^blk\.0\.attn_q\.weight$=q1_0
^blk\.0\.attn_k\.weight$=q1_0
^blk\.0\.attn_v\.weight$=q1_0
^blk\.0\.attn_output\.weight$=q1_0
^blk\.0\.ffn_gate\.weight$=q1_0
^blk\.0\.ffn_up\.weight$=q1_0
^blk\.0\.ffn_down\.weight$=q1_0
^blk\.17\.ffn_down\.weight$=q4_0
)");
  p.shape.erase(p.shape.begin());
  p.recipes.erase(p.recipes.begin());
  p.shape[0].push_back({"model.layers.17.mlp.up_proj", 256, 128});
  CHECK(luq::ik_llama_cpp_custom_q(p, {{"int4:g128:sym", "iq4_kt"}}) ==
        R"(^blk\.17\.ffn_down\.weight$=iq4_kt,^blk\.17\.ffn_up\.weight$=iq4_kt)");
}

TEST_CASE("plans that cannot be exported") {
  luq::plan p = decoder_plan("model.", 3, 256, 256, 512);
  const auto check = [&](errc code, std::string_view fragment, const luq::llama_cpp_types& types = {}) {
    check_fails(code, fragment, [&] { static_cast<void>(luq::llama_cpp_tensor_type_file(p, types)); });
  };
  const auto with_codecs = [&](std::vector<const char*> names) {
    p.recipes.clear();
    for (const char* name : names) p.recipes.push_back(luq::parse_codec(name));
  };
  with_codecs({"ternary:g256", "sign:g128", "sign:g64"});
  check(errc::invalid_argument, "no ggml type is given for sign:g64, ternary:g256");
  check(errc::invalid_argument, "no ggml type is given for sign:g64", {{"ternary:g256", "tq2_0"}});
  CHECK(luq::llama_cpp_choices(p, {{"ternary:g256", "tq2_0"}, {"sign:g64", "q2_0"}}).size() == 21);
  with_codecs({"int4:g128", "int8:g32:sym", "int4:g32:sym"});
  check(errc::invalid_argument, "no ggml type is given for int4:g128, int8:g32:sym");
  with_codecs({"sign:g128", "sign:g128", "sign:g128"});
  check(errc::invalid_argument, "'q9_0' is no type of ggml", {{"sign:g128", "q9_0"}});
  check(errc::invalid_argument, "'' is no type of ggml", {{"sign:g128", ""}});
  for (const char* name : {"", "q4,0", "q4=0", "q4 0", "q4\n", "Q4_KT"}) {
    check_fails(errc::invalid_argument, "is no name of a type",
                [&] { static_cast<void>(luq::ik_llama_cpp_custom_q(p, {{"sign:g128", name}})); });
  }
  p.shape[1][3].cols = 320;
  check(errc::unsupported,
        "linear 'model.layers.1.self_attn.o_proj': 320 columns are not a multiple of 128, the block of q1_0");
  check(errc::unsupported, "320 columns are not a multiple of 256, the block of iq1_m", {{"sign:g128", "IQ1_M"}});
  CHECK(luq::llama_cpp_choices(p, {{"sign:g128", "q4_0"}}).size() == 21);
  p.shape[1][3].name = "visual.blocks.1.attn.proj";
  check(errc::unsupported, "no name is known for 'visual.blocks.1.attn.proj'", {{"sign:g128", "q4_0"}});
  p.shape[1][3].name = "language_model.model.layers.0.mlp.up_proj";
  check(errc::invalid_argument,
        "'language_model.model.layers.0.mlp.up_proj': another one has the same name there, "
        "blk.0.ffn_up.weight",
        {{"sign:g128", "q4_0"}});
  p.recipes.pop_back();
  check(errc::shape_mismatch, "expected 3 recipes");
}

}  // namespace
