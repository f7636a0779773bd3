// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Packed matrices and their products, and what a codec costs.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <luq/codecs/any_codec.hpp>
#include <luq/codecs/any_packed_matrix.hpp>
#include <luq/codecs/recipe.hpp>
#include <luq/kernels/dispatch.hpp>
#include <luq/policy/model_shape.hpp>
#include <optional>
#include <string>

#include "bindings.hpp"
#include "borrowed_matrix.hpp"

namespace luq_python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

void require_shape(luq::index rows, luq::index cols) {
  if (rows < 1 || cols < 1 || rows > luq::most_weights / cols) {
    luq::fail(luq::errc::invalid_argument, "packed matrix: expected at least one row and one column and at most ",
              luq::most_weights, " weights, got ", rows, " x ", cols);
  }
}

/// How a matrix is stored, "int4:g128" or "hadamard/int4:g128".
std::string stored_name_of(const luq::any_packed_matrix& packed) {
  const luq::shared_transform transform = luq::transform_of(packed);
  return luq::stored_name(transform ? transform->name() : "", luq::codec_of(packed));
}

/// A packed matrix from bytes that were packed before, which are copied.
/// @param stored  as stored_name_of()
luq::any_packed_matrix from_bytes(const std::string& stored, luq::index rows, luq::index cols, nb::handle source) {
  const std::size_t separator = stored.find('/');
  const bool is_transformed = separator != std::string::npos;
  const std::string transform = is_transformed ? stored.substr(0, separator) : "";
  const luq::any_codec codec = luq::parse_codec(is_transformed ? stored.substr(separator + 1) : stored);
  require_shape(rows, cols);
  if (PyObject_CheckBuffer(source.ptr()) != 0) {
    Py_buffer buffer;
    if (PyObject_GetBuffer(source.ptr(), &buffer, PyBUF_SIMPLE) != 0) throw nb::python_error();
    const auto* const begin = static_cast<const std::byte*>(buffer.buf);
    luq::aligned_buffer<std::byte> bytes(begin, begin + buffer.len);
    PyBuffer_Release(&buffer);
    return luq::make_packed_matrix(codec, rows, cols, std::move(bytes), transform);
  }
  nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::device::cpu, nb::c_contig> tensor;
  if (!nb::ndarray_check(source) || !nb::try_cast(source, tensor, false)) {
    throw nb::type_error(
        ("packed bytes: expected bytes or a contiguous uint8 tensor in memory of the CPU, got " + type_name_of(source))
            .c_str());
  }
  const auto* const begin = reinterpret_cast<const std::byte*>(tensor.data());
  return luq::make_packed_matrix(codec, rows, cols, {begin, begin + tensor.size()}, transform);
}

/// The bytes of a packed matrix as a tensor in its memory.
nb::object bytes_tensor(nb::handle self) {
  const auto bytes = luq::bytes_of(nb::cast<const luq::any_packed_matrix&>(self));
  // Torch has no read-only tensors.
  auto* const data = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data()));
  return nb::cast(nb::ndarray<nb::pytorch, std::uint8_t, nb::ndim<1>, nb::c_contig>(data, {bytes.size()}, self));
}

luq::activation_mode parse_activations(std::string_view name) {
  if (name == "float32") return luq::activation_mode::float32;
  if (name == "int8") return luq::activation_mode::int8;
  luq::fail(luq::errc::invalid_argument, "activations \"", name, "\": expected float32 or int8");
}

nb::object matmul(const luq::any_packed_matrix& W, nb::handle X, nb::handle bias, const std::string& activations) {
  luq::matmul_options options{.activations = parse_activations(activations)};
  const borrowed_matrix tokens(X, "activations");
  std::optional<borrowed_matrix> added;
  if (!bias.is_none()) {
    added.emplace(bias, "bias");
    if (added->rows() != 1 || added->cols() != luq::rows_of(W)) {
      luq::fail(luq::errc::shape_mismatch, "bias: expected ", luq::rows_of(W), " numbers, one per output, got ",
                added->rows(), " x ", added->cols());
    }
    options.bias = added->view().data();
  }
  if (tokens.cols() != luq::cols_of(W)) {
    luq::fail(luq::errc::shape_mismatch, "activations: expected ", luq::cols_of(W), " features, got ", tokens.rows(),
              " x ", tokens.cols());
  }
  luq::matrix Y = without_interpreter([&] {
    luq::matrix product(tokens.rows(), luq::rows_of(W));
    luq::dispatch::matmul(W, tokens.view(), product, options, current_executor());
    return product;
  });
  return tensor_of(std::move(Y));
}

double checked_bits(const std::string& recipe, luq::index rows, luq::index cols) {
  require_shape(rows, cols);
  return luq::bits_per_weight(luq::parse_recipe(recipe), rows, cols);
}

luq::index checked_bytes(const std::string& recipe, luq::index rows, luq::index cols) {
  require_shape(rows, cols);
  return luq::packed_bytes(luq::parse_recipe(recipe), rows, cols);
}

}  // namespace

void bind_packed_matrix(nb::module_& module) {
  module.def("codec_families", &luq::codec_families,
             "What names of codecs begin with, one for each codec; each is a name, too: \"int4\" is \"int4:g128\".");
  module.def(
      "recipe_name", [](const std::string& text) { return luq::recipe_name(luq::parse_recipe(text)); }, "text"_a,
      "A recipe in full: \"int4\" is \"int4:g128/gptq+refine\".");
  module.def(
      "stored_name", [](const std::string& text) { return luq::stored_name(luq::parse_recipe(text)); }, "recipe"_a,
      "How the matrices of a recipe are stored, as PackedMatrix.codec: \"awq/int4:g128/gptq\" is "
      "\"scaling/int4:g128\".");
  module.def("packed_bytes", &checked_bytes, "recipe"_a, "rows"_a, "cols"_a,
             "Exact bytes of a packed [rows x cols] matrix.");
  module.def("bits_per_weight", &checked_bits, "recipe"_a, "rows"_a, "cols"_a,
             "Bits a weight occupies in a packed [rows x cols] matrix, everything counted.");
  module.def(
      "nominal_bits", [](const std::string& text) { return luq::nominal_bits(luq::parse_recipe(text).codec); },
      "recipe"_a, "The bits a weight that a recipe's codec has its name for; print it beside true bits.");

  nb::class_<luq::any_packed_matrix>(module, "PackedMatrix",
                                     "A weight matrix [rows x cols] in the bytes that it occupies. Immutable.")
      .def(
          "__init__",
          [](luq::any_packed_matrix* self, const std::string& codec, luq::index rows, luq::index cols,
             nb::handle bytes) { new (self) luq::any_packed_matrix(from_bytes(codec, rows, cols, bytes)); },
          "codec"_a, "rows"_a, "cols"_a, "bytes"_a.none(),
          "From bytes that were packed before: a uint8 tensor or an object of bytes, which is copied.")
      .def_prop_ro("codec", &stored_name_of, "How it is stored: a codec, behind its transform if it has one.")
      .def_prop_ro("rows", [](const luq::any_packed_matrix& self) { return luq::rows_of(self); })
      .def_prop_ro("cols", [](const luq::any_packed_matrix& self) { return luq::cols_of(self); })
      .def_prop_ro(
          "nbytes", [](const luq::any_packed_matrix& self) { return luq::bytes_of(self).size(); },
          "Bytes, everything counted.")
      .def_prop_ro("bits_per_weight",
                   [](const luq::any_packed_matrix& self) {
                     return std::visit([](const auto& packed) { return packed.bits_per_weight(); }, self);
                   })
      .def("bytes", &bytes_tensor,
           "The bytes as a uint8 tensor [nbytes] in the memory of this object: not to be written.")
      .def(
          "dequantize",
          [](const luq::any_packed_matrix& self) {
            return tensor_of(without_interpreter([&] { return luq::decode(self); }));
          },
          "The weights as a float32 tensor [rows x cols].")
      .def("matmul", &matmul, "X"_a.none(), "bias"_a.none() = nb::none(), "activations"_a = "float32",
           "X W^T + bias as a float32 tensor [tokens x rows], for X [tokens x cols] and bias [rows]. activations: "
           "\"float32\", or \"int8\" for inputs rounded to 8 bits.")
      .def("__reduce__",
           [](nb::handle self) {
             const auto& packed = nb::cast<const luq::any_packed_matrix&>(self);
             const auto bytes = luq::bytes_of(packed);
             return nb::make_tuple(self.type(),
                                   nb::make_tuple(stored_name_of(packed), luq::rows_of(packed), luq::cols_of(packed),
                                                  nb::bytes(bytes.data(), bytes.size())));
           })
      .def("__repr__", [](const luq::any_packed_matrix& self) {
        return "PackedMatrix(" + stored_name_of(self) + ", " + std::to_string(luq::rows_of(self)) + " x " +
               std::to_string(luq::cols_of(self)) + ", " + std::to_string(luq::bytes_of(self).size()) + " bytes)";
      });
}

}  // namespace luq_python
