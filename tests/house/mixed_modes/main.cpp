// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A program of units that link luq::compiled and one that uses the same headers without it. Values, containers and
// errors pass between them, and both modes give the same bits.
#include <cstdio>
#include <stdexcept>

#include <luq/luq.hpp>

#include "header_only.hpp"

#ifndef LUQ_COMPILED
#error "this unit is to use the compiled library"
#endif

namespace {

bool expect(bool condition, const char* what) {
  if (!condition) std::fprintf(stderr, "expected that %s\n", what);
  return condition;
}

bool fails_with(luq::errc code, void (*action)()) {
  try {
    action();
  } catch (const luq::error& e) {
    return e.code() == code;
  }
  return false;
}

}  // namespace

int main() {
  const luq::matrix W = luq::random_normal_matrix(70, 96, luq::counter_rng(1));
  const luq::matrix X = luq::random_normal_matrix(300, 96, luq::counter_rng(2));
  luq::linear_inputs inputs(96);
  inputs.add(X);
  const luq::matrix decoded = luq::decode(luq::quantize({W, inputs}, luq::parse_recipe("int4:g32/gptq")).packed);
  bool good = expect(decoded == mixed_modes::quantize_header_only(W, X), "both modes choose the same codes");

  const luq::any_packed_matrix packed = mixed_modes::pack_header_only(W);
  luq::matrix here(300, 70);
  luq::matmul(packed, X, here);
  luq::matrix there(300, 70);
  mixed_modes::multiply_header_only(packed, X, there);
  good = expect(here.isApprox(there, 1e-5f), "a matrix that one mode packed is multiplied by both") && good;

  const auto unknown = [] { static_cast<void>(luq::parse_codec("int5")); };
  good = expect(fails_with(luq::errc::invalid_argument, unknown), "errors of the library are caught") && good;
  good = expect(fails_with(luq::errc::invalid_argument, mixed_modes::fail_header_only),
                "errors of the unit without it are caught") &&
         good;
  return good ? 0 : 1;
}
