// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <luq/codecs/any_packed_matrix.hpp>
#include <luq/quantizers/any_quantize.hpp>
#include <luq/quantizers/output_error.hpp>
#include <optional>
#include <string>

#include "bindings.hpp"
#include "borrowed_matrix.hpp"
#include "hessian_accumulator.hpp"

namespace luq_python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// H [in x in] of an accumulator; empty for None.
/// @throws luq::error insufficient_data before the first token
luq::matrix accumulated(hessian_accumulator& source) {
  return without_interpreter([&] {
    const std::lock_guard guard(source.lock);
    if (source.value.tokens() == 0) {
      luq::fail(luq::errc::insufficient_data, "Hessian of ", source.value.in_features(),
                " inputs: no token was added to it");
    }
    return source.value.matrix();
  });
}

luq::any_packed_matrix quantize(const luq::matrix_view& W, const luq::matrix_view& H, const std::string& codec,
                                luq::code_search how, luq::quantize_report& report) {
  if (W.size() == 0) {
    luq::fail(luq::errc::shape_mismatch, "weights: expected at least one row and one column, got ", W.rows(), " x ",
              W.cols());
  }
  if (H.size() == 0 && how != luq::code_search::nearest) {
    luq::fail(luq::errc::invalid_argument, "quantize: expected a Hessian for any search but nearest, got none");
  }
  return luq::quantize(W, H, luq::parse_codec(codec), how, &report, current_executor());
}

luq::any_packed_matrix quantize_tensor(nb::handle W, nb::handle H, const std::string& codec, const std::string& how,
                                       luq::quantize_report* report) {
  const borrowed_matrix weights(W, "weights");
  luq::matrix sums;
  std::optional<borrowed_matrix> lent;
  if (nb::isinstance<hessian_accumulator>(H)) {
    sums = accumulated(nb::cast<hessian_accumulator&>(H));
  } else if (!H.is_none()) {
    lent.emplace(H, "Hessian");
  }
  const auto hessian =
      lent ? lent->view() : luq::view(static_cast<const float*>(sums.data()), sums.rows(), sums.cols(), sums.cols());
  luq::quantize_report found;
  luq::any_packed_matrix packed =
      without_interpreter([&] { return quantize(weights.view(), hessian, codec, luq::parse_code_search(how), found); });
  if (report != nullptr) *report = found;
  return packed;
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
  module.def(
      "quantize", &quantize_tensor, "W"_a.none(), "H"_a.none(), "codec"_a, "search"_a = "best",
      "report"_a.none() = nb::none(),
      "Quantizes W [out x in] and packs it. H: a Hessian with tokens, or a tensor [in x in]; None for the search "
      "nearest. codec: such as \"sign:g128\" or \"int4:g128:searched\". search: \"nearest\", \"feedback\", "
      "\"block rule\" or \"best\". report: a QuantizeReport to fill. An H that is zero is an error of "
      "insufficient_data, but for nearest.");
  module.def("relative_output_error", &output_error, "W"_a.none(), "Q"_a.none(), "H"_a.none(),
             "||(W - Q) X^T||^2 / ||W X^T||^2 of quantized weights Q [out x in], given the Hessian H [in x in] of X.");
}

}  // namespace luq_python
