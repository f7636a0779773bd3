// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "linear.hpp"

#include <luq/core/assert.hpp>
#include <luq/core/error.hpp>
#include <utility>

#ifdef EIGEN_HAS_OPENMP
#error \
    "Define EIGEN_DONT_PARALLELIZE: sequences run in parallel, so a matrix product must not start threads of its own."
#endif

namespace vlm {

namespace {

/// Whatever the kind of weights, their rows and columns.
luq::index rows_of(const linear::weights_pointer& weights) {
  return std::visit([](const auto& W) { return W->rows(); }, weights);
}
luq::index cols_of(const linear::weights_pointer& weights) {
  return std::visit([](const auto& W) { return W->cols(); }, weights);
}

void multiply(const luq::matrix& W, const luq::matrix_view& X, luq::matrix& Y) {
  Y.noalias() = X * W.transpose();
}

}  // namespace

linear::linear(weights_pointer weights, bias_pointer bias) : weights_(std::move(weights)), bias_(std::move(bias)) {
  LUQ_ASSERT(bias_ == nullptr || bias_->size() == out_features());
}

luq::index linear::out_features() const {
  return rows_of(weights_);
}

luq::index linear::in_features() const {
  return cols_of(weights_);
}

void linear::set_weights(weights_pointer weights) {
  if (rows_of(weights) != out_features() || cols_of(weights) != in_features()) {
    luq::fail(luq::errc::shape_mismatch, "weights of a linear: expected ", out_features(), " x ", in_features(),
              ", got ", rows_of(weights), " x ", cols_of(weights));
  }
  weights_ = std::move(weights);
}

luq::matrix linear::operator()(const luq::matrix_view& X) const {
  LUQ_ASSERT(X.cols() == in_features());
  luq::matrix Y(X.rows(), out_features());
  std::visit([&](const auto& W) { multiply(*W, X, Y); }, weights_);
  if (bias_ != nullptr) Y.rowwise() += *bias_;
  return Y;
}

}  // namespace vlm
