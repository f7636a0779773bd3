// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_names.hpp"

#include <algorithm>
#include <initializer_list>
#include <luq/core/error.hpp>
#include <luq/io/files/detail/printable.hpp>
#include <luq/io/safetensors/checkpoint.hpp>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "decoder_layer.hpp"
#include "decoder_linear.hpp"

namespace vlm {

namespace {

/// A part of a model: a tensor that it always has, and the prefixes under which that may be.
struct named_part {
  std::string tensor;
  std::vector<std::string> prefixes;
};

struct named_parts {
  named_part decoder;
  named_part head;
  named_part vision;
  named_part projector;
};

named_parts parts_of(const llava_vision_config&) {
  return {{"norm.weight", {"language_model.model.", "model.language_model."}},
          {"lm_head.weight", {"language_model.", ""}},
          {"embeddings.class_embedding",
           {"vision_tower.vision_model.", "vision_tower.", "model.vision_tower.vision_model.", "model.vision_tower."}},
          {"linear_1.weight", {"multi_modal_projector.", "model.multi_modal_projector."}}};
}

named_parts parts_of(const qwen_vision_config&) {
  return {{"norm.weight", {"model.", "model.language_model."}},
          {"lm_head.weight", {""}},
          {"patch_embed.proj.weight", {"visual.", "model.visual."}},
          {"ln_q.weight", {"visual.merger.", "model.visual.merger."}}};
}

/// The first prefix under which the checkpoint has the part's tensor.
std::string find_prefix(const luq::checkpoint& tensors, const std::string& source, const named_part& part) {
  std::string expected;
  for (const std::string& prefix : part.prefixes) {
    if (tensors.contains(prefix + part.tensor)) return prefix;
    expected += (expected.empty() ? "" : " or ") + (prefix + part.tensor);
  }
  luq::fail(luq::errc::corrupt_file, source, ": expected a tensor ", expected, ", got none of them");
}

bool have_same_content(const luq::checkpoint& tensors, const std::string& a, const std::string& b) {
  return tensors.info(a).dtype == tensors.info(b).dtype && tensors.shape(a) == tensors.shape(b) &&
         std::ranges::equal(tensors.bytes(a), tensors.bytes(b));
}

/// Sets the table of embeddings and the head, of which a tied model need have only one.
void find_embedding_and_head(const luq::checkpoint& tensors, const named_part& head, bool tied_by_config,
                             checkpoint_names& names) {
  names.embedding = names.decoder + "embed_tokens.weight";
  names.head = head.tensor;
  for (const std::string& prefix : head.prefixes) {
    if (!tensors.contains(names.head)) names.head = prefix + head.tensor;
  }
  const bool has_table = tensors.contains(names.embedding);
  const bool has_head = tensors.contains(names.head);
  if (has_table && has_head) {
    names.tied_head = have_same_content(tensors, names.embedding, names.head);
  } else if (tied_by_config) {
    (has_table ? names.head : names.embedding) = has_table ? names.embedding : names.head;
    names.tied_head = true;
  }
}

/// Collects names of tensors under a prefix.
class name_collector {
 public:
  name_collector(std::set<std::string>& names, std::string prefix) : names_(names), prefix_(std::move(prefix)) {}

  void weight(const std::string& name) { names_.insert(prefix_ + name + ".weight"); }

  void linear(const std::string& name, bool has_bias) {
    weight(name);
    if (has_bias) names_.insert(prefix_ + name + ".bias");
  }

  void linears(std::initializer_list<const char*> names, bool have_bias) {
    for (const char* const name : names) linear(name, have_bias);
  }

  void tensor(const std::string& name) { names_.insert(prefix_ + name); }

  [[nodiscard]] name_collector part(const std::string& name) const { return {names_, prefix_ + name}; }
  [[nodiscard]] name_collector layer(const char* layers, luq::index number) const {
    return part(layers + std::to_string(number) + ".");
  }

 private:
  std::set<std::string>& names_;
  std::string prefix_;
};

void collect_decoder(const text_config& config, name_collector decoder) {
  decoder.weight("norm");
  for (luq::index number = 0; number < config.layers; ++number) {
    name_collector layer = decoder.layer("layers.", number);
    layer.weight("input_layernorm");
    layer.weight("post_attention_layernorm");
    for (const decoder_linear which : decoder_linears) {
      layer.linear(std::string(tensor_name(which)), has_bias(config, which));
    }
  }
}

void collect_vision(const llava_vision_config& config, name_collector tower, name_collector projector) {
  tower.tensor("embeddings.class_embedding");
  tower.weight("embeddings.patch_embedding");
  tower.weight("embeddings.position_embedding");
  tower.linears({"pre_layrnorm", "post_layernorm"}, true);
  for (luq::index number = 0; number < config.tower.layers; ++number) {
    tower.layer("encoder.layers.", number)
        .linears({"layer_norm1", "layer_norm2", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                  "self_attn.out_proj", "mlp.fc1", "mlp.fc2"},
                 true);
  }
  projector.linears({"linear_1", "linear_2"}, config.projector_bias);
}

void collect_vision(const qwen_vision_config& config, name_collector tower, name_collector merger) {
  tower.weight("patch_embed.proj");
  for (luq::index number = 0; number < config.layers; ++number) {
    name_collector layer = tower.layer("blocks.", number);
    layer.linears({"norm1", "norm2"}, false);
    layer.linears({"attn.qkv", "attn.proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}, true);
  }
  merger.weight("ln_q");
  merger.linears({"mlp.0", "mlp.2"}, true);
}

/// Throws corrupt_file if the checkpoint holds what the model that config.json describes would leave out.
void require_known_tensors(const luq::checkpoint& tensors, const model_config& config, const checkpoint_names& names,
                           const std::string& source) {
  std::set<std::string> known{names.embedding, names.head};
  collect_decoder(config.text, {known, names.decoder});
  std::visit([&](const auto& vision) { collect_vision(vision, {known, names.vision}, {known, names.projector}); },
             config.vision);
  std::vector<std::string> unknown;
  for (const std::string& name : tensors.names()) {
    const bool is_buffer = name.ends_with(".rotary_emb.inv_freq") || name.ends_with(".embeddings.position_ids");
    if (!is_buffer && !known.contains(name)) unknown.push_back(name);
  }
  if (unknown.empty()) return;
  const std::size_t others = unknown.size() - 1;
  luq::fail(luq::errc::corrupt_file, source, ": tensor ", luq::detail::in_quotes(unknown.front()),
            others == 0 ? "" : " and " + std::to_string(others) + " others",
            ": expected none, since the model that config.json describes has no such tensor");
}

}  // namespace

checkpoint_names find_checkpoint_names(const luq::checkpoint& tensors, const model_config& config,
                                       const std::string& source) {
  const named_parts parts = std::visit([](const auto& vision) { return parts_of(vision); }, config.vision);
  checkpoint_names names;
  names.decoder = find_prefix(tensors, source, parts.decoder);
  names.vision = find_prefix(tensors, source, parts.vision);
  names.projector = find_prefix(tensors, source, parts.projector);
  find_embedding_and_head(tensors, parts.head, config.tied_head, names);
  require_known_tensors(tensors, config, names, source);
  return names;
}

}  // namespace vlm
