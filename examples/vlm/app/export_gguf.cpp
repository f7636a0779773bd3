// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <luq/core/error.hpp>
#include <luq/io/gguf/ggml_blocks.hpp>
#include <luq/io/llama_cpp/llama_cpp_model.hpp>
#include <luq/io/llama_cpp/llama_cpp_names.hpp>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "../engine/checkpoint_names.hpp"
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

[[noreturn]] void refuse_other_model(const luq::gguf_reader& like, const std::string& difference) {
  luq::fail(luq::errc::invalid_argument, like.source(), ": ", difference, ": expected a file of the same model");
}

/// Norms are vectors that no two models share, and stay as they are: a file of another model is told by them. A bias of
/// the model, or a head of its own, that the file lacks would be missing in its copy as well.
void require_same_tensors(const luq::gguf_reader& like, const luq::checkpoint& model, const checkpoint_names& names) {
  for (const std::string& name : model.names()) {
    const std::size_t dot = name.rfind('.');
    const auto module = luq::gguf_module_name(name.substr(0, dot));
    if (!module) continue;
    const bool is_norm = module->ends_with("_norm");
    const bool is_own_head = name == names.head && !names.tied_head;
    if (!is_norm && !is_own_head && !name.ends_with(".bias")) continue;
    const std::string tensor = *module + name.substr(dot);
    if (!like.contains(tensor)) refuse_other_model(like, "no tensor " + tensor + " for " + name + " of the model");
    if (!is_norm || like.info(tensor).type != luq::ggml_type::f32) continue;
    const std::vector<float> expected = model.read_floats(name);
    if (!std::ranges::equal(like.bytes(tensor), std::as_bytes(std::span(expected)))) {
      refuse_other_model(like, tensor + " differs from " + name + " of the model");
    }
  }
}

/// What the file says of the decoder is what its copy is computed with, so it must be what config.json says.
void require_same_numbers(const luq::gguf_reader& like, const text_config& text) {
  const auto number = [](luq::index value) { return static_cast<std::uint32_t>(value); };
  const std::pair<const char*, luq::gguf_value> expected[] = {
      {".block_count", number(text.layers)},
      {".embedding_length", number(text.hidden_size)},
      {".feed_forward_length", number(text.intermediate_size)},
      {".attention.head_count", number(text.heads)},
      {".attention.head_count_kv", number(text.key_value_heads)},
      {".attention.layer_norm_rms_epsilon", text.rms_norm_epsilon},
      {".rope.freq_base", static_cast<float>(text.rotary.theta)},
      {".rope.dimension_count", number(text.head_dim)}};
  const std::string& architecture = like.value<std::string>("general.architecture");
  for (const auto& [key, value] : expected) {
    const luq::gguf_value* const got = like.find_value(architecture + key);
    if (got != nullptr && got->index() == value.index() && *got != value) {
      refuse_other_model(like, architecture + key + " differs from what config.json says");
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
  const luq::plan& choice = packed.planned();
  luq::require_llama_cpp_model(choice);
  luq::packed_layers weights;
  std::map<std::string, std::size_t> types;
  for (std::size_t layer = 0; layer < choice.shape.size(); ++layer) {
    weights.emplace_back();
    for (const luq::any_packed_matrix& linear : packed.layers()[layer]) {
      weights.back().push_back(&linear);
      ++types[luq::ggml_type_name(luq::ggml_blocks_type(choice.recipes[layer].codec, luq::cols_of(linear)))];
    }
  }
  const luq::checkpoint model(s.model);
  const model_config config = read_model_config(s.model);
  const checkpoint_names names = find_checkpoint_names(model, config, s.model.string());
  std::uint64_t bytes = 0;
  if (options.like.empty()) {
    bytes = luq::write_llama_cpp_model(options.output, choice, weights, llama_cpp_decoder_of(s.model), model);
  } else {
    const luq::gguf_reader like(options.like);
    require_same_tensors(like, model, names);
    require_same_numbers(like, config.text);
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
