// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// GPTQ and BiLLM against outputs of their reference implementations (tests/data/golden/README.md). The published
// quirks are options here, and scales are kept in float as there.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "luq/codecs/billm_codec.hpp"
#include "luq/codecs/int_codec.hpp"
#include "luq/estimators/hessian.hpp"
#include "luq/io/safetensors.hpp"
#include "luq/quantizers/billm.hpp"
#include "luq/quantizers/gptq.hpp"
#include "luq/quantizers/output_error.hpp"
#include "luq/quantizers/quantize.hpp"

using luq::matrix;

namespace {

const std::vector<std::string> golden_files{LUQ_TEST_DATA "/golden/linear_64x256.safetensors",
                                            LUQ_TEST_DATA "/golden/linear_48x320_ragged_dead.safetensors"};

bool has(const std::string& name, const std::string& part) {
  return name.find(part) != std::string::npos;
}

template <unsigned Bits>
matrix run_gptq(const matrix& W, const matrix& H, const std::string& name) {
  const luq::basic_int_codec<Bits, float> codec{
      .group = has(name, ".grow")  ? luq::whole_row
               : has(name, ".g64") ? 64
                                   : 128,
      .symmetric = has(name, ".sym"),
      .range = has(name, ".mse") ? luq::int_range::searched : luq::int_range::minmax,
      .published_one_sided_range = true};
  const luq::gptq published{
      .order = has(name, ".actorder") ? luq::column_order::activation : luq::column_order::natural,
      .static_groups = has(name, ".static"),
      .weighted_fit = false,
      .fit = luq::group_fit::block_start};
  return luq::quantize_codes(W, H, codec, published).decode();
}

matrix run_gptq(const matrix& W, const matrix& H, const std::string& name) {
  if (has(name, "gptq.b2.")) return run_gptq<2>(W, H, name);
  if (has(name, "gptq.b3.")) return run_gptq<3>(W, H, name);
  if (has(name, "gptq.b4.")) return run_gptq<4>(W, H, name);
  REQUIRE(has(name, "gptq.b8."));
  return run_gptq<8>(W, H, name);
}

/// Share of weights equal within 1e-5 of the range of their row.
double share_of_equal_weights(const matrix& W, const matrix& ours, const matrix& reference) {
  double equal = 0;
  for (luq::index r = 0; r < W.rows(); ++r) {
    const float range = W.row(r).maxCoeff() - W.row(r).minCoeff();
    equal += static_cast<double>(((ours.row(r) - reference.row(r)).array().abs() <= 1e-5f * range).count());
  }
  return equal / static_cast<double>(W.size());
}

}  // namespace

TEST_CASE("GPTQ agrees with the reference implementation in every published setting") {
  for (const auto& path : golden_files) {
    const luq::safetensors_reader file(path);
    const matrix W = file.read_matrix("weight");
    const matrix H = file.read_matrix("hessian");
    int cases = 0;
    for (const std::string& name : file.names()) {
      if (!name.starts_with("gptq.")) continue;
      CAPTURE(path);
      CAPTURE(name);
      ++cases;
      const matrix reference = file.read_matrix(name);
      const matrix ours = run_gptq(W, H, name);
      CHECK(share_of_equal_weights(W, ours, reference) >= 0.99);
      const double ratio = luq::relative_output_error(W, ours, H) / luq::relative_output_error(W, reference, H);
      CHECK(ratio > 0.98);
      CHECK(ratio < 1.02);
    }
    CHECK(cases == 21);
  }
}

TEST_CASE("BiLLM agrees with the reference implementation, groups and weights") {
  for (const auto& path : golden_files) {
    const luq::safetensors_reader file(path);
    const matrix W = file.read_matrix("weight");
    const matrix H = file.read_matrix("hessian");
    for (const std::string name :
         {"billm.hessian", "billm.hessian.nofeedback", "billm.magnitude", "billm.magnitude.nofeedback"}) {
      CAPTURE(path);
      CAPTURE(name);
      const luq::basic_billm_codec<float> codec{.metric = has(name, "magnitude") ? luq::saliency::magnitude
                                                                                 : luq::saliency::hessian};
      const luq::billm rule{.compensation = has(name, "nofeedback") ? luq::block_compensation::none
                                                                    : luq::block_compensation::published};
      const auto codes = luq::quantize_codes(W, H, codec, rule);
      const matrix ours = codes.decode();
      const matrix reference = file.read_matrix(name);
      CHECK(share_of_equal_weights(W, ours, reference) >= 0.99);
      const double ratio = luq::relative_output_error(W, ours, H) / luq::relative_output_error(W, reference, H);
      CHECK(ratio > 0.98);
      CHECK(ratio < 1.02);

      const auto group = file.read_integers<int>(name + ".group");
      luq::index equal = 0;
      for (luq::index r = 0; r < W.rows(); ++r) {
        for (luq::index c = 0; c < W.cols(); ++c) {
          const bool salient = codes.groups[static_cast<std::size_t>(c / 128)].class_of(c % 128) == 1;
          const bool s = (codes.codes(r, c) & 1) != 0;
          const bool u = (codes.codes(r, c) & 2) != 0;
          const int ours_group = salient ? 2 : s == u ? 1 : 0;  // membership is s XNOR u
          equal += ours_group == group[static_cast<std::size_t>(r * W.cols() + c)] ? 1 : 0;
        }
      }
      CHECK(static_cast<double>(equal) / static_cast<double>(W.size()) >= 0.995);
    }
  }
}

TEST_CASE("the Hessian of the same inputs is the reference's, up to its count of sequences") {
  for (const auto& path : golden_files) {
    CAPTURE(path);
    const luq::safetensors_reader file(path);
    const matrix reference = file.read_matrix("hessian");
    const auto shape = file.shape("inputs");
    const auto inputs = file.read_floats("inputs");
    luq::hessian H(shape[2]);
    for (luq::index s = 0; s < shape[0]; ++s) {
      H.add(luq::view(inputs.data() + s * shape[1] * shape[2], shape[1], shape[2]));
    }
    CHECK(H.tokens() == shape[0] * shape[1]);
    const matrix ours = H.matrix() * static_cast<float>(shape[1]);  // tokens per sequence
    CHECK((ours - reference).norm() / reference.norm() <= 1e-5f);
  }
}
