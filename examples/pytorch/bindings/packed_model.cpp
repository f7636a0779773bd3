// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Packed model files, those of luq-vlm.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <luq/io/luq/packed_model.hpp>
#include <luq/io/safetensors/checkpoint.hpp>
#include <luq/models/tensor_place.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bindings.hpp"

namespace luq_python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// All tensors of a model directory that are no linear of the plan, as they are.
std::vector<luq::tensor_source> tensors_beside(const luq::plan& plan, const luq::checkpoint& stored) {
  std::set<std::string> planned;
  for (const luq::layer_shape& layer : plan.shape) {
    for (const luq::linear_shape& linear : layer) planned.insert(linear.name + ".weight");
  }
  std::vector<luq::tensor_source> others;
  for (const std::string& name : stored.names()) {
    const luq::tensor_info& info = stored.info(name);
    const auto place = luq::find_tensor_place(name, info.shape.size());
    if (place && planned.contains(place->name)) continue;
    others.push_back({{name, info.dtype, info.shape}, stored.bytes(name)});
  }
  return others;
}

luq::packed_layers layers_of(nb::handle layers) {
  luq::packed_layers result;
  for (const nb::handle layer : nb::cast<nb::sequence>(layers)) {
    result.emplace_back();
    for (const nb::handle linear : nb::cast<nb::sequence>(layer)) {
      if (!nb::isinstance<luq::any_packed_matrix>(linear)) {
        throw nb::type_error("packed layers: expected a sequence of PackedMatrix for each layer of the plan");
      }
      result.back().push_back(&nb::cast<const luq::any_packed_matrix&>(linear));
    }
  }
  return result;
}

luq::packed_model_size write(const std::filesystem::path& path, const luq::plan& plan, const nb::sequence& layers,
                             const std::optional<std::filesystem::path>& model_directory) {
  const luq::packed_layers weights = layers_of(layers);
  return without_interpreter([&] {
    std::optional<luq::checkpoint> stored;
    std::vector<luq::tensor_source> others;
    if (model_directory) others = tensors_beside(plan, stored.emplace(*model_directory));
    luq::write_packed_model(path, plan, weights, others);
    return luq::predict_packed_model_size(plan, others);
  });
}

/// The linears by layer, in the memory of the model.
nb::list linears_of(nb::handle self) {
  nb::list result;
  for (const auto& layer : nb::cast<const luq::packed_model&>(self).layers()) {
    nb::list linears;
    for (const luq::any_packed_matrix& linear : layer) {
      linears.append(nb::cast(&linear, nb::rv_policy::reference_internal, self));
    }
    result.append(linears);
  }
  return result;
}

}  // namespace

void bind_packed_model(nb::module_& module) {
  nb::class_<luq::packed_model_size>(module, "PackedModelSize", "Where the bytes of a packed model file are.")
      .def_ro("header", &luq::packed_model_size::header)
      .def_ro("linears", &luq::packed_model_size::linears, "packed matrices: the bytes of the plan")
      .def_ro("others", &luq::packed_model_size::others, "all other tensors")
      .def_prop_ro("file", &luq::packed_model_size::file, "all of them");

  nb::class_<luq::packed_model>(module, "PackedModel", "A packed model file, read and checked.")
      .def(
          "__init__",
          [](luq::packed_model* self, const std::filesystem::path& path) {
            without_interpreter([&] { new (self) luq::packed_model(path); });
          },
          "path"_a)
      .def_prop_ro("plan", &luq::packed_model::planned)
      .def_prop_ro("layers", &linears_of, "PackedMatrix of each linear, by layer and in the order of plan.shape.")
      .def_prop_ro("size", &luq::packed_model::size);

  module.def(
      "write_packed_model", &write, "path"_a, "plan"_a, "layers"_a, "model_directory"_a.none() = nb::none(),
      "Writes a packed model file, all of it or nothing, and returns its PackedModelSize. layers: a PackedMatrix "
      "for each linear of the plan, by layer. model_directory: a Hugging Face directory whose other tensors "
      "(embeddings, norms, vision tower) are written beside them as they are.");
}

}  // namespace luq_python
