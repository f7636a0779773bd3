// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A GPTQ checkpoint directory: linears whose codec GPTQ has as its tensors in format v2, other linears of the plan
// decoded to F16, all other tensors as the model stores them, config.json with a quantization_config, and the model's
// other small files. Modules that are dense are named by rules, for loaders would take them for quantized.
#include <fstream>
#include <iostream>
#include <iterator>
#include <luq/codecs/any_packed_matrix.hpp>
#include <luq/core/error.hpp>
#include <luq/core/half.hpp>
#include <luq/io/files/strict_json.hpp>
#include <luq/io/files/text_file.hpp>
#include <luq/io/gptq/gptq_config_json.hpp>
#include <luq/io/gptq/gptq_plan_config.hpp>
#include <luq/io/gptq/gptq_safetensors.hpp>
#include <luq/io/luq/packed_model.hpp>
#include <luq/io/safetensors/checkpoint.hpp>
#include <luq/io/safetensors/safetensors_writer.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "../engine/checkpoint_names.hpp"
#include "../engine/model_config.hpp"
#include "export.hpp"
#include "export_gptq_names.hpp"
#include "ledger.hpp"

namespace vlm {

namespace {

std::string without_ending(const std::string& tensor) {
  return tensor.substr(0, tensor.rfind('.'));
}

/// The linears of a packed file in place of a checkpoint's.
class gptq_linears {
 public:
  /// @param dense  linears of the plan that are not quantized
  /// @throws luq::error shape_mismatch if the checkpoint has not the plan's linears
  gptq_linears(const luq::packed_model& packed, const luq::checkpoint_shape& shape, const std::set<std::string>& dense)
      : shape_(shape) {
    std::map<std::string, const luq::checkpoint_tensor*> stored;
    for (const luq::checkpoint_tensor& tensor : shape) {
      if (tensor.place.part == luq::model_part::decoder_linear) stored.emplace(tensor.place.name, &tensor);
    }
    const luq::plan& choice = packed.planned();
    for (std::size_t layer = 0; layer < choice.shape.size(); ++layer) {
      for (std::size_t i = 0; i < choice.shape[layer].size(); ++i) {
        const luq::linear_shape& linear = choice.shape[layer][i];
        const auto found = stored.find(linear.name + ".weight");
        if (found == stored.end() || found->second->shape != std::vector<luq::index>{linear.rows, linear.cols}) {
          luq::fail(luq::errc::shape_mismatch, packed.file().source(), ": linear ", linear.name, ", ", linear.rows,
                    " x ", linear.cols, ": the model has no weight of that name and shape");
        }
        (dense.contains(linear.name) ? dense_ : quantized_).emplace(found->second->name, &packed.layers()[layer][i]);
      }
    }
  }

  [[nodiscard]] std::size_t quantized() const { return quantized_.size(); }
  [[nodiscard]] std::size_t dense() const { return dense_.size(); }

  /// @return bytes of the file
  std::uintmax_t write(const std::filesystem::path& file, const luq::checkpoint& model) const {
    std::vector<luq::tensor_declaration> declarations;
    for (const luq::checkpoint_tensor& tensor : shape_) {
      const std::string name = name_in_memory(tensor);
      if (const auto linear = quantized_.find(tensor.name); linear != quantized_.end()) {
        const luq::gptq_settings settings = *luq::gptq_settings_of(codec_of(*linear->second));
        const auto four = luq::gptq_declarations(without_ending(name), settings.bits, tensor.shape[0], tensor.shape[1],
                                                 settings.group);
        declarations.insert(declarations.end(), four.begin(), four.end());
      } else {
        const luq::tensor_dtype stored = model.info(tensor.name).dtype;
        declarations.push_back({name, dense_.contains(tensor.name) ? luq::tensor_dtype::f16 : stored, tensor.shape});
      }
    }
    luq::safetensors_writer writer(file, std::move(declarations), {{"format", "pt"}});
    for (const luq::checkpoint_tensor& tensor : shape_) {
      const std::string name = name_in_memory(tensor);
      if (const auto linear = quantized_.find(tensor.name); linear != quantized_.end()) {
        write_quantized(writer, without_ending(name), *linear->second);
      } else if (const auto decoded = dense_.find(tensor.name); decoded != dense_.end()) {
        write_decoded(writer, name, *decoded->second);
      } else {
        writer.write(name, model.bytes(tensor.name));
      }
    }
    writer.commit();
    return std::filesystem::file_size(file);
  }

 private:
  static void write_quantized(luq::safetensors_writer& writer, const std::string& module,
                              const luq::any_packed_matrix& packed) {
    const luq::gptq_tensors tensors = luq::make_gptq_tensors(packed, luq::gptq_format::v2, module);
    for (const luq::tensor_source& source : luq::gptq_tensor_sources(module, tensors)) {
      writer.write(source.declaration.name, source.data);
    }
  }

  static void write_decoded(luq::safetensors_writer& writer, const std::string& name,
                            const luq::any_packed_matrix& packed) {
    const luq::matrix W = luq::decode(packed);
    std::vector<luq::half> values;
    values.reserve(static_cast<std::size_t>(W.size()));
    for (luq::index i = 0; i < W.size(); ++i) values.emplace_back(W.data()[i]);
    writer.write(name, std::as_bytes(std::span(values)));
  }

  using by_tensor = std::map<std::string, const luq::any_packed_matrix*>;  // names are the checkpoint's

  const luq::checkpoint_shape& shape_;
  by_tensor quantized_;
  by_tensor dense_;
};

/// Linears of the plan that the tensors of GPTQ cannot hold.
std::set<std::string> dense_linears(const std::vector<luq::export_finding>& findings) {
  std::set<std::string> names;
  for (const luq::export_finding& finding : findings) names.insert(finding.modules.begin(), finding.modules.end());
  return names;
}

/// Linears that no plan is about, as they are called in memory but for the "model." before all.
std::vector<std::string> other_linears(const luq::checkpoint_shape& shape) {
  std::vector<std::string> names;
  for (const luq::checkpoint_tensor& tensor : shape) {
    const bool has_linears =
        tensor.place.part == luq::model_part::vision || tensor.place.part == luq::model_part::projector;
    if (!has_linears || !tensor.is_weight_matrix() || !tensor.name.ends_with(".weight")) continue;
    names.push_back(without_ending(name_in_memory(tensor)).substr(6));
  }
  return names;
}

luq::gptq_config make_config(const luq::plan& choice, const luq::checkpoint_shape& shape,
                             const std::set<std::string>& dense) {
  std::vector<std::string> modules = other_linears(shape);
  modules.insert(modules.end(), dense.begin(), dense.end());
  luq::gptq_config config = luq::make_gptq_config(choice, luq::gptq_format::v2, modules);
  for (luq::gptq_rule& rule : config.dynamic) {
    rule.pattern = luq::module_pattern(pattern_of_every_engine(rule.pattern.text()));
  }
  return config;
}

void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& value) {
  luq::write_text_file(file, value.dump(2) + "\n");
}

/// The model's config.json, its keys in their order.
nlohmann::ordered_json read_config(const std::filesystem::path& file) {
  if (!luq::read_strict_json(file).is_object()) {
    luq::fail(luq::errc::corrupt_file, file.string(), ": expected an object");
  }
  std::ifstream stream(file, std::ios::binary);
  return nlohmann::ordered_json::parse(std::string{std::istreambuf_iterator<char>(stream), {}});
}

/// The head that is written is the model's, also for loaders that take `tie_word_embeddings` at its word and look for
/// no head.
void untie_head(nlohmann::ordered_json& description) {
  const auto untie = [](nlohmann::ordered_json& section) {
    if (section.contains("tie_word_embeddings")) section["tie_word_embeddings"] = false;
  };
  untie(description);
  if (description.contains("text_config")) untie(description["text_config"]);
}

/// Tokenizers, templates, settings of processors and of generation.
void copy_small_files(const std::filesystem::path& from, const std::filesystem::path& to) {
  const std::set<std::string> kinds{".json", ".txt", ".model", ".jinja"};
  for (const auto& file : std::filesystem::directory_iterator(from)) {
    const std::string name = file.path().filename().string();
    if (!file.is_regular_file() || !kinds.contains(file.path().extension().string())) continue;
    if (name == "config.json" || name == "quantize_config.json" || name.ends_with(".index.json")) continue;
    std::filesystem::copy_file(file.path(), to / name);
  }
}

/// Where a directory is filled, beside the place where it will be.
std::filesystem::path partial_directory(const std::filesystem::path& directory) {
  const std::filesystem::path without_slash = directory.has_filename() ? directory : directory.parent_path();
  return without_slash.string() + ".partial";
}

/// Gives a filled directory its name, which none or an empty directory has.
void move_directory(const std::filesystem::path& partial, const std::filesystem::path& directory) {
  std::error_code failure;
  std::filesystem::rename(partial, directory, failure);
  if (failure) {
    luq::fail(luq::errc::io_failure, directory.string(), ": cannot take its name from ", partial.string(), ": ",
              failure.message());
  }
}

void make_partial_directory(const std::filesystem::path& partial) {
  std::error_code failure;
  if (std::filesystem::create_directory(partial, failure)) return;
  if (!failure) failure = std::make_error_code(std::errc::file_exists);
  luq::fail(luq::errc::io_failure, partial.string(), ": cannot be made: ", failure.message());
}

/// Proves before any work that make_directory() can make a directory, by making and removing an empty one.
void require_new_directory(const std::filesystem::path& directory) {
  std::error_code failure;
  const bool is_new = !std::filesystem::exists(directory, failure);
  const bool is_empty = !failure && std::filesystem::is_directory(directory) && std::filesystem::is_empty(directory);
  if (directory.empty() || failure || (!is_new && !is_empty)) {
    luq::fail(luq::errc::io_failure, directory.string(), ": expected a new or empty directory");
  }
  const std::filesystem::path partial = partial_directory(directory);
  make_partial_directory(partial);
  try {
    move_directory(partial, directory);
  } catch (...) {
    std::filesystem::remove(partial, failure);
    throw;
  }
  if (is_new) std::filesystem::remove(directory);
}

/// Lets `fill` write into a directory beside this one, which takes its name when all is there.
template <class Fill>
std::uintmax_t make_directory(const std::filesystem::path& directory, const Fill& fill) {
  const std::filesystem::path partial = partial_directory(directory);
  make_partial_directory(partial);
  try {
    const std::uintmax_t bytes = fill(partial);
    move_directory(partial, directory);
    return bytes;
  } catch (...) {
    std::error_code ignored;  // what went wrong first is thrown
    std::filesystem::remove_all(partial, ignored);
    throw;
  }
}

}  // namespace

void export_gptq(const settings& s, const export_options& options) {
  require_new_directory(options.output);
  const luq::packed_model packed(options.packed);
  const luq::checkpoint model(s.model);
  const luq::checkpoint_shape shape = shape_of(model);
  const model_config config_of_model = read_model_config(s.model);
  const checkpoint_names names = find_checkpoint_names(model, config_of_model, s.model.string());
  const luq::plan& choice = packed.planned();
  const std::vector<luq::export_finding> findings = luq::lint_export(choice, luq::export_target::gptq);
  const std::set<std::string> dense = dense_linears(findings);
  const gptq_linears linears(packed, shape, dense);
  const luq::gptq_config config = make_config(choice, shape, dense);
  nlohmann::ordered_json description = read_config(s.model / "config.json");
  if (!names.tied_head) untie_head(description);
  description["quantization_config"] = luq::gptq_config_object(config);

  print_findings(std::cout, "gptq, written as F16", findings);
  std::vector<luq::export_finding> of_vllm = luq::lint_export(choice, luq::export_target::vllm_marlin);
  for (luq::export_finding& finding : of_vllm) {
    std::erase_if(finding.modules, [&](const std::string& module) { return dense.contains(module); });
  }
  std::erase_if(of_vllm, [](const luq::export_finding& finding) { return finding.modules.empty(); });
  print_findings(std::cout, "vllm", of_vllm);
  const std::uintmax_t bytes = make_directory(options.output, [&](const std::filesystem::path& directory) {
    const std::uintmax_t written = linears.write(directory / "model.safetensors", model);
    copy_small_files(s.model, directory);
    write_json(directory / "quantize_config.json", luq::gptq_config_object(config));
    write_json(directory / "config.json", description);
    return written;
  });
  print_written(std::cout, options.output / "model.safetensors", bytes,
                "GPTQ v2 checkpoint, " + std::to_string(linears.quantized()) + " linears quantized and " +
                    std::to_string(linears.dense()) + " decoded to F16, the rest as in " + s.model.string());
}

}  // namespace vlm
