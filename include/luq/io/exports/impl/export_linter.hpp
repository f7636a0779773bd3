// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The definitions of luq/io/exports/export_linter.hpp.
//
// IWYU pragma: private, include "luq/io/exports/export_linter.hpp"
#pragma once

#include "luq/io/exports/export_linter.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

#include "luq/codecs/any_codec.hpp"
#include "luq/core/compiled.hpp"
#include "luq/core/index.hpp"
#include "luq/io/exports/detail/export_forms.hpp"
#include "luq/io/gptq/detail/fused_linears.hpp"

namespace luq {

namespace detail {

/// Collects findings; those that say the same of several linears become one.
class export_findings {
 public:
  void add(export_problem problem, const std::string& module, const std::string& demand, const std::string& remedy) {
    const auto same = std::find_if(list_.begin(), list_.end(), [&](const export_finding& f) {
      return f.problem == problem && f.demand == demand && f.remedy == remedy;
    });
    if (same != list_.end()) {
      same->modules.push_back(module);
    } else {
      list_.push_back({problem, {module}, demand, remedy});
    }
  }

  [[nodiscard]] std::vector<export_finding> take() { return std::move(list_); }

 private:
  std::vector<export_finding> list_;
};

[[nodiscard]] inline bool divides(const export_form& form, const linear_shape& linear) {
  return linear.cols % form.inputs == 0 && linear.cols % form.group == 0 && linear.rows % form.outputs == 0;
}

/// "multiples of 32 inputs and 32 outputs, got 1280 x 3420".
[[nodiscard]] inline std::string divisibility_text(const export_form& form, const linear_shape& linear) {
  const index inputs = (std::max)(form.inputs, form.group);  // one divides the other
  return "multiples of " + std::to_string(inputs) + " inputs" +
         (form.outputs == 1 ? "" : " and " + std::to_string(form.outputs) + " outputs") + ", got " +
         std::to_string(linear.rows) + " x " + std::to_string(linear.cols);
}

/// The codec of each linear at the target after all remedies; none for those that become dense.
using exported_codecs = std::unordered_map<std::string, std::optional<any_codec>>;

inline void lint_fused_linears(const std::vector<std::string>& names, const exported_codecs& codecs,
                               export_findings& findings) {
  const auto codec_text = [](const std::optional<any_codec>& codec) { return codec ? codec_name(*codec) : "dense"; };
  for (const fused_linears& group : find_fused_linears(names)) {
    std::optional<any_codec> best = codecs.at(group.present.front());
    std::string states;
    bool is_uniform = group.missing.empty();
    bool has_dense = !group.missing.empty();
    for (const std::string& name : group.present) {
      const std::optional<any_codec>& codec = codecs.at(name);
      states += (states.empty() ? "" : ", ") + name.substr(name.rfind('.') + 1) + " " + codec_text(codec);
      is_uniform = is_uniform && codec == codecs.at(group.present.front());
      has_dense = has_dense || !codec;
      if (codec && best && nominal_bits(*codec) > nominal_bits(*best)) best = codec;
    }
    if (is_uniform) continue;
    for (const std::string& name : group.missing)
      states += ", " + name.substr(name.rfind('.') + 1) + " not in the plan";
    const std::string demand = "vLLM loads them as one " + group.name.substr(group.name.rfind('.') + 1) +
                               ", which must be coded alike, got " + states;
    const std::string remedy = has_dense ? "keep them dense (F16)" : "quantize all of them as " + codec_text(best);
    for (const std::string& name : group.present) findings.add(export_problem::fused, name, demand, remedy);
  }
}

}  // namespace detail

LUQ_INLINE std::vector<export_finding> lint_export(const plan& p, export_target target) {
  require_consistent(p);
  detail::export_findings findings;
  detail::exported_codecs codecs;
  std::vector<std::string> names;
  for (std::size_t layer = 0; layer < p.shape.size(); ++layer) {
    const recipe& how = p.recipes[layer];
    // llama-quantize codes anew, from the weights as they are.
    const bool is_transformed = how.transform != transform_method::none && target != export_target::llama_quantize;
    any_codec codec = how.codec;
    std::optional<detail::export_form> form = detail::form_of(target, codec);
    const bool has_form = form.has_value();
    if (!has_form) {
      codec = detail::nearest_codec(target, codec);
      form = detail::form_of(target, codec);
    }
    for (const linear_shape& linear : p.shape[layer]) {
      if (is_transformed) {
        findings.add(export_problem::codec, linear.name,
                     recipe_name(how) + ": inputs are transformed, as no target knows",
                     "quantize them without a transform");
      }
      if (!has_form) {
        findings.add(export_problem::codec, linear.name, codec_name(how.codec) + ": " + detail::accepted_codecs(target),
                     target == export_target::llama_quantize ? "list them as " + form->name
                                                             : "quantize them as " + codec_name(codec));
      }
      const bool fits = detail::divides(*form, linear);
      if (!fits) {
        findings.add(export_problem::shape, linear.name,
                     codec_name(codec) + " as " + form->name + " needs " + detail::divisibility_text(*form, linear),
                     form->otherwise);
      }
      names.push_back(linear.name);
      codecs.emplace(linear.name, fits ? std::optional(codec) : std::nullopt);
    }
  }
  if (target == export_target::vllm_gptq || target == export_target::vllm_marlin) {
    detail::lint_fused_linears(names, codecs, findings);
  }
  return findings.take();
}

}  // namespace luq
