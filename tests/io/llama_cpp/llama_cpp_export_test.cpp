// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/llama_cpp/llama_cpp_export.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <regex>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/gguf/gguf_reference.hpp"
#include "io/io_test_support.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/io/gguf/gguf.hpp"

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
    p.codecs.push_back(luq::parse_codec(layer % 2 == 0 ? "sign:g128" : "int4:g64:sym:searched"));
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
  p.codecs.push_back(luq::parse_codec("int4:g128:sym"));
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
  p.codecs.erase(p.codecs.begin());
  p.shape[0].push_back({"model.layers.17.mlp.up_proj", 256, 128});
  CHECK(luq::ik_llama_cpp_custom_q(p, {{"int4:g128:sym", "iq4_kt"}}) ==
        R"(^blk\.17\.ffn_down\.weight$=iq4_kt,^blk\.17\.ffn_up\.weight$=iq4_kt)");
}

TEST_CASE("names of modules") {
  for (const std::string prefix : {"model.", "language_model.model.", "model.language_model."}) {
    CAPTURE(prefix);
    const auto check = [&](const std::string& module, const std::string& name) {
      CAPTURE(module);
      CHECK(luq::gguf_module_name(prefix + module) == name);
    };
    check("embed_tokens", "token_embd");
    check("norm", "output_norm");
    check("layers.0.input_layernorm", "blk.0.attn_norm");
    check("layers.1.self_attn.q_proj", "blk.1.attn_q");
    check("layers.9.self_attn.k_proj", "blk.9.attn_k");
    check("layers.10.self_attn.v_proj", "blk.10.attn_v");
    check("layers.31.self_attn.o_proj", "blk.31.attn_output");
    check("layers.100.post_attention_layernorm", "blk.100.ffn_norm");
    check("layers.2.mlp.gate_proj", "blk.2.ffn_gate");
    check("layers.3.mlp.up_proj", "blk.3.ffn_up");
    check("layers.4.mlp.down_proj", "blk.4.ffn_down");
  }
  CHECK(luq::gguf_module_name("lm_head") == "output");
  CHECK(luq::gguf_module_name("language_model.lm_head") == "output");
  for (const std::string_view other : {"",
                                       "model",
                                       "model.",
                                       "layers.0.mlp.up_proj",
                                       "model.layers",
                                       "model.layers.",
                                       "model.layers.0",
                                       "model.layers.0.",
                                       "model.layers.00.mlp.up_proj",
                                       "model.layers.01.mlp.up_proj",
                                       "model.layers..mlp.up_proj",
                                       "model.layers.-1.mlp.up_proj",
                                       "model.layers.1a.mlp.up_proj",
                                       "model.layers.0.mlp.up_proj.weight",
                                       "model.layers.0.mlp.fc1",
                                       "model.layers.0.mlp.up",
                                       "model.Layers.0.mlp.up_proj",
                                       "model.lm_head",
                                       "vision_tower.vision_model.encoder.layers.0.self_attn.q_proj",
                                       "visual.blocks.0.attn.qkv",
                                       "model.visual.blocks.0.mlp.up_proj",
                                       "model.vision_tower.vision_model.encoder.layers.0.mlp.fc1",
                                       "multi_modal_projector.linear_1",
                                       "language_model.layers.0.mlp.up_proj"}) {
    CAPTURE(other);
    CHECK_FALSE(luq::gguf_module_name(other).has_value());
  }
}

TEST_CASE("plans that cannot be exported") {
  luq::plan p = decoder_plan("model.", 3, 256, 256, 512);
  const auto check = [&](errc code, std::string_view fragment, const luq::llama_cpp_types& types = {}) {
    check_fails(code, fragment, [&] { static_cast<void>(luq::llama_cpp_tensor_type_file(p, types)); });
  };
  const auto with_codecs = [&](std::vector<const char*> names) {
    p.codecs.clear();
    for (const char* name : names) p.codecs.push_back(luq::parse_codec(name));
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
    check_fails(errc::invalid_argument, "is no name of a type", [&] {
      static_cast<void>(luq::ik_llama_cpp_custom_q(p, {{"sign:g128", name}}));
    });
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
  p.codecs.pop_back();
  check(errc::shape_mismatch, "expected 3 codecs");
}

TEST_CASE("an importance matrix holds the sums of squares that the inputs have") {
  const luq_test::scratch_directory scratch;
  constexpr luq::index tokens = 300;
  const luq::matrix X = luq::random_normal_matrix(tokens, 24, luq::counter_rng(1));
  luq::hessian H(24);
  H.add(X);
  luq::write_imatrix(scratch / "imatrix.gguf",
                     {luq::make_imatrix_entry("model.layers.1.mlp.up_proj", H.matrix(), H.tokens()),
                      luq::make_imatrix_entry("model.layers.0.self_attn.q_proj", H.matrix(), H.tokens())},
                     {.datasets = {"images", "text.txt"}, .chunk_count = 3, .chunk_size = 100});

  const luq::gguf_reader reader(scratch / "imatrix.gguf");
  CHECK(reader.metadata().size() == 4);
  CHECK(reader.value<std::string>("general.type") == "imatrix");
  CHECK(reader.value<std::vector<std::string>>("imatrix.datasets") == std::vector<std::string>{"images", "text.txt"});
  CHECK(reader.value<std::uint32_t>("imatrix.chunk_count") == 3);
  CHECK(reader.value<std::uint32_t>("imatrix.chunk_size") == 100);
  REQUIRE(reader.tensors().size() == 4);
  const char* const names[] = {"blk.0.attn_q.weight.in_sum2", "blk.0.attn_q.weight.counts",
                               "blk.1.ffn_up.weight.in_sum2", "blk.1.ffn_up.weight.counts"};
  for (std::size_t i = 0; i < 4; ++i) {
    const luq::gguf_tensor_info& info = reader.tensors()[i];
    CHECK(info.name == names[i]);
    CHECK((info.type == luq::ggml_type::f32));
    CHECK(info.shape == std::vector<luq::index>{i % 2 == 0 ? 24 : 1});
    const std::span<const std::byte> bytes = reader.bytes(info.name);
    for (luq::index c = 0; c < info.size(); ++c) {
      float value = 0;
      std::memcpy(&value, bytes.data() + 4 * c, 4);
      if (i % 2 == 1) {
        CHECK(value == 300.0f);
      } else {
        const double sum = X.col(c).cast<double>().squaredNorm();
        CHECK(std::abs(static_cast<double>(value) - sum) < 1e-5 * sum);
      }
    }
  }
}

TEST_CASE("weighted tokens leave the mean as it is and the count an integer") {
  const luq::matrix X = luq::random_normal_matrix(4, 8, luq::counter_rng(2));
  const std::vector<float> lambda = {0.5f, 0.0f, 2.0f, 1.0f};
  luq::hessian H(8);
  H.add(X, lambda);
  const luq::imatrix_entry entry = luq::make_imatrix_entry("model.layers.0.mlp.up_proj", H.matrix(), H.tokens());
  CHECK(entry.tokens == 3);
  for (luq::index c = 0; c < 8; ++c) {
    double mean = 0;
    for (luq::index t = 0; t < 4; ++t) {
      mean +=
          static_cast<double>(lambda[static_cast<std::size_t>(t)]) * std::pow(static_cast<double>(X(t, c)), 2) / 3.5;
    }
    CHECK(static_cast<double>(entry.in_sum2[static_cast<std::size_t>(c)]) / 3 == doctest::Approx(mean).epsilon(1e-5));
  }
}

TEST_CASE("the bytes of an importance matrix, spelled by hand") {
  const luq_test::scratch_directory scratch;
  luq::write_imatrix(scratch / "a", {{"blk.0.ffn_up.weight", {1.5f, 0.0f, 2.0f}, 16777216}}, {.datasets = {"d"}});
  luq_test::gguf_spelling file;
  file.begin(2, 4);
  file.key("general.type", 8).text("imatrix");
  file.key("imatrix.datasets", 9).number(std::int32_t{8}).number(std::uint64_t{1}).text("d");
  file.key("imatrix.chunk_count", 4).number(std::uint32_t{1});
  file.key("imatrix.chunk_size", 4).number(std::uint32_t{512});
  file.tensor("blk.0.ffn_up.weight.in_sum2", {3}, 0, 0).tensor("blk.0.ffn_up.weight.counts", {1}, 0, 32).pad();
  file.number(1.5f).number(0.0f).number(2.0f).pad().number(16777216.0f).pad();
  CHECK(luq_test::read_text(scratch / "a") == file.bytes());
}

TEST_CASE("importance matrices that are none") {
  const luq_test::scratch_directory scratch;
  const auto check = [&](errc code, std::string_view fragment, const std::vector<luq::imatrix_entry>& entries) {
    check_fails(code, fragment, [&] { luq::write_imatrix(scratch / "a", entries, {}); });
  };
  constexpr float infinity = std::numeric_limits<float>::infinity();
  check(errc::invalid_argument, "imatrix: expected at least one entry", {});
  check(errc::insufficient_data, "imatrix: 'b' has no tokens", {{"a", {1.0f}, 1}, {"b", {1.0f}, 0}});
  check(errc::non_finite, "imatrix: 'a': in_sum2 holds inf", {{"a", {1.0f, infinity}, 1}});
  check(errc::non_finite, "imatrix: 'a': in_sum2 holds", {{"a", {std::numeric_limits<float>::quiet_NaN()}, 1}});
  check(errc::invalid_argument, "imatrix: 'a': in_sum2 holds -1", {{"a", {-1.0f}, 1}});
  check(errc::invalid_argument, "duplicate tensor name 'a.counts'", {{"a", {1.0f}, 1}, {"a", {2.0f}, 1}});
  CHECK(scratch.size() == 0);
  check_fails(errc::unsupported, "no name is known for 'lm'",
              [&] { static_cast<void>(luq::make_imatrix_entry("lm", luq::matrix::Identity(2, 2), 1)); });
}

}  // namespace
