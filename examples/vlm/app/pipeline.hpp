// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The steps that the commands of luq-vlm share: entropies of a calibrated model, orders of layers, packed files.
#pragma once

#include <filesystem>
#include <luq/estimators/activation_entropy.hpp>
#include <luq/io/luq/packed_model.hpp>
#include <luq/policy/prefix_scan.hpp>
#include <string>
#include <vector>

#include "../report/document.hpp"
#include "calibrate.hpp"
#include "plan_evaluator.hpp"

namespace vlm {

/// Entropy of every decoder layer.
[[nodiscard]] std::vector<luq::layer_entropy> estimate_entropies(const calibration& statistics,
                                                                 const luq::openmp_executor& executor,
                                                                 luq::progress_observer* progress);

/// The entropies of all tokens, one per layer: the scores that LUQ orders by.
[[nodiscard]] std::vector<double> entropy_scores(const std::vector<luq::layer_entropy>& entropies);

/// An order of layers and its name.
struct named_order {
  std::string name;
  luq::layer_order order;
};

/// Lowest entropy first, then its controls: highest first, depth, and random orders.
[[nodiscard]] std::vector<named_order> orders_to_compare(const std::vector<double>& scores, int random_orders);

/// One of them by its name on the command line: lowest, highest, depth, random or random:SEED.
/// @throws luq::error invalid_argument
[[nodiscard]] named_order order_by_name(const std::string& name, const std::vector<double>& scores);

/// What a uniform high decoder leaves of its bytes when this share of them is saved, rounded down.
[[nodiscard]] luq::index bytes_after_saving(const luq::prefix_policy& policy, double saving);

/// The entropies as a table, one row per layer.
[[nodiscard]] table entropy_table(const std::vector<luq::layer_entropy>& entropies);

/// A plan as a table, one row per layer.
[[nodiscard]] table plan_table(const luq::plan& choice);

/// The linears some of whose inputs were zero for every token of calibration, so that their weights are zero (or as
/// near to it as the codec can come), one row per linear.
[[nodiscard]] table dead_input_table(const quantized_decoder& decoder);

/// Accuracy by kind of question.
[[nodiscard]] table accuracy_table(const question_set& questions, const accuracy& result);

/// The plan of a JSON file.
/// @throws luq::error io_failure, or as luq::plan_from_json
[[nodiscard]] luq::plan read_plan(const std::filesystem::path& path);

/// Writes the decoder of a plan, and all other tensors of the model directory as they are, as one packed file.
/// @return its size, as the plan predicts it
luq::packed_model_size write_planned_model(const std::filesystem::path& file,
                                           const std::filesystem::path& model_directory, const luq::plan& choice,
                                           const std::vector<const quantized_decoder*>& decoders);

/// A copy of `model` whose decoder linears are the packed ones of a file.
/// @throws luq::error shape_mismatch if the file was made for another model
[[nodiscard]] vision_language_model with_packed_decoder(const vision_language_model& model,
                                                        const luq::packed_model& file);

/// A percentage with one decimal.
[[nodiscard]] std::string percent(double share);

}  // namespace vlm
