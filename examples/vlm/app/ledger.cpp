// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "ledger.hpp"

#include <algorithm>
#include <cctype>
#include <luq/core/error.hpp>
#include <luq/io/gguf/ggml_type.hpp>
#include <luq/models/published_checkpoints.hpp>
#include <nlohmann/json.hpp>

#include "pipeline.hpp"

namespace vlm {

namespace {

std::optional<luq::weight_storage> parse_part(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return parse_storage(text);
}

luq::part_storage parse_parts(const ledger_options& options) {
  return {parse_part(options.norms), parse_part(options.embedding), parse_part(options.head),
          parse_part(options.projector), parse_part(options.vision)};
}

std::string gib(luq::index bytes) {
  return fixed(static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0), 3);
}

/// Share of the rival's bytes that is saved.
double saved(const luq::ledger_line& line, const luq::ledger_line& rival) {
  return 1 - static_cast<double>(line.bytes) / static_cast<double>(rival.bytes);
}

std::vector<std::string> cells(const luq::ledger_line& line) {
  return {line.module,
          line.stored,
          line.layers > 0 ? std::to_string(line.layers) : "",
          std::to_string(line.tensors),
          std::to_string(line.parameters),
          std::to_string(line.bytes),
          gib(line.bytes),
          fixed(line.nominal_bits(), 2),
          fixed(line.true_bits(), 3)};
}

nlohmann::ordered_json json_of(const luq::ledger_line& line) {
  nlohmann::ordered_json result{{"module", line.module}};
  if (!line.stored.empty()) result["stored"] = line.stored;
  if (line.layers > 0) result["layers"] = line.layers;
  result.update(nlohmann::ordered_json{{"tensors", line.tensors},
                                       {"parameters", line.parameters},
                                       {"bytes", line.bytes},
                                       {"nominal_bits", line.nominal_bits()},
                                       {"true_bits", line.true_bits()}});
  return result;
}

nlohmann::ordered_json json_of(const luq::ledger& bytes) {
  nlohmann::ordered_json modules = nlohmann::ordered_json::array();
  for (const luq::ledger_line& line : bytes.lines) modules.push_back(json_of(line));
  nlohmann::ordered_json sums = nlohmann::ordered_json::array();
  for (const auto* sum : {&bytes.decoder_linears, &bytes.decoder, &bytes.language_model, &bytes.whole_model}) {
    sums.push_back(json_of(*sum));
  }
  return {{"modules", modules}, {"sums", sums}};
}

}  // namespace

luq::index ledger_subject::layers() const {
  return static_cast<luq::index>(luq::decoder_linears_of(shape).size());
}

luq::checkpoint_shape shape_of(const luq::checkpoint& tensors) {
  using enum luq::tensor_dtype;
  luq::checkpoint_shape result;
  for (const std::string& name : tensors.names()) {
    const luq::tensor_info& info = tensors.info(name);
    if (info.dtype != f16 && info.dtype != bf16 && info.dtype != f32 && info.dtype != f64) {
      luq::fail(luq::errc::unsupported, "checkpoint: tensor ", name,
                ": expected F16, BF16, F32 or F64 numbers of a model that is not quantized, got ",
                luq::dtype_name(info.dtype));
    }
    std::string type(luq::dtype_name(info.dtype));
    std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto bytes = static_cast<luq::index>(luq::dtype_bits(info.dtype) / 8);
    result.push_back(luq::make_checkpoint_tensor(name, info.shape, {type, 1, bytes}));
  }
  luq::require_valid(result);
  return result;
}

ledger_subject ledger_subject_by_name(const std::string& name) {
  if (const luq::published_checkpoint* known = luq::find_published_checkpoint(name)) {
    return {name, luq::shape_of(*known), known->low_layers, known->claimed_saving};
  }
  if (!std::filesystem::is_directory(name)) {
    luq::fail(luq::errc::invalid_argument, "shapes \"", name,
              "\": expected llava-1.5-7b, qwen2.5-vl-7b or a model directory");
  }
  ledger_subject result{name, shape_of(luq::checkpoint(name))};
  result.low_layers = result.layers() / 2;
  return result;
}

luq::weight_storage parse_storage(std::string_view text) {
  if (const std::optional<luq::ggml_type> type = luq::parse_ggml_type(text)) {
    const luq::ggml_type_facts facts = *luq::facts_of(*type);
    return luq::block_format{std::string(facts.name), static_cast<luq::index>(facts.block_weights),
                             static_cast<luq::index>(facts.block_bytes)};
  }
  try {
    return luq::parse_recipe(text);
  } catch (const luq::error& e) {
    luq::fail(e.code(), e.what(), "; or a type of ggml such as bf16 or q4_k");
  }
}

ledger_comparison make_ledgers(const ledger_options& options) {
  const luq::weight_storage high = parse_storage(options.high);
  const luq::weight_storage rival = parse_storage(options.rival);
  const luq::part_storage parts = parse_parts(options);
  ledger_comparison result{ledger_subject_by_name(options.shapes), {}, luq::storage_name(rival), {}, 0};
  const luq::checkpoint_shape& shape = result.subject.shape;
  const luq::index layers = result.subject.layers();
  result.saving = options.saving.value_or(result.subject.saving);
  result.rival = luq::make_ledger(shape, luq::first_layers_low(layers, layers, rival, rival), parts);
  if (!options.plan_file.empty()) {
    const luq::plan choice = read_plan(options.plan_file);
    result.plans.push_back({choice.reason, luq::make_ledger(shape, luq::layer_storage(choice, shape), parts), {}});
    return result;
  }
  const luq::index low_layers = options.low_layers.value_or(result.subject.low_layers);
  for (const std::string& name : options.low) {
    const luq::weight_storage low = parse_storage(name);
    const auto bytes_with = [&](luq::index k) {
      return luq::make_ledger(shape, luq::first_layers_low(layers, k, low, high), parts);
    };
    planned_ledger plan{std::to_string(low_layers) + " of " + std::to_string(layers) + " layers " +
                            luq::storage_name(low) + ", others " + luq::storage_name(high),
                        bytes_with(low_layers),
                        {}};
    for (luq::index k = 0; k <= layers && !plan.low_layers_for_saving; ++k) {
      if (saved(bytes_with(k).decoder_linears, result.rival.decoder_linears) >= result.saving) {
        plan.low_layers_for_saving = k;
      }
    }
    result.plans.push_back(std::move(plan));
  }
  return result;
}

table ledger_table(const luq::ledger& bytes) {
  table result{{"module", "stored as", "layers", "tensors", "parameters", "bytes", "GiB", "nominal bits", "true bits"},
               {}};
  for (const luq::ledger_line& line : bytes.lines) result.rows.push_back(cells(line));
  for (const auto* sum : {&bytes.decoder_linears, &bytes.decoder, &bytes.language_model, &bytes.whole_model}) {
    result.rows.push_back(cells(*sum));
  }
  return result;
}

table comparison_table(const ledger_comparison& comparison) {
  table result{{"plan", "nominal bits", "true bits", "bytes of decoder linears", "less", "GiB of language model",
                "less", "GiB of whole model", "less", "low layers for " + percent(comparison.saving) + " less"},
               {}};
  const luq::ledger& rival = comparison.rival;
  const auto add_row = [&](const std::string& name, const luq::ledger& bytes, const std::string& low_layers) {
    result.rows.push_back(
        {name, fixed(bytes.decoder_linears.nominal_bits(), 2), fixed(bytes.decoder_linears.true_bits(), 3),
         std::to_string(bytes.decoder_linears.bytes), percent(saved(bytes.decoder_linears, rival.decoder_linears)),
         gib(bytes.language_model.bytes), percent(saved(bytes.language_model, rival.language_model)),
         gib(bytes.whole_model.bytes), percent(saved(bytes.whole_model, rival.whole_model)), low_layers});
  };
  for (const planned_ledger& plan : comparison.plans) {
    add_row(plan.plan, plan.bytes, plan.low_layers_for_saving ? std::to_string(*plan.low_layers_for_saving) : "-");
  }
  add_row("uniform " + comparison.rival_name, rival, "");
  return result;
}

std::string ledger_json(const ledger_comparison& comparison) {
  nlohmann::ordered_json plans = nlohmann::ordered_json::array();
  for (const planned_ledger& plan : comparison.plans) {
    nlohmann::ordered_json entry{{"plan", plan.plan}};
    entry.update(json_of(plan.bytes));
    entry["saved_of_decoder_linears"] = saved(plan.bytes.decoder_linears, comparison.rival.decoder_linears);
    if (plan.low_layers_for_saving) entry["low_layers_for_saving"] = *plan.low_layers_for_saving;
    plans.push_back(entry);
  }
  nlohmann::ordered_json rival{{"plan", "uniform " + comparison.rival_name}};
  rival.update(json_of(comparison.rival));
  const nlohmann::ordered_json root{
      {"shapes", comparison.subject.name}, {"saving", comparison.saving}, {"plans", plans}, {"rival", rival}};
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);  // a path may be no UTF-8
}

}  // namespace vlm
