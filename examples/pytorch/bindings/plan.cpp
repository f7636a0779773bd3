// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Orders of layers, policies and plans.
#include <nanobind/operators.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <luq/core/is_finite.hpp>
#include <luq/io/luq/plan_json.hpp>
#include <luq/policy/prefix_scan.hpp>
#include <string>
#include <vector>

#include "bindings.hpp"

namespace luq_python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

std::vector<std::string> recipe_names(const luq::plan& plan) {
  std::vector<std::string> names;
  for (const luq::recipe& how : plan.recipes) names.push_back(luq::recipe_name(how));
  return names;
}

luq::index checked_layer_bytes(const luq::plan& plan, luq::index layer) {
  const auto layers = static_cast<luq::index>(plan.shape.size());
  if (layer < 0 || layer >= layers) {
    luq::fail(luq::errc::invalid_argument, "layer: expected 0 ... ", layers - 1, ", got ", layer);
  }
  return luq::layer_bytes(plan, static_cast<std::size_t>(layer));
}

/// What a uniform high decoder leaves of its bytes when this share of them is saved, rounded down.
luq::plan within_saving(const luq::prefix_policy& policy, double saving) {
  if (!luq::is_finite(saving) || saving < 0 || saving > 1) {
    luq::fail(luq::errc::invalid_argument, "saving: expected a share of 0 ... 1, got ", saving);
  }
  const auto uniform = static_cast<double>(luq::total_bytes(luq::uniform_plan(policy.shape, policy.high)));
  return luq::plan_within_bytes(policy, static_cast<luq::index>((1 - saving) * uniform));
}

void bind_orders(nb::module_& module) {
  module.def(
      "lowest_entropy_first", [](const std::vector<double>& entropies) { return luq::lowest_entropy_first(entropies); },
      "entropies"_a, "LUQ's order: layers by rising entropy, ties in order of depth.");
  module.def(
      "highest_entropy_first",
      [](const std::vector<double>& entropies) { return luq::highest_entropy_first(entropies); }, "entropies"_a,
      "The reverse of LUQ's order.");
  module.def(
      "random_order",
      [](luq::index layers, std::uint64_t seed) {
        if (layers < 0 || layers > luq::most_weights) {
          luq::fail(luq::errc::invalid_argument, "layers: expected a count, got ", layers);
        }
        return luq::random_order(layers, seed);
      },
      "layers"_a, "seed"_a, "A uniformly random order, the same for the same seed everywhere.");
}

void bind_plans(nb::module_& module) {
  nb::class_<luq::linear_shape>(module, "LinearShape", "A weight matrix [rows x cols] and its name.")
      .def(
          "__init__",
          [](luq::linear_shape* self, std::string name, luq::index rows, luq::index cols) {
            new (self) luq::linear_shape{std::move(name), rows, cols};
          },
          "name"_a, "rows"_a, "cols"_a)
      .def_ro("name", &luq::linear_shape::name)
      .def_ro("rows", &luq::linear_shape::rows)
      .def_ro("cols", &luq::linear_shape::cols)
      .def(nb::self == nb::self)
      .def("__repr__", [](const luq::linear_shape& self) {
        return "LinearShape(" + self.name + ", " + std::to_string(self.rows) + " x " + std::to_string(self.cols) + ")";
      });

  nb::class_<luq::plan>(module, "Plan", "Which recipe each decoder layer gets, and what that occupies.")
      .def_static(
          "uniform",
          [](const luq::model_shape& shape, const std::string& recipe) {
            return luq::uniform_plan(shape, luq::parse_recipe(recipe));
          },
          "shape"_a, "recipe"_a, "Every layer under one recipe. shape: the linears of each layer, LinearShapes.")
      .def_static(
          "from_json",
          [](const std::string& text, const std::string& source) { return luq::plan_from_json(text, source); },
          "text"_a, "source"_a = "plan", "Reads what to_json() writes. source: names the text in messages.")
      .def("to_json", &luq::plan_to_json)
      .def_ro("shape", &luq::plan::shape, "The linears of each layer.")
      .def_prop_ro("recipes", &recipe_names, "The recipe of each layer, in full.")
      .def_ro("reason", &luq::plan::reason, "What chose the recipes.")
      .def_prop_ro("bytes", &luq::total_bytes, "Exact bytes of all linears.")
      .def_prop_ro("bits", &luq::average_bits, "True bits a weight: 8 * bytes / weights.")
      .def_prop_ro("nominal_bits", &luq::average_nominal_bits, "What the literature would call it.")
      .def("layer_bytes", &checked_layer_bytes, "layer"_a, "Exact bytes of one layer.")
      .def("saving", &luq::saving, "baseline"_a, "The share of another plan's bytes that this one saves.")
      .def(nb::self == nb::self)
      .def("__repr__", [](const luq::plan& self) {
        return "Plan(" + self.reason + ", " + std::to_string(luq::total_bytes(self)) + " bytes)";
      });

  nb::class_<luq::prefix_policy>(
      module, "PrefixPolicy", "LUQ's search: the first layers of an order get the low recipe, the others the high one.")
      .def(
          "__init__",
          [](luq::prefix_policy* self, luq::model_shape shape, luq::layer_order order, const std::string& low,
             const std::string& high, std::string order_name) {
            luq::prefix_policy policy{std::move(shape), std::move(order), luq::parse_recipe(low),
                                      luq::parse_recipe(high), std::move(order_name)};
            luq::require_consistent(policy);
            new (self) luq::prefix_policy(std::move(policy));
          },
          "shape"_a, "order"_a, "low"_a, "high"_a, "order_name"_a = "given order")
      .def("prefix_plan", &luq::prefix_plan, "low_layers"_a, "The plan with so many layers on the low recipe.")
      .def("within_bits", &luq::plan_within_bits, "bits"_a,
           "The plan with the fewest low layers that occupies at most so many true bits a weight.")
      .def("within_bytes", &luq::plan_within_bytes, "bytes"_a, "Likewise at most so many bytes.")
      .def("within_saving", &within_saving, "saving"_a,
           "Likewise at most what a uniform high decoder leaves when this share of its bytes is saved.");
}

}  // namespace

void bind_plan(nb::module_& module) {
  bind_orders(module);
  bind_plans(module);
}

}  // namespace luq_python
