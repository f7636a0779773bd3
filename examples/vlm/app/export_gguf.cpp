// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <luq/core/error.hpp>
#include <luq/io/llama_cpp_model.hpp>
#include <map>
#include <span>
#include <variant>

#include "../engine/model_config.hpp"
#include "export.hpp"
#include "pipeline.hpp"

namespace vlm {

namespace {

/// Sections of rotated pairs as llama.cpp has them: four, of which the last has no axis here; none without sections.
std::vector<std::int32_t> rotary_sections(const rotary_config& rotary) {
  if (rotary.sections.empty()) return {};
  std::vector<std::int32_t> sections(rotary.sections.begin(), rotary.sections.end());
  sections.resize(4);
  return sections;
}

/// Norms are vectors that no two models share, and stay as they are: a file of another model is told by them.
void require_same_norms(const luq::gguf_reader& like, const luq::checkpoint& model) {
  for (const std::string& name : model.names()) {
    if (!name.ends_with(".weight")) continue;
    const auto module = luq::gguf_module_name(name.substr(0, name.rfind('.')));
    if (!module || !module->ends_with("_norm")) continue;
    const std::string tensor = *module + ".weight";
    if (!like.contains(tensor) || like.info(tensor).type != luq::ggml_type::f32) continue;
    const std::vector<float> expected = model.read_floats(name);
    const std::span<const std::byte> got = like.bytes(tensor);
    if (!std::ranges::equal(got, std::as_bytes(std::span(expected)))) {
      luq::fail(luq::errc::invalid_argument, like.source(), ": ", tensor, " differs from ", name,
                " of the model: expected a file of the same model");
    }
  }
}

}  // namespace

luq::llama_cpp_decoder llama_cpp_decoder_of(const std::filesystem::path& model) {
  const model_config config = read_model_config(model);
  const text_config& text = config.text;
  if (text.hidden_activation != activation::silu) {
    luq::fail(luq::errc::unsupported, model.string(), ": llama.cpp computes MLPs with silu, the model with another");
  }
  if (text.rotary.scaling == rotary_scaling::llama3) {
    luq::fail(luq::errc::unsupported, model.string(),
              ": rotary embedding stretched as llama3: expected a converted file to take the rest from, see --like");
  }
  const bool is_llava = std::holds_alternative<llava_vision_config>(config.vision);
  const bool is_stretched = text.rotary.scaling == rotary_scaling::linear;
  return {.architecture = is_llava ? luq::llama_cpp_architecture::llama : luq::llama_cpp_architecture::qwen2vl,
          .name = std::filesystem::absolute(model).lexically_normal().filename().string(),
          .layers = text.layers,
          .hidden_size = text.hidden_size,
          .intermediate_size = text.intermediate_size,
          .heads = text.heads,
          .key_value_heads = text.key_value_heads,
          .head_dim = text.head_dim,
          .vocabulary = text.vocabulary,
          .context_length = text.positions,
          .rms_norm_epsilon = text.rms_norm_epsilon,
          .rotary_base = static_cast<float>(text.rotary.theta),
          .rotary_factor = is_stretched ? static_cast<float>(text.rotary.factor) : 1,
          .rotary_sections = rotary_sections(text.rotary),
          .tied_head = config.tied_head};
}

void export_gguf(const settings& s, const export_options& options) {
  const luq::packed_model packed(options.packed);
  const luq::plan& choice = packed.choice();
  luq::require_llama_cpp_model(choice);
  luq::packed_layers weights;
  std::map<std::string, std::size_t> types;
  for (std::size_t layer = 0; layer < choice.shape.size(); ++layer) {
    weights.emplace_back();
    for (const luq::any_packed_matrix& linear : packed.layers()[layer]) {
      weights.back().push_back(&linear);
      ++types[luq::ggml_type_name(luq::ggml_blocks_type(choice.codecs[layer], luq::cols_of(linear)))];
    }
  }
  const luq::checkpoint model(s.model);
  std::uint64_t bytes = 0;
  if (options.like.empty()) {
    bytes = luq::write_llama_cpp_model(options.output, choice, weights, llama_cpp_decoder_of(s.model), model);
  } else {
    const luq::gguf_reader like(options.like);
    require_same_norms(like, model);
    bytes = luq::write_llama_cpp_model_like(options.output, choice, weights, like);
  }
  std::string content = "model of llama.cpp";
  for (const auto& [type, count] : types) {
    content += (type == types.begin()->first ? ", " : " and ") + std::to_string(count) + " linears " + type;
  }
  content += options.like.empty() ? ", without a tokenizer" : ", the rest as in " + options.like.string();
  print_written(std::cout, options.output, bytes, content);
}

}  // namespace vlm
