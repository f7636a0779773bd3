// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Numbers in memory whose type is known at run time, as kernels read and write them.
#include <doctest/doctest.h>

#include <array>
#include <luq/kernels/cuda/detail/products/output_rows.cuh>
#include <luq/kernels/cuda/detail/warp/numbers.cuh>

namespace {

template <class Stored>
void check_numbers() {
  using namespace luq::cuda::detail;
  constexpr number_type type = number_type_of<Stored>();
  std::array<Stored, 6> memory{};
  // 1/3 is no number of any of the types; 2^-20 is subnormal as a half.
  const std::array<float, 6> values{0.0f, -1.5f, 1.0f / 3, 0x1p-20f, 1000.0f, -1.0f / 3};
  for (std::size_t i = 0; i < values.size(); ++i) {
    write_number(values[i], memory.data(), type, static_cast<std::int64_t>(i));
    CHECK(memory[i] == Stored(values[i]));
    CHECK(read_number(memory.data(), type, static_cast<std::int64_t>(i)) == static_cast<float>(Stored(values[i])));
  }
  const int columns[3] = {2, no_column, 0};
  float read[3] = {7, 7, 7};
  read_numbers(memory.data(), type, 3, columns, read);
  CHECK(read[0] == static_cast<float>(memory[5]));
  CHECK(read[1] == 0);
  CHECK(read[2] == static_cast<float>(memory[3]));
}

template <class Output, class Bias>
void check_output_rows() {
  using namespace luq::cuda::detail;
  const std::array<Bias, 2> bias{Bias(0.5f), Bias(1.0f / 3)};
  std::array<Output, 6> memory{};
  const output_rows out{memory.data(), bias.data(), 3, number_type_of<Output>(), number_type_of<Bias>()};
  out.write(1, 1, 0.1f + out.bias_of(1));
  CHECK(memory[4] == Output(0.1f + static_cast<float>(bias[1])));
  for (const int other : {0, 1, 2, 3, 5}) CHECK(memory[static_cast<std::size_t>(other)] == Output(0.0f));
  CHECK(output_rows{memory.data(), nullptr, 3, number_type_of<Output>(), number_type_of<float>()}.bias_of(1) == 0);
}

}  // namespace

TEST_CASE("numbers of every type are read and written at run time as they are when the type is known") {
  check_numbers<float>();
  check_numbers<luq::half>();
  check_numbers<luq::bfloat16>();
}

TEST_CASE("outputs and biases may have different types") {
  check_output_rows<float, luq::half>();
  check_output_rows<luq::half, luq::bfloat16>();
  check_output_rows<luq::bfloat16, float>();
}
