// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Whether outputs can be written, found out before long work.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <luq/io/files/output_check.hpp>
#include <string>
#include <vector>

#include "bindings.hpp"

namespace luq_python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using paths = std::vector<std::filesystem::path>;

void require_outputs(const paths& outputs, const paths& inputs) {
  luq::require_outputs(outputs, inputs);
}

void require_output_folder(const std::filesystem::path& folder, const std::vector<std::string>& files) {
  luq::require_output_folder(folder, files);
}

}  // namespace

void bind_output_check(nb::module_& module) {
  module.def("require_outputs", &require_outputs, "outputs"_a, "inputs"_a = paths(),
             "Raises luq.Error unless all files of `outputs` can be written, are different ones, and are none of the "
             "files of `inputs`, which the work reads. Tries it, changes no file and leaves nothing behind.");
  module.def("require_output_folder", &require_output_folder, "folder"_a, "files"_a,
             "Raises luq.Error unless files of these names can be written in a folder, which is there or can be made.");
}

}  // namespace luq_python
