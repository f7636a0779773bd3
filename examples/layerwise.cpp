// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The method without a model: entropies of four layers' outputs, made up here, and the plan that they lead to.
#include <cmath>
#include <cstdio>
#include <exception>
#include <luq/luq.hpp>
#include <string>
#include <vector>

namespace {

constexpr luq::index width = 64;
constexpr luq::index tokens = 4000;

/// Outputs whose lengths vary by a factor of about e^spread. Clusters go where outputs are long and rare, so that the
/// many short ones share a cluster: the greater the spread, the lower the entropy.
luq::matrix made_up_outputs(double spread, std::uint64_t layer) {
  luq::matrix X = luq::random_normal_matrix(tokens, width, luq::counter_rng(layer, 1));
  const luq::counter_rng length(layer, 2);
  for (luq::index t = 0; t < tokens; ++t) {
    X.row(t) *= static_cast<float>(std::exp(spread * length.normal(static_cast<std::uint64_t>(t))));
  }
  return X;
}

}  // namespace

int main() try {
  luq::model_shape shape;
  std::vector<double> entropies;
  for (const double spread : {0.5, 1.5, 0.2, 1.0}) {
    const std::size_t layer = shape.size();
    luq::activation_entropy entropy(width);
    const luq::matrix X = made_up_outputs(spread, layer);                          // [tokens x width], from your model
    const std::vector<luq::token_class> classes(tokens, luq::token_class::image);  // text, image or padding
    entropy.add(X, classes, /*sequence=*/0);
    const luq::entropy_estimate estimate = entropy.estimate().all;
    std::printf("layer %zu: %.2f bits, 95 %% interval %.2f to %.2f\n", layer, estimate.bits, estimate.low,
                estimate.high);
    entropies.push_back(estimate.bits);
    shape.push_back({{"layers." + std::to_string(layer) + ".up", 256, 128},
                     {"layers." + std::to_string(layer) + ".down", 128, 256}});
  }

  const luq::prefix_policy policy{.shape = shape,
                                  .order = luq::lowest_entropy_first(entropies),
                                  .low = luq::parse_recipe("sign:g128"),
                                  .high = luq::parse_recipe("int4:g128"),
                                  .order_name = "lowest entropy first"};
  const luq::plan plan = luq::plan_within_bits(policy, 3.0);  // true bits, everything counted
  for (std::size_t layer = 0; layer < plan.recipes.size(); ++layer) {
    std::printf("layer %zu: %s, %td bytes\n", layer, luq::recipe_name(plan.recipes[layer]).c_str(),
                luq::layer_bytes(plan, layer));
  }
  std::printf("%.3f true bits a weight, %.2f nominal\n", luq::average_bits(plan), luq::average_nominal_bits(plan));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "layerwise: %s\n", error.what());
  return 1;
}
