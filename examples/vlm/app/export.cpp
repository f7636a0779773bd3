// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "export.hpp"

#include <algorithm>
#include <luq/core/error.hpp>
#include <ostream>
#include <string>

#include "output_folder.hpp"

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
  require_folder_of(options.output);
  if (options.target == "imatrix") return export_imatrix(s, options, progress);
  if (options.target == "gguf") return export_gguf(s, options);
  if (options.target == "gptq") return export_gptq(s, options);
  export_llama_quantize_plan(options);
}

}  // namespace vlm
