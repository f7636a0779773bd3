// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <luq/core/error.hpp>
#include <luq/io/files/text_file.hpp>
#include <luq/io/llama_cpp/llama_quantize_types.hpp>
#include <set>

#include "export.hpp"
#include "pipeline.hpp"

namespace vlm {

namespace {

/// CODEC=TYPE; a codec in any form that parse_codec() reads.
luq::llama_cpp_types read_types(const std::vector<std::string>& texts) {
  luq::llama_cpp_types types;
  for (const std::string& text : texts) {
    const std::size_t separator = text.find('=');
    if (separator == std::string::npos) {
      luq::fail(luq::errc::invalid_argument, "--type: expected CODEC=TYPE, got ", text);
    }
    types[luq::codec_name(luq::parse_codec(text.substr(0, separator)))] = text.substr(separator + 1);
  }
  return types;
}

/// Findings worth printing: those about codecs that llama-quantize replaces by an approximate type. Exact types need no
/// warning, and types given by --type are the user's decision.
std::vector<luq::export_finding> findings_of(const luq::plan& choice, const luq::llama_cpp_types& chosen,
                                             const luq::llama_cpp_types& given) {
  std::set<std::string> replaced;
  for (std::size_t layer = 0; layer < choice.shape.size(); ++layer) {
    const std::string codec = luq::codec_name(choice.recipes[layer].codec);
    if (!chosen.contains(codec) || given.contains(codec)) continue;
    for (const luq::linear_shape& linear : choice.shape[layer]) replaced.insert(linear.name);
  }
  std::vector<luq::export_finding> findings = luq::lint_export(choice, luq::export_target::llama_quantize);
  std::erase_if(findings, [&](const auto& finding) { return !replaced.contains(finding.modules.front()); });
  return findings;
}

}  // namespace

void export_llama_quantize_plan(const export_options& options) {
  const luq::plan choice = read_plan(options.plan_file);
  const luq::llama_cpp_types given = read_types(options.types);
  const luq::llama_cpp_types types = luq::llama_quantize_types(choice, given);
  const bool is_file = options.target == "tensor-type-file";
  const std::string text =
      is_file ? luq::llama_cpp_tensor_type_file(choice, types) : luq::ik_llama_cpp_custom_q(choice, types) + "\n";
  print_findings(std::cout, "llama-quantize", findings_of(choice, types, given));
  luq::write_text_file(options.output, text);

  std::set<std::string> chosen;
  std::size_t tensors = 0;
  for (const luq::llama_cpp_choice& tensor : luq::llama_cpp_choices(choice, types)) {
    chosen.insert(tensor.type);
    ++tensors;
  }
  std::string content = "types of " + std::to_string(tensors) + " tensors:";
  for (const std::string& type : chosen) content += " " + type;
  print_written(std::cout, options.output, text.size(), content);
}

}  // namespace vlm
