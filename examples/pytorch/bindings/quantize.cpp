// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <luq/codecs/any_packed_matrix.hpp>
#include <luq/codecs/recipe.hpp>
#include <luq/quantizers/output_error.hpp>
#include <luq/quantizers/quantize_recipe.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "bindings.hpp"
#include "borrowed_matrix.hpp"
#include "hessian_accumulator.hpp"

namespace luq_python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// The object behind luq.LinearInputs: statistics, and the tensor that H is read from.
struct shared_inputs {
  std::unique_ptr<const borrowed_matrix> lent;
  luq::linear_inputs value;
};

/// @throws luq::error insufficient_data before the first token of an accumulator
shared_inputs inputs_of(nb::handle H) {
  if (nb::isinstance<hessian_accumulator>(H)) {
    auto& source = nb::cast<hessian_accumulator&>(H);
    return without_interpreter([&]() -> shared_inputs {
      const std::lock_guard guard(source.lock);
      if (source.value.tokens() == 0) {
        luq::fail(luq::errc::insufficient_data, "Hessian of ", source.value.in_features(),
                  " inputs: no token was added to it");
      }
      return {nullptr, luq::linear_inputs(source.value.matrix())};
    });
  }
  auto lent = std::make_unique<const borrowed_matrix>(H, "Hessian");
  luq::linear_inputs value = luq::linear_inputs::borrow(lent->view());
  return {std::move(lent), std::move(value)};
}

void set_statistics(luq::linear_inputs& inputs, nb::handle drift, nb::handle magnitudes) {
  if (!drift.is_none()) inputs.set_drift(luq::matrix(borrowed_matrix(drift, "drift").view()));
  if (magnitudes.is_none()) return;
  const borrowed_matrix given(magnitudes, "magnitudes");
  if (given.rows() != 1) {
    luq::fail(luq::errc::shape_mismatch, "magnitudes: expected one number per input, got ", given.rows(), " x ",
              given.cols());
  }
  inputs.set_magnitudes({given.view().data(), given.view().data() + given.cols()});
}

luq::any_packed_matrix quantize_tensor(nb::handle W, nb::handle inputs, const std::string& recipe,
                                       luq::quantize_report* report, std::uint64_t seed) {
  const borrowed_matrix weights(W, "weights");
  std::optional<shared_inputs> own;
  const luq::linear_inputs* known = nullptr;
  if (nb::isinstance<shared_inputs>(inputs)) {
    known = &nb::cast<const shared_inputs&>(inputs).value;
  } else if (!inputs.is_none()) {
    known = &own.emplace(inputs_of(inputs)).value;
  }
  luq::any_quantized_linear found = without_interpreter([&] {
    const luq::matrix_view view = weights.view();
    if (view.size() == 0) {
      luq::fail(luq::errc::shape_mismatch, "weights: expected at least one row and one column, got ", view.rows(),
                " x ", view.cols());
    }
    return luq::quantize(luq::linear_problem(view, known), luq::parse_recipe(recipe),
                         {.executor = current_executor(), .seed = seed});
  });
  if (report != nullptr) *report = found.report;
  return std::move(found.packed);
}

double output_error(nb::handle W, nb::handle Q, nb::handle H) {
  const borrowed_matrix weights(W, "weights");
  const borrowed_matrix quantized(Q, "quantized weights");
  const borrowed_matrix hessian(H, "Hessian");
  if (quantized.rows() != weights.rows() || quantized.cols() != weights.cols() || hessian.rows() != weights.cols() ||
      hessian.cols() != weights.cols()) {
    luq::fail(luq::errc::shape_mismatch, "output error of weights ", weights.rows(), " x ", weights.cols(),
              ": expected quantized weights of that shape and a Hessian of ", weights.cols(), " x ", weights.cols(),
              ", got ", quantized.rows(), " x ", quantized.cols(), " and ", hessian.rows(), " x ", hessian.cols());
  }
  return without_interpreter(
      [&] { return luq::relative_output_error(weights.view(), quantized.view(), hessian.view()); });
}

}  // namespace

void bind_quantize(nb::module_& module) {
  nb::class_<luq::quantize_report>(module, "QuantizeReport", "What a search found out on its way.")
      .def(nb::init<>())
      .def_ro("damp", &luq::quantize_report::damp,
              "share of mean(diag H) over live inputs that was added to the diagonal")
      .def_ro("factorizations", &luq::quantize_report::factorizations, "attempts of the damping ladder")
      .def_ro(
          "dead_columns", &luq::quantize_report::dead_columns,
          "inputs that were zero for every token of H, and whose weights were therefore set to zero; 0 if the search "
          "takes no H")
      .def_ro("loss", &luq::quantize_report::loss, "weighted squared error of all weights as they were coded");
  nb::class_<shared_inputs>(module, "LinearInputs",
                            "What is known of the inputs of a linear, for all linears that share them: q, k and v, or "
                            "gate and up, cost one factorisation of their Hessian.")
      .def(
          "__init__",
          [](shared_inputs* self, nb::handle H, nb::handle drift, nb::handle magnitudes) {
            shared_inputs made = inputs_of(H);
            set_statistics(made.value, drift, magnitudes);
            new (self) shared_inputs(std::move(made));
          },
          "H"_a, "drift"_a.none() = nb::none(), "magnitudes"_a.none() = nb::none(),
          "H: a Hessian with tokens, or a tensor [in x in], which is read and not copied. drift: D [in x in], the "
          "cross "
          "moment 2/n sum (x - xhat) xhat^T of float and quantized inputs, for gptaq and qep. magnitudes: the mean "
          "|x_c| of each input [in], for awq, which otherwise takes the root of the diagonal of H.")
      .def_prop_ro("in_features", [](const shared_inputs& self) { return self.value.in_features(); })
      .def_prop_ro(
          "factorizations", [](const shared_inputs& self) { return self.value.factorizations(); },
          "How many factors of H were made so far.");
  module.def(
      "quantize", &quantize_tensor, "W"_a.none(), "inputs"_a.none(), "recipe"_a, "report"_a.none() = nb::none(),
      "seed"_a = 0,
      "Quantizes W [out x in] and packs it. inputs: LinearInputs, a Hessian with tokens, or a tensor [in x in]; None "
      "for "
      "a recipe whose search is rtn. recipe: [TRANSFORM/]CODEC[/[qep+]SEARCH[+refine]], such as \"sign:g128\", "
      "\"int4:g128/rtn\", \"hadamard/int2:g128/gptq+refine\", \"awq/int4:g128/gptq\" or \"sign:g128/billm\", with "
      "TRANSFORM of hadamard, awq and rowcol, SEARCH of rtn, gptq, gptaq, billm and beam. report: a QuantizeReport to "
      "fill. seed: of the random rotation. Inputs that were all zero are an error of insufficient_data, but for rtn.");
  module.def("relative_output_error", &output_error, "W"_a.none(), "Q"_a.none(), "H"_a.none(),
             "||(W - Q) X^T||^2 / ||W X^T||^2 of quantized weights Q [out x in], given the Hessian H [in x in] of X.");
}

}  // namespace luq_python
