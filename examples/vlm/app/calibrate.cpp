// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "calibrate.hpp"

#include <algorithm>
#include <luq/estimators/norm_weights.hpp>

#include "error_place.hpp"

namespace vlm {

namespace {

/// Sequences whose activations are held at once: enough for every thread to have one, few enough for large models.
constexpr luq::index sequences_at_once = 8;

/// Keeps a copy of the activations of one forward pass.
class recorder : public layer_observer {
 public:
  explicit recorder(luq::index layers)
      : inputs_(static_cast<std::size_t>(layers)), outputs_(static_cast<std::size_t>(layers)) {}

  void on_linear_input(luq::index layer, linear_input input, const luq::matrix_view& X,
                       std::span<const luq::token_class>) override {
    inputs_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(input)] = X;
  }
  void on_layer_output(luq::index layer, const luq::matrix_view& X, std::span<const luq::token_class>) override {
    outputs_[static_cast<std::size_t>(layer)] = X;
  }

  /// Adds what was recorded of a layer to its statistics.
  void add_to(layer_statistics& statistics, std::size_t layer, const token_sequence& tokens, std::uint64_t sequence,
              double norm_clip) const {
    statistics.outputs.add(outputs_[layer], tokens.classes(), sequence);
    for (std::size_t i = 0; i < linear_inputs.size(); ++i) {
      const luq::matrix& X = inputs_[layer][i];
      if (norm_clip == 0) {
        statistics.inputs[i].add(X, tokens.classes());
      } else {
        const std::vector<float> weights = luq::norm_weights(X, tokens.classes(), norm_clip);
        statistics.inputs[i].add(X, std::span<const float>(weights));
      }
    }
  }

 private:
  std::vector<std::array<luq::matrix, linear_inputs.size()>> inputs_;
  std::vector<luq::matrix> outputs_;
};

}  // namespace

calibration calibrate(const vision_language_model& model, const calibration_set& set,
                      const std::vector<calibration_sequence>& sequences, const calibration_options& options,
                      const luq::openmp_executor& executor, luq::progress_observer* progress) {
  const text_config& shape = model.config().text;
  const luq::index attention_width = shape.heads * shape.head_dim;
  calibration result;
  for (luq::index layer = 0; layer < shape.layers; ++layer) {
    result.layers.push_back({luq::activation_entropy(shape.hidden_size, options.entropy),
                             {luq::hessian(shape.hidden_size), luq::hessian(attention_width),
                              luq::hessian(shape.hidden_size), luq::hessian(shape.intermediate_size)}});
  }

  luq::progress_scope scope(progress, "calibration sequences", sequences.size());
  const auto count = static_cast<luq::index>(sequences.size());
  for (luq::index first = 0; first < count; first += sequences_at_once) {
    const luq::index held = std::min(sequences_at_once, count - first);
    std::vector<token_sequence> tokens;
    std::vector<recorder> records(static_cast<std::size_t>(held), recorder(shape.layers));
    for (luq::index i = 0; i < held; ++i) {
      const auto& sequence = sequences[static_cast<std::size_t>(first + i)];
      tokens.push_back(at_place(place_of(set, sequence), [&] {
        return token_sequence(sequence.ids, sequence.valid, model.config().image_token);
      }));
      for (const luq::token_class kind : tokens.back().classes()) {
        result.text_tokens += kind == luq::token_class::text ? 1 : 0;
        result.image_tokens += kind == luq::token_class::image ? 1 : 0;
      }
    }
    executor.parallel_for(held, [&](luq::index i) {
      const auto& sequence = sequences[static_cast<std::size_t>(first + i)];
      at_place(place_of(set, sequence), [&] {
        encoded_images features;
        if (sequence.image >= 0) features = model.image_features(set.images[static_cast<std::size_t>(sequence.image)]);
        kv_cache cache = model.make_cache();
        const sequence_step step{&tokens[static_cast<std::size_t>(i)], &features, &cache};
        model.forward({&step, 1}, logits_of::no_token, &records[static_cast<std::size_t>(i)]);
      });
    });
    // Each layer takes the sequences in their order, so that sums do not depend on the number of threads.
    executor.parallel_for(shape.layers, [&](luq::index layer) {
      for (luq::index i = 0; i < held; ++i) {
        at_place(place_of(set, sequences[static_cast<std::size_t>(first + i)]), [&] {
          records[static_cast<std::size_t>(i)].add_to(
              result.layers[static_cast<std::size_t>(layer)], static_cast<std::size_t>(layer),
              tokens[static_cast<std::size_t>(i)], static_cast<std::uint64_t>(first + i), options.norm_clip);
        });
      }
    });
    scope.advance(static_cast<std::uint64_t>(held));
  }
  result.sequences = count;
  return result;
}

}  // namespace vlm
