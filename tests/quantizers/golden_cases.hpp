// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Runs the cases of files that hold outputs of the reference implementations of GPTQ and BiLLM (form:
// tests/data/golden/README.md) and says how far ours agrees. The published quirks are options here, and scales are kept
// in float as there.
#pragma once

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/io/safetensors/safetensors.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/templates.hpp"
#include "quantize_problem.hpp"

namespace luq_test {

/// One case, and how it came out.
struct golden_case {
  std::string name;
  double equal_weights = 1;              ///< share of weights equal within 1e-5 of the range of their row
  double error = 0;                      ///< relative output error of ours, or for a Hessian relative difference
  double reference_error = 0;            ///< relative output error of the reference; 0 for a Hessian
  std::optional<double> equal_groups{};  ///< share of weights in the same group, for BiLLM
  bool passed = false;

  [[nodiscard]] double ratio() const { return error / reference_error; }
};

/// The parts of a name between dots, consumed from the front.
class golden_name {
 public:
  explicit golden_name(std::string_view text) : text_(text) {
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('.', begin), text.size());
      parts_.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }

  /// Consumes `part` if it comes next.
  bool take(std::string_view part) {
    if (at_end() || parts_[next_] != part) return false;
    ++next_;
    return true;
  }

  /// Consumes `prefix` followed by a positive number.
  std::optional<luq::index> take_number(char prefix) {
    if (at_end() || parts_[next_].empty() || parts_[next_].front() != prefix) return std::nullopt;
    const std::string_view part = parts_[next_];
    luq::index number = 0;
    const auto [end, failure] = std::from_chars(part.data() + 1, part.data() + part.size(), number);
    if (failure != std::errc() || end != part.data() + part.size() || number < 1) return std::nullopt;
    ++next_;
    return number;
  }

  [[noreturn]] void reject() const { luq::fail(luq::errc::unsupported, "unknown golden case \"", text_, "\""); }

  void require_end() const {
    if (!at_end()) reject();
  }

 private:
  [[nodiscard]] bool at_end() const { return next_ == parts_.size(); }

  std::string_view text_;
  std::vector<std::string_view> parts_;
  std::size_t next_ = 0;
};

/// The damping that adds to H what published code does: 0.01 of the mean of its diagonal, in which a dead input has 1.
/// That input's own entry, which has no influence on codes here, is then our ridge instead of 1 plus it.
inline luq::damping_options published_damping(const luq::matrix& H) {
  const auto dead = static_cast<double>((H.diagonal().array() == 0.0f).count());
  const double live_sum = luq::mean_live_diagonal(H) * (static_cast<double>(H.rows()) - dead);
  const double published_mean = (live_sum + dead) / static_cast<double>(H.rows());
  return {.first = 0.01 * (published_mean / luq::mean_live_diagonal(H))};
}

template <unsigned Bits>
luq::matrix run_published_gptq(const luq::matrix& W, const luq::matrix& H, golden_name name) {
  luq::basic_int_codec<Bits, float> codec{.published_one_sided_range = true};
  luq::gptq published{.damping = published_damping(H), .weighted_fit = false, .fit = luq::group_fit::block_start};
  if (name.take("grow")) {
    codec.group = luq::whole_row;
  } else if (const auto group = name.take_number('g')) {
    codec.group = *group;
  } else {
    name.reject();
  }
  codec.symmetric = name.take("sym");
  if (!codec.symmetric && !name.take("asym")) name.reject();
  if (name.take("actorder")) published.order = luq::column_order::activation;
  published.static_groups = name.take("static");
  if (name.take("mse")) codec.range = luq::int_range::searched;
  name.require_end();
  // Groups that follow the order of activations need an index at run time, which no packed layout has.
  const bool moving_groups = published.order == luq::column_order::activation && !published.static_groups;
  if (moving_groups && codec.group != luq::whole_row) name.reject();
  return quantize_codes(W, H, codec, published).decode();
}

inline luq::matrix run_published_gptq(const luq::matrix& W, const luq::matrix& H, golden_name name) {
  if (name.take("b2")) return run_published_gptq<2>(W, H, name);
  if (name.take("b3")) return run_published_gptq<3>(W, H, name);
  if (name.take("b4")) return run_published_gptq<4>(W, H, name);
  if (name.take("b8")) return run_published_gptq<8>(W, H, name);
  name.reject();
}

inline luq::coded_matrix<luq::basic_billm_codec<float>> run_published_billm(const luq::matrix& W, const luq::matrix& H,
                                                                            golden_name name) {
  luq::basic_billm_codec<float> codec;
  luq::billm rule{.damping = published_damping(H)};
  if (name.take("magnitude")) {
    codec.metric = luq::saliency::magnitude;
  } else if (!name.take("hessian")) {
    name.reject();
  }
  if (name.take("nofeedback")) rule.compensation = luq::block_compensation::none;
  name.require_end();
  return quantize_codes(W, H, codec, rule);
}

inline double share_of_equal_weights(const luq::matrix& W, const luq::matrix& ours, const luq::matrix& reference) {
  double equal = 0;
  for (luq::index r = 0; r < W.rows(); ++r) {
    const float range = W.row(r).maxCoeff() - W.row(r).minCoeff();
    equal += static_cast<double>(((ours.row(r) - reference.row(r)).array().abs() <= 1e-5f * range).count());
  }
  return equal / static_cast<double>(W.size());
}

inline double share_of_equal_groups(const luq::coded_matrix<luq::basic_billm_codec<float>>& ours,
                                    const std::vector<int>& reference) {
  luq::index equal = 0;
  for (luq::index r = 0; r < ours.rows(); ++r) {
    for (luq::index c = 0; c < ours.cols(); ++c) {
      const luq::index size = luq::group_size(ours.codec, ours.cols());
      const bool salient = ours.groups[static_cast<std::size_t>(c / size)].class_of(c % size) == 1;
      const bool s = (ours.codes(r, c) & 1) != 0;
      const bool u = (ours.codes(r, c) & 2) != 0;
      const int group = salient ? 2 : s == u ? 1 : 0;  // membership is s XNOR u
      equal += group == reference[static_cast<std::size_t>(r * ours.cols() + c)] ? 1 : 0;
    }
  }
  return static_cast<double>(equal) / static_cast<double>(ours.codes.size());
}

/// The Hessian of the file's inputs, fed one sequence at a time, against the reference's.
inline golden_case compare_hessian(const luq::safetensors_reader& file, const luq::matrix& reference) {
  const auto& shape = file.shape("inputs");
  const auto inputs = file.read_floats("inputs");
  luq::hessian H(shape[2]);
  for (luq::index s = 0; s < shape[0]; ++s) {
    H.add(luq::view(inputs.data() + s * shape[1] * shape[2], shape[1], shape[2]));
  }
  // The reference counts sequences where ours counts tokens.
  const luq::matrix ours = H.matrix() * static_cast<float>(shape[1]);
  golden_case result{.name = "hessian"};
  result.error = static_cast<double>((ours - reference).norm() / reference.norm());
  result.passed = result.error <= 1e-5;
  return result;
}

/// @throws luq::error unsupported for a tensor whose name is no case, or as the reader
inline std::vector<golden_case> run_golden_file(const std::filesystem::path& path) {
  const luq::safetensors_reader file(path);
  const luq::matrix W = file.read_matrix("weight");
  const luq::matrix H = file.read_matrix("hessian");
  std::vector<golden_case> results{compare_hessian(file, H)};
  for (const std::string& tensor : file.names()) {
    if (tensor == "weight" || tensor == "inputs" || tensor == "hessian") continue;
    if (tensor.starts_with("billm.") && tensor.ends_with(".group")) continue;  // belongs to the case without it
    golden_name name(tensor);
    golden_case result{.name = tensor};
    luq::matrix ours;
    if (name.take("gptq")) {
      ours = run_published_gptq(W, H, name);
    } else if (name.take("billm")) {
      const auto codes = run_published_billm(W, H, name);
      ours = codes.decode();
      result.equal_groups = share_of_equal_groups(codes, file.read_integers<int>(tensor + ".group"));
    } else {
      name.reject();
    }
    const luq::matrix reference = file.read_matrix(tensor);
    result.equal_weights = share_of_equal_weights(W, ours, reference);
    result.error = luq::relative_output_error(W, ours, H);
    result.reference_error = luq::relative_output_error(W, reference, H);
    const bool same_error = result.ratio() >= 0.98 && result.ratio() <= 1.02;
    result.passed = same_error && (result.equal_groups ? *result.equal_groups >= 0.995 : result.equal_weights >= 0.99);
    results.push_back(result);
  }
  return results;
}

}  // namespace luq_test
