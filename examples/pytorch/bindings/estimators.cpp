// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Accumulators of activations. Each has a lock of its own, since threads of Python may add to one at the same time
// while the interpreter's lock is given up.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/unique_ptr.h>

#include <luq/estimators/activation_entropy.hpp>
#include <luq/estimators/hessian.hpp>
#include <luq/estimators/norm_weights.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "bindings.hpp"
#include "borrowed_matrix.hpp"
#include "hessian_accumulator.hpp"

namespace luq_python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

struct entropy_accumulator {
  entropy_accumulator(luq::index width, const luq::activation_entropy_options& options) : value(width, options) {}

  luq::activation_entropy value;
  std::mutex lock;
};

template <class Accumulator>
void merge(Accumulator& target, Accumulator& other) {
  if (&target == &other) luq::fail(luq::errc::invalid_argument, "merge: expected another accumulator, got the same");
  without_interpreter([&] {
    const std::scoped_lock both(target.lock, other.lock);
    target.value.merge(other.value);
  });
}

/// The elements of a tensor of one weight for each token, of any shape.
std::vector<float> token_weights_of(nb::handle weights) {
  const borrowed_matrix given(weights, "token weights");
  const luq::matrix values = given.view();
  return {values.data(), values.data() + values.size()};
}

/// Sets the weights of padding to 0.
void clear_padding(std::vector<float>& lambda, const std::vector<luq::token_class>& kinds) {
  if (kinds.size() != lambda.size()) {
    luq::fail(luq::errc::shape_mismatch, "Hessian: expected as many token weights as classes, got ", lambda.size(),
              " and ", kinds.size());
  }
  for (std::size_t t = 0; t < lambda.size(); ++t) {
    if (kinds[t] == luq::token_class::padding) lambda[t] = 0.0f;
  }
}

void require_width(const char* what, luq::index width) {
  if (width < 1) luq::fail(luq::errc::invalid_argument, what, ": expected a width of at least 1, got ", width);
}

void bind_entropy(nb::module_& module) {
  nb::class_<luq::entropy_estimate>(module, "EntropyEstimate", "An entropy in bits, and how sure it is.")
      .def_ro("bits", &luq::entropy_estimate::bits, "plug-in, mean over the seeds")
      .def_ro("miller_madow", &luq::entropy_estimate::miller_madow, "corrected for the bias of few tokens")
      .def_ro("seed_deviation", &luq::entropy_estimate::seed_deviation, "standard deviation over the seeds")
      .def_ro("low", &luq::entropy_estimate::low, "lower end of the interval around bits")
      .def_ro("high", &luq::entropy_estimate::high, "upper end")
      .def_ro("tokens", &luq::entropy_estimate::tokens, "tokens it rests on");
  nb::class_<luq::layer_entropy>(module, "LayerEntropy",
                                 "The three entropies of a layer; None for a class with fewer tokens than clusters.")
      .def_ro("all", &luq::layer_entropy::all)
      .def_ro("text", &luq::layer_entropy::text)
      .def_ro("image", &luq::layer_entropy::image);

  nb::class_<entropy_accumulator>(module, "ActivationEntropy",
                                  "Accumulates the outputs of one layer [tokens x width]; the same estimate however "
                                  "the stream of tokens is split.")
      .def(
          "__init__",
          [](entropy_accumulator* self, luq::index width, luq::index clusters, int seeds, luq::index capacity,
             int resamples, double confidence) {
            require_width("ActivationEntropy", width);
            luq::activation_entropy_options options{
                .capacity = capacity, .seeds = seeds, .resamples = resamples, .confidence = confidence};
            options.clustering.clusters = clusters;
            new (self) entropy_accumulator(width, options);
          },
          "width"_a, nb::kw_only(), "clusters"_a = luq::kmeans_options{}.clusters,
          "seeds"_a = luq::activation_entropy_options{}.seeds,
          "capacity"_a = luq::activation_entropy_options{}.capacity,
          "resamples"_a = luq::activation_entropy_options{}.resamples,
          "confidence"_a = luq::activation_entropy_options{}.confidence,
          "clusters: of the k-means. seeds: clusterings averaged. capacity: tokens kept of each class. resamples: of "
          "the bootstrap of each clustering. confidence: of the interval, in (0, 1).")
      .def(
          "add",
          [](entropy_accumulator& self, nb::handle X, nb::handle classes, std::uint64_t sequence, std::uint64_t first) {
            const borrowed_matrix tokens(X, "activations");
            const auto kinds = token_classes_of(classes);
            without_interpreter([&] {
              const std::lock_guard guard(self.lock);
              self.value.add(tokens.view(), kinds, sequence, first);
            });
          },
          "X"_a.none(), "classes"_a.none(), "sequence"_a, "first"_a = 0,
          "Adds outputs X [tokens x width] of consecutive tokens of a sequence. classes: their TokenClass [tokens]. "
          "sequence: its number, unique in the stream. first: the position of the first of them in the sequence.")
      .def("merge", &merge<entropy_accumulator>, "other"_a, "Adds what another accumulator of the layer has seen.")
      .def(
          "tokens",
          [](entropy_accumulator& self, int kind) {
            if (kind < 0 || kind > 2)
              luq::fail(luq::errc::invalid_argument, "token class: expected 0 ... 2, got ", kind);
            const std::lock_guard guard(self.lock);
            return self.value.tokens(static_cast<luq::token_class>(kind));
          },
          "kind"_a, "Tokens seen of a TokenClass; of padding none.")
      .def(
          "estimate",
          [](entropy_accumulator& self) {
            return without_interpreter([&] {
              const std::lock_guard guard(self.lock);
              return self.value.estimate(current_executor());
            });
          },
          "The entropies of all, of text and of image tokens.");
}

void bind_hessian(nb::module_& module) {
  nb::class_<hessian_accumulator>(module, "Hessian",
                                  "Accumulates H = 2 / (sum of weights) * sum of weight * x x^T over the inputs x of a "
                                  "linear, [in x in]. Each token has weight 1 unless told.")
      .def(
          "__init__",
          [](hessian_accumulator* self, luq::index in_features) {
            require_width("Hessian", in_features);
            new (self) hessian_accumulator(luq::hessian(in_features));
          },
          "in_features"_a)
      .def_static(
          "from_sum",
          [](nb::handle sum, luq::index tokens, std::optional<double> weight) {
            const borrowed_matrix borrowed(sum, "sum");
            return without_interpreter([&] {
              return std::make_unique<hessian_accumulator>(
                  luq::hessian::from_sum(borrowed.view(), tokens, weight.value_or(static_cast<double>(tokens))));
            });
          },
          "sum"_a.none(), "tokens"_a, "weight"_a = nb::none(),
          "An accumulator that goes on from a sum of weight * x x^T [in x in] over so many tokens, made elsewhere. "
          "weight: the sum of their weights; None where each is 1.")
      .def(
          "add",
          [](hessian_accumulator& self, nb::handle X, nb::handle classes, nb::handle weights) {
            const borrowed_matrix tokens(X, "activations");
            std::vector<luq::token_class> kinds;
            if (!classes.is_none()) kinds = token_classes_of(classes);
            std::vector<float> lambda;
            if (!weights.is_none()) lambda = token_weights_of(weights);
            if (!weights.is_none() && !classes.is_none()) clear_padding(lambda, kinds);
            without_interpreter([&] {
              const std::lock_guard guard(self.lock);
              if (!weights.is_none()) {
                self.value.add(tokens.view(), std::span<const float>(lambda), current_executor());
              } else if (!classes.is_none()) {
                self.value.add(tokens.view(), std::span<const luq::token_class>(kinds), current_executor());
              } else {
                self.value.add(tokens.view(), current_executor());
              }
            });
          },
          "X"_a.none(), "classes"_a.none() = nb::none(), "weights"_a.none() = nb::none(),
          "Adds inputs X [tokens x in]: all of them, or with classes [tokens] those that are not padding. weights "
          "[tokens]: how much each counts, finite and >= 0, as norm_weights() makes them; 1 if not given.")
      .def("merge", &merge<hessian_accumulator>, "other"_a, "Adds what another accumulator of the linear has seen.")
      .def_prop_ro("in_features", [](const hessian_accumulator& self) { return self.value.in_features(); })
      .def_prop_ro("tokens",
                   [](hessian_accumulator& self) {
                     const std::lock_guard guard(self.lock);
                     return self.value.tokens();
                   })
      .def_prop_ro("total_weight",
                   [](hessian_accumulator& self) {
                     const std::lock_guard guard(self.lock);
                     return self.value.total_weight();
                   })
      .def(
          "matrix",
          [](hessian_accumulator& self) {
            luq::matrix H = without_interpreter([&] {
              const std::lock_guard guard(self.lock);
              return self.value.matrix();
            });
            return tensor_of(std::move(H));
          },
          "H as a float32 tensor [in x in]; zero before the first token.");
}

}  // namespace

void bind_estimators(nb::module_& module) {
  module.attr("DEFAULT_NORM_CLIP") = luq::default_norm_clip;
  bind_entropy(module);
  bind_hessian(module);
}

}  // namespace luq_python
