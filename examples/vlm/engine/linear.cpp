// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include "linear.hpp"

#include <luq/core/assert.hpp>
#include <luq/core/error.hpp>
#include <luq/kernels/any_matmul.hpp>
#include <utility>

#ifdef EIGEN_HAS_OPENMP
#error "Define EIGEN_DONT_PARALLELIZE: products run on several threads already and must not start their own."
#endif

namespace vlm {

namespace {

struct weight_shape {
  luq::index out;
  luq::index in;
};

weight_shape shape_of(const luq::matrix& W) {
  return {W.rows(), W.cols()};
}

weight_shape shape_of(const luq::any_packed_matrix& W) {
  return {luq::rows_of(W), luq::cols_of(W)};
}

weight_shape shape_of(const luq::cuda::any_device_matrix& W) {
  return {W.rows(), W.cols()};
}

weight_shape shape_of(const linear::weights_pointer& weights) {
  return std::visit([](const auto& W) { return shape_of(*W); }, weights);
}

std::span<const std::byte> stored_bytes(const luq::matrix& W) {
  return std::as_bytes(std::span(W.data(), static_cast<std::size_t>(W.size())));
}

std::span<const std::byte> stored_bytes(const luq::any_packed_matrix& W) {
  return luq::bytes_of(W);
}

std::span<const std::byte> stored_bytes(const luq::cuda::any_device_matrix&) {
  return {};
}

void multiply(const luq::matrix& W, const luq::matrix_view& X, luq::matrix& Y, const compute_options&) {
  Y.noalias() = X * W.transpose();
}

void multiply(const luq::any_packed_matrix& W, const luq::matrix_view& X, luq::matrix& Y,
              const compute_options& compute) {
  luq::matmul(W, X, Y, {.activations = compute.activations}, compute.executor);
}

void multiply(const luq::cuda::any_device_matrix& W, const luq::matrix_view& X, luq::matrix& Y,
              const compute_options& compute) {
  const bool exact = compute.activations == luq::activation_mode::float32;
  W.multiply(X.data(), X.outerStride(), X.rows(),
             exact ? luq::cuda::activation_bits::sixteen : luq::cuda::activation_bits::eight, Y.data());
}

}  // namespace

linear::linear(weights_pointer weights, bias_pointer bias) : weights_(std::move(weights)), bias_(std::move(bias)) {
  LUQ_ASSERT(bias_ == nullptr || bias_->size() == out_features());
}

luq::index linear::out_features() const {
  return shape_of(weights_).out;
}

luq::index linear::in_features() const {
  return shape_of(weights_).in;
}

std::span<const std::byte> linear::bytes() const {
  return std::visit([](const auto& W) { return stored_bytes(*W); }, weights_);
}

void linear::set_weights(weights_pointer weights) {
  const weight_shape expected = shape_of(weights_);
  const weight_shape got = shape_of(weights);
  if (got.out != expected.out || got.in != expected.in) {
    luq::fail(luq::errc::shape_mismatch, "weights of a linear: expected ", expected.out, " x ", expected.in, ", got ",
              got.out, " x ", got.in);
  }
  weights_ = std::move(weights);
}

luq::matrix linear::operator()(const luq::matrix_view& X, const compute_options& compute) const {
  LUQ_ASSERT(X.cols() == in_features());
  luq::matrix Y(X.rows(), out_features());
  std::visit([&](const auto& W) { multiply(*W, X, Y, compute); }, weights_);
  if (bias_ != nullptr) Y.rowwise() += *bias_;
  return Y;
}

}  // namespace vlm
