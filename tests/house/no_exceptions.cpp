// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What an inference engine needs, compiled without exceptions and without run-time types: products work, and an error
// reaches the handler.
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <luq/codecs/any_packed_matrix.hpp>
#include <luq/core/error.hpp>
#include <luq/core/openmp_executor.hpp>
#include <luq/kernels/any_matmul.hpp>
#include <luq/kernels/matmul.hpp>
#include <luq/kernels/reference.hpp>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this is to be compiled with -fno-exceptions and -fno-rtti"
#endif

namespace {

[[noreturn]] void expect_too_few_bytes(luq::errc code, const char* message) {
  const bool expected =
      code == luq::errc::corrupt_file &&
      std::string_view(message) == "packed matrix of codec sign:g128, 2 x 128: expected 36 bytes, got 35";
  if (!expected) std::fprintf(stderr, "unexpected error: %s\n", message);
  std::_Exit(expected ? 0 : 1);
}

luq::any_packed_matrix ones(luq::index bytes) {
  return luq::make_packed_matrix(luq::any_codec(luq::sign_codec{}), 2, 128,
                                 luq::aligned_buffer<std::byte>(static_cast<std::size_t>(bytes), std::byte{0x3c}));
}

}  // namespace

int main() {
  const luq::any_packed_matrix W = ones(36);
  const luq::matrix X = luq::matrix::Constant(1, 128, 1.0f);
  luq::matrix Y(1, 2);
  luq::matrix expected(1, 2);
  luq::matmul(W, X, Y, {}, luq::openmp_executor{2});
  luq::matmul_reference(std::get<luq::packed_matrix<luq::sign_codec>>(W), X, expected);
  if (!Y.isApprox(expected, 1e-5f)) {
    std::fprintf(stderr, "a product is wrong\n");
    return 1;
  }
  if (luq::set_error_handler(expect_too_few_bytes) != nullptr) return 1;
  static_cast<void>(ones(35));
  std::fprintf(stderr, "no error\n");
  return 1;
}
