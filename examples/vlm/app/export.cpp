// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "export.hpp"

#include <algorithm>
#include <luq/core/error.hpp>
#include <luq/io/files/output_check.hpp>
#include <ostream>
#include <string>

#include "model_files.hpp"

namespace vlm {

namespace {

/// Options that only some targets have.
struct export_input {
  const char* option;
  bool is_given;
  std::vector<std::string_view> needed_by;
  std::vector<std::string_view> taken_by;  ///< besides
};

void require_inputs(const export_options& options) {
  const std::vector<std::string_view> plans{"tensor-type-file", "custom-q"};
  const std::vector<export_input> inputs{{"--plan", !options.plan_file.empty(), plans, {}},
                                         {"--type", !options.types.empty(), {}, plans},
                                         {"--packed", !options.packed.empty(), {"gguf", "gptq"}, {}},
                                         {"--like", !options.like.empty(), {}, {"gguf"}}};
  for (const export_input& input : inputs) {
    const bool is_needed = std::ranges::find(input.needed_by, options.target) != input.needed_by.end();
    const bool is_taken = is_needed || std::ranges::find(input.taken_by, options.target) != input.taken_by.end();
    if (is_needed && !input.is_given) {
      luq::fail(luq::errc::invalid_argument, "export --to ", options.target, ": expected ", input.option);
    }
    if (input.is_given && !is_taken) {
      luq::fail(luq::errc::invalid_argument, "export --to ", options.target, ": ", input.option, " is not used");
    }
  }
}

/// Of targets that are a file.
void require_output(const settings& s, const export_options& options) {
  std::vector<std::filesystem::path> inputs;
  for (const auto& input : {options.plan_file, options.packed, options.like}) {
    if (!input.empty()) inputs.push_back(input);
  }
  if (options.target == "imatrix") inputs.push_back(s.calibration);
  if (options.target == "imatrix" || options.target == "gguf") {
    const std::vector<std::filesystem::path> model = model_files(s.model);
    inputs.insert(inputs.end(), model.begin(), model.end());
  }
  luq::require_outputs(std::array{options.output}, inputs);
}

}  // namespace

void print_findings(std::ostream& out, std::string_view target, const std::vector<luq::export_finding>& findings) {
  for (const luq::export_finding& finding : findings) {
    out << target << ": " << finding.modules.front();
    if (finding.modules.size() > 1) out << " and " << std::to_string(finding.modules.size() - 1) << " more";
    out << ": " << finding.demand << "; " << finding.remedy << "\n";
  }
}

void print_written(std::ostream& out, const std::filesystem::path& path, std::uintmax_t bytes,
                   const std::string& content) {
  out << path.string() << ": " << std::to_string(bytes) << " bytes: " << content << "\n";
}

void run_export(const settings& s, const export_options& options, luq::progress_observer* progress) {
  require_inputs(options);
  if (options.target == "gptq") return export_gptq(s, options);
  require_output(s, options);
  if (options.target == "imatrix") return export_imatrix(s, options, progress);
  if (options.target == "gguf") return export_gguf(s, options);
  export_llama_quantize_plan(options);
}

}  // namespace vlm
