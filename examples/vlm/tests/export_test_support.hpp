// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What the tests of exports share: the embedded model as a packed file under any codecs, and exports with what they
// print.
#pragma once

#include <iostream>
#include <luq/io/luq/packed_model.hpp>
#include <luq/io/safetensors/checkpoint.hpp>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "app/export.hpp"
#include "app/ledger.hpp"
#include "app/quantize_decoder.hpp"
#include "app_test_support.hpp"

namespace vlm_test {

/// The directory of the embedded model.
[[nodiscard]] inline std::filesystem::path embedded_model() {
  return embedded_data() / "tiny-llava";
}

/// The decoder of a model, each weight rounded to the nearest value of its layer's codec.
class packed_decoder {
 public:
  /// @param codecs  of the layers, repeated
  explicit packed_decoder(const std::vector<std::string>& codecs,
                          const std::filesystem::path& model = embedded_model()) {
    const luq::checkpoint stored(model);
    const luq::checkpoint_shape shape = vlm::shape_of(stored);
    std::map<std::string, std::string> stored_names;
    for (const luq::checkpoint_tensor& tensor : shape) stored_names.emplace(tensor.place.name, tensor.name);
    choice_ = {luq::decoder_linears_of(shape), {}, "by hand"};
    for (std::size_t layer = 0; layer < choice_.shape.size(); ++layer) {
      const luq::recipe how(luq::transform_method::none, luq::parse_codec(codecs[layer % codecs.size()]),
                            luq::code_search::rtn);
      choice_.recipes.push_back(how);
      linears_.emplace_back();
      for (const luq::linear_shape& linear : choice_.shape[layer]) {
        const luq::matrix W = stored.read_matrix(stored_names.at(linear.name + ".weight"));
        const luq::linear_inputs inputs(luq::matrix(luq::matrix::Identity(W.cols(), W.cols())));
        linears_.back().push_back(vlm::quantize_linear({W, inputs}, how).packed);
      }
    }
  }

  [[nodiscard]] const luq::plan& planned() const { return choice_; }
  [[nodiscard]] const luq::any_packed_matrix& at(std::size_t layer, std::size_t linear) const {
    return *linears_[layer][linear];
  }

  void write(const std::filesystem::path& file) const {
    luq::packed_layers weights;
    for (const auto& layer : linears_) {
      weights.emplace_back();
      for (const auto& linear : layer) weights.back().push_back(linear.get());
    }
    luq::write_packed_model(file, choice_, weights);
  }

 private:
  luq::plan choice_;
  std::vector<std::vector<std::shared_ptr<const luq::any_packed_matrix>>> linears_;
};

/// Exports what `options` says of the embedded model, or of that in `s`.
/// @return what was printed
inline std::string run_export(const vlm::export_options& options, vlm::settings s = {}) {
  if (s.model.empty()) s.model = embedded_model();
  std::ostringstream printed;
  std::streambuf* const standard = std::cout.rdbuf(printed.rdbuf());
  try {
    vlm::run_export(s, options, nullptr);
  } catch (...) {
    std::cout.rdbuf(standard);
    throw;
  }
  std::cout.rdbuf(standard);
  return printed.str();
}

/// The only line of a text, or the last.
[[nodiscard]] inline std::string last_line(const std::string& text) {
  REQUIRE(text.ends_with('\n'));
  const std::size_t begin = text.rfind('\n', text.size() - 2);
  return text.substr(begin == std::string::npos ? 0 : begin + 1);
}

}  // namespace vlm_test
