// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "luq/io/llama_cpp/llama_cpp_model.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "codecs/random_coded_matrix.hpp"
#include "io/gguf/ggml_block_values.hpp"
#include "io/io_test_support.hpp"
#include "luq/core/random.hpp"
#include "luq/io/gguf/ggml_type.hpp"
#include "luq/io/gguf/gguf.hpp"
#include "luq/io/gguf/gguf_writer.hpp"
#include "luq/io/safetensors/safetensors_writer.hpp"

using luq::errc;
using luq::llama_cpp_architecture;
using luq_test::check_fails;
using luq_test::ggml_value;

namespace {

/// A small decoder: its plan, packed linears with random codes, and a checkpoint with everything else.
struct model {
  luq_test::scratch_directory directory;
  luq::llama_cpp_decoder decoder;
  luq::plan choice;
  std::vector<std::vector<luq::any_packed_matrix>> packed;
  std::map<std::string, std::vector<float>> vectors;  // of the checkpoint, F16 values
  std::map<std::string, std::vector<luq::half>> matrices;
  std::string prefix;

  /// @param name_prefix  of the tensors of the decoder, such as "model."
  model(luq::llama_cpp_decoder d, std::vector<std::string> codecs, std::string name_prefix)
      : decoder(std::move(d)), prefix(std::move(name_prefix)) {
    const luq::index width = decoder.heads * decoder.head_dim;
    const luq::index narrow = decoder.key_value_heads * decoder.head_dim;
    const luq::index hidden = decoder.hidden_size;
    const luq::index inner = decoder.intermediate_size;
    decoder.layers = static_cast<luq::index>(codecs.size());
    for (std::size_t layer = 0; layer < codecs.size(); ++layer) {
      const std::string module = "model.layers." + std::to_string(layer) + ".";
      choice.shape.push_back({{module + "self_attn.q_proj", width, hidden},
                              {module + "self_attn.k_proj", narrow, hidden},
                              {module + "self_attn.v_proj", narrow, hidden},
                              {module + "self_attn.o_proj", hidden, width},
                              {module + "mlp.gate_proj", inner, hidden},
                              {module + "mlp.up_proj", inner, hidden},
                              {module + "mlp.down_proj", hidden, inner}});
      choice.recipes.push_back(luq::parse_codec(codecs[layer]));
      packed.emplace_back();
      for (const luq::linear_shape& linear : choice.shape.back()) {
        const std::uint64_t seed = 100 * layer + packed.back().size();
        packed.back().push_back(std::visit(
            [&](const auto& codec) -> luq::any_packed_matrix {
              return luq::pack(luq_test::random_coded_matrix(codec, linear.rows, linear.cols, seed));
            },
            choice.recipes.back().codec));
      }
      const std::string stored = prefix + "layers." + std::to_string(layer) + ".";
      add_vector(stored + "input_layernorm.weight", hidden);
      add_vector(stored + "post_attention_layernorm.weight", hidden);
      if (decoder.architecture != llama_cpp_architecture::qwen2vl) {
        add_matrix(stored + "mlp.up_proj.weight", inner, hidden);  // of a linear: not to be read
      }
      add_vector(stored + "self_attn.q_proj.bias", width);
      add_vector(stored + "self_attn.k_proj.bias", narrow);
      add_vector(stored + "self_attn.v_proj.bias", narrow);
    }
    add_vector(prefix + "norm.weight", hidden);
    add_matrix(prefix + "embed_tokens.weight", decoder.vocabulary, hidden);
    add_matrix("lm_head.weight", decoder.vocabulary, hidden);
    add_vector("vision_tower.vision_model.post_layernorm.weight", 7);  // not of the decoder
  }

  void add_vector(const std::string& name, luq::index size) {
    const luq::counter_rng rng(vectors.size());
    for (luq::index i = 0; i < size; ++i) {
      vectors[name].push_back(luq::half(static_cast<float>(rng.normal(static_cast<std::uint64_t>(i)))));
    }
  }

  void add_matrix(const std::string& name, luq::index rows, luq::index cols) {
    const luq::counter_rng rng(1000 + matrices.size());
    for (luq::index i = 0; i < rows * cols; ++i) {
      matrices[name].emplace_back(static_cast<float>(rng.normal(static_cast<std::uint64_t>(i))));
    }
  }

  [[nodiscard]] luq::packed_layers weights() const {
    luq::packed_layers result;
    for (const auto& layer : packed) {
      result.emplace_back();
      for (const auto& linear : layer) result.back().push_back(&linear);
    }
    return result;
  }

  [[nodiscard]] luq::checkpoint stored() const {
    std::vector<std::vector<luq::half>> halves;
    halves.reserve(vectors.size());
    std::vector<luq::tensor_source> sources;
    for (const auto& [name, values] : vectors) {
      halves.emplace_back();
      for (const float value : values) halves.back().emplace_back(value);
      sources.push_back(luq::make_tensor_source(name, {static_cast<luq::index>(values.size())},
                                                std::span<const luq::half>(halves.back())));
    }
    for (const auto& [name, values] : matrices) {
      const luq::index cols = decoder.hidden_size;
      sources.push_back(luq::make_tensor_source(name, {static_cast<luq::index>(values.size()) / cols, cols},
                                                std::span<const luq::half>(values)));
    }
    luq::write_safetensors(directory / "model.safetensors", sources);
    return luq::checkpoint(directory.path());
  }

  std::uint64_t write(const std::filesystem::path& file) const {
    return luq::write_llama_cpp_model(file, choice, weights(), decoder, stored());
  }
};

luq::llama_cpp_decoder llama_decoder() {
  return {.architecture = llama_cpp_architecture::llama,
          .name = "small",
          .hidden_size = 128,
          .intermediate_size = 256,
          .heads = 4,
          .key_value_heads = 2,
          .head_dim = 32,
          .vocabulary = 40,
          .context_length = 64,
          .rms_norm_epsilon = 1e-6f};
}

luq::llama_cpp_decoder qwen_decoder() {
  luq::llama_cpp_decoder d = llama_decoder();
  d.architecture = llama_cpp_architecture::qwen2vl;
  d.hidden_size = 256;
  d.heads = 8;
  d.rotary_base = 1e6f;
  d.rotary_sections = {4, 6, 6, 0};
  return d;
}

const std::vector<std::string> mixed_codecs{"sign:g128", "int4:g64:sym", "int8:g32:sym"};

/// The row of a file's tensor that holds a row of a checkpoint's, by [heads, 2, d/2] -> [heads, d/2, 2].
luq::index moved_row(luq::index row, luq::index head_dim) {
  const luq::index head = row / head_dim;
  const luq::index part = row % head_dim / (head_dim / 2);
  const luq::index pair = row % (head_dim / 2);
  return head * head_dim + 2 * pair + part;
}

/// Every weight and bias of a file is that of the model, bit for bit.
void check_weights(const luq::gguf_reader& file, const model& m, bool has_moved_rows) {
  const std::map<std::string, std::string> names{{"self_attn.q_proj", "attn_q"}, {"self_attn.k_proj", "attn_k"},
                                                 {"self_attn.v_proj", "attn_v"}, {"self_attn.o_proj", "attn_output"},
                                                 {"mlp.gate_proj", "ffn_gate"},  {"mlp.up_proj", "ffn_up"},
                                                 {"mlp.down_proj", "ffn_down"}};
  const std::vector<std::string> types{"q1_0", "q4_0", "q8_0"};
  for (std::size_t layer = 0; layer < m.packed.size(); ++layer) {
    for (std::size_t i = 0; i < 7; ++i) {
      const luq::linear_shape& linear = m.choice.shape[layer][i];
      const std::string kind = names.at(linear.name.substr(linear.name.find('.', 13) + 1));
      const std::string name = "blk." + std::to_string(layer) + "." + kind + ".weight";
      CAPTURE(name);
      REQUIRE(file.contains(name));
      CHECK(luq::ggml_type_name(file.info(name).type) == types[layer]);
      REQUIRE(file.info(name).shape == std::vector<luq::index>{linear.rows, linear.cols});
      const luq::matrix expected = luq::decode(m.packed[layer][i]);
      const std::span<const std::byte> data = file.bytes(name);
      const bool is_moved = has_moved_rows && (kind == "attn_q" || kind == "attn_k");
      int wrong = 0;
      for (luq::index r = 0; r < linear.rows; ++r) {
        const luq::index row = is_moved ? moved_row(r, m.decoder.head_dim) : r;
        for (luq::index c = 0; c < linear.cols; ++c) {
          const float got = ggml_value(types[layer], data, linear.cols, row, c);
          wrong += std::bit_cast<std::uint32_t>(got) == std::bit_cast<std::uint32_t>(expected(r, c)) ? 0 : 1;
        }
      }
      CHECK(wrong == 0);
    }
  }
}

void check_vector(const luq::gguf_reader& file, const std::string& name, const std::vector<float>& expected,
                  luq::index moved_head_dim) {
  CAPTURE(name);
  REQUIRE(file.contains(name));
  CHECK(file.info(name).type == luq::ggml_type::f32);
  REQUIRE(file.info(name).shape == std::vector<luq::index>{static_cast<luq::index>(expected.size())});
  const std::span<const std::byte> data = file.bytes(name);
  const auto size = static_cast<luq::index>(expected.size());
  int wrong = 0;
  for (luq::index r = 0; r < size; ++r) {
    const luq::index row = moved_head_dim == 0 ? r : moved_row(r, moved_head_dim);
    wrong += ggml_value("f32", data, size, 0, row) == expected[static_cast<std::size_t>(r)] ? 0 : 1;
  }
  CHECK(wrong == 0);
}

void check_matrix(const luq::gguf_reader& file, const std::string& name, const std::vector<luq::half>& expected) {
  CAPTURE(name);
  REQUIRE(file.contains(name));
  CHECK(file.info(name).type == luq::ggml_type::f16);
  const auto size = static_cast<luq::index>(expected.size());
  REQUIRE(file.info(name).size() == size);
  int wrong = 0;
  for (luq::index i = 0; i < size; ++i) {
    wrong += ggml_value("f16", file.bytes(name), size, 0, i) ==
                     luq_test::half_value(expected[static_cast<std::size_t>(i)].bits)
                 ? 0
                 : 1;
  }
  CHECK(wrong == 0);
}

void check_rest(const luq::gguf_reader& file, const model& m, luq::index moved_head_dim) {
  for (luq::index layer = 0; layer < m.decoder.layers; ++layer) {
    const std::string stored = m.prefix + "layers." + std::to_string(layer) + ".";
    const std::string block = "blk." + std::to_string(layer) + ".";
    check_vector(file, block + "attn_norm.weight", m.vectors.at(stored + "input_layernorm.weight"), 0);
    check_vector(file, block + "ffn_norm.weight", m.vectors.at(stored + "post_attention_layernorm.weight"), 0);
    check_vector(file, block + "attn_q.bias", m.vectors.at(stored + "self_attn.q_proj.bias"), moved_head_dim);
    check_vector(file, block + "attn_k.bias", m.vectors.at(stored + "self_attn.k_proj.bias"), moved_head_dim);
    check_vector(file, block + "attn_v.bias", m.vectors.at(stored + "self_attn.v_proj.bias"), 0);
  }
  check_vector(file, "output_norm.weight", m.vectors.at(m.prefix + "norm.weight"), 0);
  check_matrix(file, "token_embd.weight", m.matrices.at(m.prefix + "embed_tokens.weight"));
  check_matrix(file, "output.weight", m.matrices.at("lm_head.weight"));
  CHECK(file.tensors().size() == static_cast<std::size_t>(m.decoder.layers) * (7 + 5) + 3);
}

}  // namespace

TEST_CASE("a llama decoder: every weight, rows of query and key in pairs of neighbours") {
  const model m(llama_decoder(), mixed_codecs, "language_model.model.");
  const auto path = m.directory / "model.gguf";
  const std::uint64_t bytes = m.write(path);
  CHECK(bytes == std::filesystem::file_size(path));
  const luq::gguf_reader file(path);
  check_weights(file, m, true);
  check_rest(file, m, m.decoder.head_dim);
  CHECK(file.value<std::string>("general.architecture") == "llama");
  CHECK(file.value<std::uint32_t>("llama.block_count") == 3);
  CHECK(file.value<std::string>("tokenizer.ggml.model") == "no_vocab");
  CHECK(file.value<std::uint32_t>("general.quantization_version") == 2);
  CHECK(file.value<std::uint32_t>("general.alignment") == 32);
  CHECK(file.alignment() == 32);
}

TEST_CASE("a qwen2vl decoder: every weight, rows as they are") {
  const model m(qwen_decoder(), mixed_codecs, "model.");
  const auto path = m.directory / "model.gguf";
  (void)m.write(path);
  const luq::gguf_reader file(path);
  check_weights(file, m, false);
  check_rest(file, m, 0);
  CHECK(file.value<std::string>("general.architecture") == "qwen2vl");
  CHECK(file.value<std::vector<std::int32_t>>("qwen2vl.rope.dimension_sections") ==
        std::vector<std::int32_t>{4, 6, 6, 0});
}

TEST_CASE("the file type is that of most weights") {
  const auto file_type = [](const std::vector<std::string>& codecs) {
    const model m(llama_decoder(), codecs, "model.");
    (void)m.write(m.directory / "model.gguf");
    return luq::gguf_reader(m.directory / "model.gguf").value<std::uint32_t>("general.file_type");
  };
  CHECK(file_type({"sign:g128", "sign:g0", "int4:g32:sym"}) == 40);
  CHECK(file_type({"sign:g128", "int4:g0:sym", "int4:g32:sym"}) == 2);
  CHECK(file_type({"int8:g64:sym"}) == 7);
}

TEST_CASE("a head that is in the checkpoint is in the file, tied or not, and one table is written once") {
  model m(llama_decoder(), {"sign:g128"}, "model.language_model.");
  const std::string table = "model.language_model.embed_tokens.weight";
  const std::string head = "lm_head.weight";
  const std::vector<luq::half> embeddings = m.matrices.at(table);
  const std::vector<luq::half> own = m.matrices.at(head);
  m.decoder.tied_head = true;
  const auto check = [&](const std::vector<luq::half>& expected_table, const std::vector<luq::half>* expected_head) {
    (void)m.write(m.directory / "model.gguf");
    const luq::gguf_reader file(m.directory / "model.gguf");
    check_matrix(file, "token_embd.weight", expected_table);
    CHECK(file.contains("output.weight") == (expected_head != nullptr));
    if (expected_head != nullptr) check_matrix(file, "output.weight", *expected_head);
  };
  check(embeddings, &own);
  m.matrices.erase(head);
  check(embeddings, nullptr);
  m.matrices[head] = embeddings;
  check(embeddings, nullptr);
  m.decoder.tied_head = false;
  check(embeddings, &embeddings);
  m.matrices[head] = own;
  check(embeddings, &own);

  m.decoder.tied_head = true;
  m.matrices.erase(table);
  check(own, nullptr);
  m.decoder.tied_head = false;
  check_fails(errc::corrupt_file, "no tensor of the checkpoint becomes token_embd.weight",
              [&] { (void)m.write(m.directory / "model.gguf"); });
  m.matrices[table] = embeddings;
  m.matrices.erase(head);
  check_fails(errc::corrupt_file, "no tensor of the checkpoint becomes output.weight",
              [&] { (void)m.write(m.directory / "model.gguf"); });
}

TEST_CASE("a tensor of the decoder that llama.cpp has no name for is not left out without a word") {
  for (const char* name : {"model.layers.0.self_attn.q_norm.weight", "model.image_newline", "lm_head.scale",
                           "model.layers.0.self_attn.q_proj.lora_a.weight"}) {
    CAPTURE(name);
    model m(llama_decoder(), {"sign:g128"}, "model.");
    m.add_vector(name, 32);
    check_fails(errc::unsupported, std::string("tensor '") + name + "': no name is known for it",
                [&] { (void)m.write(m.directory / "model.gguf"); });
    CHECK(!std::filesystem::exists(m.directory / "model.gguf"));
  }
  model m(llama_decoder(), {"sign:g128"}, "model.");
  m.add_vector("model.layers.0.self_attn.rotary_emb.inv_freq", 16);  // follows from the decoder's numbers
  m.add_vector("multi_modal_projector.linear_1.bias", 16);           // of another file
  (void)m.write(m.directory / "model.gguf");
  CHECK(luq::gguf_reader(m.directory / "model.gguf").tensors().size() == 7 + 5 + 3);
}

TEST_CASE("what blocks cannot hold is refused before anything is written") {
  const auto refuse = [](const std::string& codec, const std::vector<std::string>& fragments) {
    const model m(llama_decoder(), {"sign:g128", codec}, "model.");
    for (const std::string& fragment : fragments) {
      check_fails(errc::unsupported, fragment, [&] { (void)m.write(m.directory / "model.gguf"); });
      check_fails(errc::unsupported, fragment, [&] { luq::require_llama_cpp_model(m.choice); });
    }
    CHECK(!std::filesystem::exists(m.directory / "model.gguf"));
  };
  refuse("int4:g64", {"'model.layers.1.self_attn.q_proj' and 6 other linears: int4:g64: ggml blocks hold",
                      "quantize them as int4:g64:sym"});
  refuse("int3:g64", {"int3:g64: ggml blocks hold", "quantize them as int4:g64:sym"});
  refuse("sign:g64", {"sign:g64: ggml blocks hold sign with groups of a multiple of 128", "as sign:g128"});
  refuse("int4:g16:sym", {"int4:g16:sym: ggml blocks hold", "as int4:g128:sym"});
  refuse("trellis1.58:g0", {"trellis1.58:g0: ggml blocks hold"});
}

TEST_CASE("shapes that blocks do not divide") {
  const luq::plan narrow{{{{"model.layers.0.mlp.down_proj", 64, 192}}}, {luq::sign_codec{}}, "by hand"};
  check_fails(errc::unsupported, "multiples of 128 inputs, got 64 x 192",
              [&] { luq::require_llama_cpp_model(narrow); });
  check_fails(errc::unsupported, "keep them dense (F16)", [&] { luq::require_llama_cpp_model(narrow); });
  const luq::plan unknown{{{{"visual.blocks.0.mlp.down_proj", 64, 128}}}, {luq::sign_codec{}}, "by hand"};
  check_fails(errc::unsupported, "no name is known for", [&] { luq::require_llama_cpp_model(unknown); });
}

TEST_CASE("plans and checkpoints that contradict the decoder") {
  const auto refuse = [](const model& m, errc code, const char* fragment) {
    luq_test::write_text(m.directory / "model.gguf", "old");
    check_fails(code, fragment, [&] { (void)m.write(m.directory / "model.gguf"); });
    CHECK(luq_test::read_text(m.directory / "model.gguf") == "old");
  };
  model m(llama_decoder(), mixed_codecs, "model.");
  m.decoder.layers = 4;
  refuse(m, errc::shape_mismatch, "no linear of the plan becomes blk.3.attn_q.weight");
  m.decoder.layers = 2;
  refuse(m, errc::shape_mismatch, "expected 14 linears for 2 layers, got 21");
  m.decoder.layers = 3;
  m.decoder.intermediate_size = 512;
  refuse(m, errc::shape_mismatch, "'model.layers.0.mlp.gate_proj': expected 512 x 128 by the decoder's sizes");
  m.decoder.intermediate_size = 256;
  m.decoder.vocabulary = 41;
  refuse(m, errc::shape_mismatch, "expected [41, 128] by the decoder's sizes, got [40, 128]");
  m.decoder.vocabulary = 40;
  const auto norm = m.vectors.extract("model.norm.weight");
  refuse(m, errc::corrupt_file, "no tensor of the checkpoint becomes output_norm.weight");
  model qwen(qwen_decoder(), mixed_codecs, "model.");
  qwen.vectors.erase("model.layers.2.self_attn.k_proj.bias");
  refuse(qwen, errc::corrupt_file, "no tensor of the checkpoint becomes blk.2.attn_k.bias");
}

TEST_CASE("a file like another has its metadata and its other tensors") {
  for (const auto& decoder : {llama_decoder(), qwen_decoder()}) {
    const bool is_llama = decoder.architecture == llama_cpp_architecture::llama;
    const model m(decoder, mixed_codecs, "model.");
    const model other(decoder, {"int8:g32:sym", "int8:g32:sym", "int8:g32:sym"}, "model.");
    (void)other.write(m.directory / "plain.gguf");
    // As a converter would have it: a tokenizer, an alignment, a tensor of another type.
    const luq::gguf_reader plain(m.directory / "plain.gguf");
    std::vector<luq::gguf_entry> metadata = plain.metadata();
    metadata.back().value = std::uint32_t{64};
    metadata.push_back({"tokenizer.ggml.tokens", luq::gguf_array(std::vector<std::string>{"<s>", "a"})});
    std::vector<luq::gguf_source> sources;
    for (const luq::gguf_tensor_info& tensor : plain.tensors()) {
      sources.push_back({{tensor.name, tensor.type, tensor.shape}, plain.bytes(tensor.name)});
    }
    const std::vector<std::byte> frequencies(64);
    sources.push_back({{"rope_freqs.weight", luq::ggml_type::f32, {16}}, frequencies});
    luq::write_gguf(m.directory / "like.gguf", sources, metadata);

    const luq::gguf_reader like(m.directory / "like.gguf");
    const auto path = m.directory / "model.gguf";
    const std::uint64_t bytes = luq::write_llama_cpp_model_like(path, m.choice, m.weights(), like);
    CHECK(bytes == std::filesystem::file_size(path));
    const luq::gguf_reader file(path);
    check_weights(file, m, is_llama);
    CHECK(file.alignment() == 64);
    CHECK(file.value<std::vector<std::string>>("tokenizer.ggml.tokens").size() == 2);
    CHECK(file.value<std::uint32_t>("general.file_type") == 2);  // a third each: the lowest number of ggml_type
    CHECK(file.metadata().size() == like.metadata().size());
    REQUIRE(file.tensors().size() == like.tensors().size());
    for (std::size_t i = 0; i < file.tensors().size(); ++i) {
      const std::string& name = file.tensors()[i].name;
      CHECK(name == like.tensors()[i].name);
      const bool is_linear = name.starts_with("blk.") && name.ends_with(".weight") && !name.ends_with("norm.weight");
      CHECK((is_linear || std::ranges::equal(file.bytes(name), like.bytes(name))));
    }
  }
}

TEST_CASE("a file that gguf-split has merged, or not split, is one like others") {
  const model m(llama_decoder(), mixed_codecs, "model.");
  (void)m.write(m.directory / "plain.gguf");
  const luq::gguf_reader plain(m.directory / "plain.gguf");
  (void)luq::write_llama_cpp_model_like(m.directory / "expected.gguf", m.choice, m.weights(), plain);
  for (const std::uint16_t count : {std::uint16_t{0}, std::uint16_t{1}}) {
    CAPTURE(count);
    std::vector<luq::gguf_entry> metadata = plain.metadata();
    metadata.push_back({"split.no", std::uint16_t{0}});
    metadata.push_back({"split.count", count});
    metadata.push_back({"split.tensors.count", static_cast<std::int32_t>(plain.tensors().size())});
    std::vector<luq::gguf_source> sources;
    for (const luq::gguf_tensor_info& tensor : plain.tensors()) {
      sources.push_back({{tensor.name, tensor.type, tensor.shape}, plain.bytes(tensor.name)});
    }
    luq::write_gguf(m.directory / "merged.gguf", sources, metadata);
    // And bytes behind the last tensor, which are not copied.
    luq_test::write_text(m.directory / "merged.gguf", luq_test::read_text(m.directory / "merged.gguf") + "behind");
    const luq::gguf_reader like(m.directory / "merged.gguf");
    (void)luq::write_llama_cpp_model_like(m.directory / "out.gguf", m.choice, m.weights(), like);
    CHECK(luq_test::read_text(m.directory / "out.gguf") == luq_test::read_text(m.directory / "expected.gguf"));
  }
}

TEST_CASE("files that a model cannot be like") {
  const model m(llama_decoder(), mixed_codecs, "model.");
  (void)m.write(m.directory / "model.gguf");
  const luq::gguf_reader source(m.directory / "model.gguf");
  const auto refuse = [&](errc code, const char* fragment, const auto& edit) {
    std::vector<luq::gguf_entry> metadata = source.metadata();
    std::vector<luq::gguf_source> sources;
    for (const luq::gguf_tensor_info& tensor : source.tensors()) {
      sources.push_back({{tensor.name, tensor.type, tensor.shape}, source.bytes(tensor.name)});
    }
    edit(metadata, sources);
    luq::write_gguf(m.directory / "like.gguf", sources, metadata);
    const luq::gguf_reader like(m.directory / "like.gguf");
    check_fails(code, fragment,
                [&] { (void)luq::write_llama_cpp_model_like(m.directory / "out.gguf", m.choice, m.weights(), like); });
    CHECK(!std::filesystem::exists(m.directory / "out.gguf"));
  };
  using entries = std::vector<luq::gguf_entry>;
  using tensors = std::vector<luq::gguf_source>;
  refuse(errc::unsupported, "expected a model of llama, qwen2 or qwen2vl, got 'gemma'",
         [](entries& metadata, tensors&) { metadata.front().value = std::string("gemma"); });
  refuse(errc::unsupported, "one of 2 files of a model: expected a whole one, which llama.cpp's gguf-split",
         [](entries& metadata, tensors&) { metadata.push_back({"split.count", std::uint16_t{2}}); });
  refuse(errc::unsupported, "one of -1 files",
         [](entries& metadata, tensors&) { metadata.push_back({"split.count", std::int32_t{-1}}); });
  refuse(errc::unsupported, "key 'split.count': unexpected type string",
         [](entries& metadata, tensors&) { metadata.push_back({"split.count", std::string("1")}); });
  refuse(errc::corrupt_file, "an even number of features", [](entries& metadata, tensors&) {
    for (luq::gguf_entry& entry : metadata) {
      if (entry.key == "llama.attention.key_length") entry.value = std::uint32_t{33};
    }
  });
  refuse(errc::invalid_argument, "there is no key 'llama.attention.head_count'", [](entries& metadata, tensors&) {
    std::erase_if(metadata, [](const auto& entry) { return entry.key.ends_with("head_count"); });
  });
  refuse(errc::shape_mismatch, "expected a tensor blk.0.attn_q.weight [128, 128], got none",
         [](entries&, tensors& list) {
           std::erase_if(list, [](const auto& t) { return t.declaration.name == "blk.0.attn_q.weight"; });
         });
  refuse(errc::shape_mismatch, "expected a tensor blk.1.ffn_up.weight [256, 128], got [128, 256]",
         [](entries&, tensors& list) {
           for (auto& t : list) {
             if (t.declaration.name == "blk.1.ffn_up.weight") t.declaration.shape = {128, 256};
           }
         });
}
