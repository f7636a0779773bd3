// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cstring>

#include "luq/core/openmp_executor.hpp"
#include "luq/core/random_matrix.hpp"
#include "luq/kernels/matmul.hpp"
#include "packed_product.hpp"

using luq::activation_mode;
using luq::matrix;

namespace {

bool same_bits(const matrix& A, const matrix& B) {
  return A.size() == B.size() && std::memcmp(A.data(), B.data(), static_cast<std::size_t>(A.size()) * 4) == 0;
}

/// Runs tasks from the last to the first.
struct reverse_executor {
  [[nodiscard]] int concurrency() const { return 1; }
  template <class Task>
  void parallel_for(luq::index count, Task&& task) const {
    while (count > 0) task(--count);
  }
};

}  // namespace

TEST_CASE("products are the same bits for any number of threads and any order of tasks") {
  luq_test::for_each_implementation([] {
    for (const luq::index group : {luq::index{32}, luq::whole_row}) {
      for (const auto& codec : luq_test::all_codecs(group)) {
        CAPTURE(luq::codec_name(codec));
        for (const luq::index rows : {1, 64, 300}) {
          for (const luq::index tokens : {1, 7}) {
            for (const auto mode : {activation_mode::float32, activation_mode::int8}) {
              CAPTURE(rows);
              CAPTURE(tokens);
              const auto problem = luq_test::make_packed_problem(codec, rows, 258, 1);
              const matrix X = luq::random_normal_matrix(tokens, 258, luq::counter_rng(2));
              const matrix serial = luq_test::multiplied(problem.packed, X, mode);
              CHECK(serial.allFinite());
              for (const int threads : {1, 2, 3}) {
                CAPTURE(threads);
                const luq::openmp_executor executor{.threads = threads};
                CHECK(same_bits(luq_test::multiplied(problem.packed, X, mode, executor), serial));
              }
              CHECK(same_bits(luq_test::multiplied(problem.packed, X, mode, reverse_executor{}), serial));
            }
          }
        }
      }
    }
  });
}
