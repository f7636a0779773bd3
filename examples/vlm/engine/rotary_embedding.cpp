// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "rotary_embedding.hpp"

#include <array>
#include <cmath>
#include <luq/core/assert.hpp>
#include <numbers>

namespace vlm {

namespace {

/// The blend of llama3: frequency_i by its number of turns in the original context.
float stretched_llama3(const rotary_config& config, float frequency) {
  const auto factor = static_cast<float>(config.factor);
  const auto low = static_cast<float>(config.low_frequency_factor);
  const auto high = static_cast<float>(config.high_frequency_factor);
  const float wavelength = 2.0f * std::numbers::pi_v<float> / frequency;
  const float turns = static_cast<float>(config.original_positions) / wavelength;
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const float kept = (turns - low) / (high - low);
  return (1.0f - kept) * frequency / factor + kept * frequency;
}

}  // namespace

Eigen::RowVectorXf rotary_frequencies(const rotary_config& config, luq::index head_dim) {
  LUQ_ASSERT(head_dim > 0 && head_dim % 2 == 0);
  Eigen::RowVectorXf frequencies(head_dim / 2);
  for (luq::index i = 0; i < frequencies.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(head_dim);
    const float frequency = 1.0f / std::pow(static_cast<float>(config.theta), exponent);
    switch (config.scaling) {
      case rotary_scaling::none:
        frequencies[i] = frequency;
        break;
      case rotary_scaling::linear:
        frequencies[i] = frequency / static_cast<float>(config.factor);
        break;
      case rotary_scaling::llama3:
        frequencies[i] = stretched_llama3(config, frequency);
        break;
    }
  }
  return frequencies;
}

rotary_pairs make_rotary_pairs(const rotary_config& config, luq::index head_dim) {
  rotary_pairs pairs{rotary_frequencies(config, head_dim), {}};
  const auto count = static_cast<std::size_t>(pairs.frequencies.size());
  constexpr std::array axes{position_axis::time, position_axis::height, position_axis::width};
  for (std::size_t section = 0; section < config.sections.size(); ++section) {
    pairs.axes.insert(pairs.axes.end(), static_cast<std::size_t>(config.sections[section]),
                      axes[section % axes.size()]);
  }
  LUQ_ASSERT(pairs.axes.empty() || pairs.axes.size() == count);
  pairs.axes.resize(count, position_axis::time);
  return pairs;
}

rotary_table::rotary_table(const rotary_pairs& pairs, std::span<const token_position> positions)
    : cosines_(static_cast<luq::index>(positions.size()), pairs.frequencies.size()),
      sines_(cosines_.rows(), cosines_.cols()) {
  LUQ_ASSERT(static_cast<luq::index>(pairs.axes.size()) == pairs.frequencies.size());
  for (luq::index t = 0; t < cosines_.rows(); ++t) {
    for (luq::index i = 0; i < cosines_.cols(); ++i) {
      const position_axis axis = pairs.axes[static_cast<std::size_t>(i)];
      const auto position = static_cast<float>(on_axis(positions[static_cast<std::size_t>(t)], axis));
      cosines_(t, i) = std::cos(position * pairs.frequencies[i]);
      sines_(t, i) = std::sin(position * pairs.frequencies[i]);
    }
  }
}

void rotary_table::rotate(luq::mutable_matrix_view X) const {
  const luq::index half = cosines_.cols();
  LUQ_ASSERT(X.rows() == cosines_.rows() && X.cols() % (2 * half) == 0);
  for (luq::index t = 0; t < X.rows(); ++t) {
    for (luq::index begin = 0; begin < X.cols(); begin += 2 * half) {
      float* const first = &X(t, begin);
      float* const second = first + half;
      for (luq::index i = 0; i < half; ++i) {
        const float a = first[i];
        const float b = second[i];
        first[i] = a * cosines_(t, i) - b * sines_(t, i);
        second[i] = b * cosines_(t, i) + a * sines_(t, i);
      }
    }
  }
}

}  // namespace vlm
