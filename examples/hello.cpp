// A random linear layer at one bit and at four bits a weight, with and without looking at its inputs.
#include <cstdio>
#include <luq/luq.hpp>

int main() {
  const luq::matrix W = luq::random_normal_matrix(256, 512, luq::counter_rng(1));              // [out x in]
  luq::matrix X = luq::random_normal_matrix(2048, 512, luq::counter_rng(2));                   // [tokens x in]
  for (luq::index c = 1; c < X.cols(); ++c) X.col(c) = 0.8f * X.col(c - 1) + 0.6f * X.col(c);  // correlated inputs

  luq::linear_inputs inputs(512);
  inputs.add(X);
  const auto report = [&](const char* name, const auto& linear) {
    luq::matrix Y(X.rows(), W.rows());
    luq::matmul(linear.packed, X, Y);  // Y [tokens x out], straight from the packed bytes
    const luq::matrix exact = X * W.transpose();
    std::printf("%s %.3f bits a weight, output error %4.1f %%\n", name, linear.bits_per_weight(),
                100 * (Y - exact).squaredNorm() / exact.squaredNorm());
  };
  report("sign, rounded:", luq::quantize(W, luq::sign_codec{.group = 128}, luq::round_to_nearest{}));
  report("sign, GPTQ:   ", luq::quantize({W, inputs}, luq::sign_codec{.group = 128}, luq::gptq{}));
  report("int4, GPTQ:   ", luq::quantize({W, inputs}, luq::int_codec<4>{.group = 128}, luq::gptq{}));
}
