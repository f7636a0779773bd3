// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "export_gptq_names.hpp"

namespace vlm {

std::string name_in_memory(const luq::checkpoint_tensor& tensor) {
  const std::string& name = tensor.name;
  const std::string decoder = "model.language_model.";
  const std::string rest = name.starts_with("model.") ? name.substr(6) : name;
  const std::string tower = "vision_tower.";
  const std::string inner = tower + "vision_model.";
  switch (tensor.place.part) {
    case luq::model_part::decoder_linear:
    case luq::model_part::decoder_vector:
      if (!tensor.place.layer) return decoder + name.substr(name.rfind("norm."));
      return decoder + tensor.place.name.substr(6);
    case luq::model_part::embedding:
      return decoder + name.substr(name.rfind("embed_tokens."));
    case luq::model_part::head:
      return name.substr(name.rfind("lm_head."));
    case luq::model_part::projector:
      break;
    case luq::model_part::vision:
      if (rest.starts_with(inner)) return "model." + tower + rest.substr(inner.size());
      break;
  }
  return "model." + rest;
}

std::string pattern_of_every_engine(const std::string& pattern) {
  const std::string of_decoder = R"(^model\.layers\.)";
  const std::string of_tower = R"(^vision_tower\.)";
  if (pattern.starts_with(of_decoder)) {
    return R"(^(?:model|language_model\.model|model\.language_model)\.layers\.)" + pattern.substr(of_decoder.size());
  }
  if (pattern.starts_with(of_tower)) {
    return R"(^(?:model\.)?vision_tower\.(?:vision_model\.)?)" + pattern.substr(of_tower.size());
  }
  return R"(^(?:model\.)?)" + pattern.substr(1);
}

}  // namespace vlm
