// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The content of tests/data/io/reference_types.safetensors, in an order that is not the file's. Written a second time
// here, not read from the file, so that reader and writer cannot err together.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "luq/core/index.hpp"
#include "luq/io/tensors/tensor_info.hpp"

namespace luq_test {

struct reference_tensor {
  std::string name;
  luq::tensor_dtype dtype;
  std::vector<luq::index> shape;
  std::string data;
};

/// The bytes that make_reference_files.py gives to a tensor of this name.
[[nodiscard]] inline std::string pattern(const std::string& name, std::size_t count) {
  std::string data;
  for (std::size_t i = 0; i < count; ++i) data += static_cast<char>((7 * i + 13 * name.size()) % 256);
  return data;
}

[[nodiscard]] inline std::vector<reference_tensor> reference_tensors() {
  using enum luq::tensor_dtype;
  std::vector<reference_tensor> tensors;
  const auto add = [&](const std::string& name, luq::tensor_dtype dtype, std::vector<luq::index> shape,
                       std::size_t bytes) { tensors.push_back({name, dtype, std::move(shape), pattern(name, bytes)}); };
  add("z.bool", boolean, {3, 5}, 15);
  add("z.int8", i8, {3, 5}, 15);
  add("z.uint8", u8, {3, 5}, 15);
  add("z.int16", i16, {3, 5}, 30);
  add("z.uint16", u16, {3, 5}, 30);
  add("z.int32", i32, {3, 5}, 60);
  add("z.uint32", u32, {3, 5}, 60);
  add("z.int64", i64, {3, 5}, 120);
  add("z.uint64", u64, {3, 5}, 120);
  add("z.float16", f16, {3, 5}, 30);
  add("z.float32", f32, {3, 5}, 60);
  add("z.float64", f64, {3, 5}, 120);
  add("z.bfloat16", bf16, {3, 5}, 30);
  add("z.float8_e4m3fn", f8_e4m3, {3, 5}, 15);
  add("z.float8_e4m3fnuz", f8_e4m3fnuz, {3, 5}, 15);
  add("z.float8_e5m2", f8_e5m2, {3, 5}, 15);
  add("z.float8_e5m2fnuz", f8_e5m2fnuz, {3, 5}, 15);
  add("z.float8_e8m0fnu", f8_e8m0, {3, 5}, 15);
  add("z.float4_e2m1fn_x2", f4, {3, 10}, 15);
  add("z.complex64", c64, {3, 5}, 120);
  add("scalar", f32, {}, 4);
  add("empty", f32, {0}, 0);
  add("empty.2", f64, {4, 0, 7}, 0);
  add("a", f32, {2, 1, 3}, 24);
  add("B", f32, {1}, 4);
  add("layer.10.weight", f16, {4}, 8);
  add("layer.2.weight", f16, {4}, 8);
  add("quote \" and \\ and /", u8, {3}, 3);
  add("gr\xC3\xB6\xC3\x9F"
      "e \xF0\x9F\x98\x80",
      i16, {1}, 2);
  return tensors;
}

[[nodiscard]] inline std::map<std::string, std::string> reference_metadata() {
  return {{"note", "tab\t line\n quote\" back\\ slash/ bell\x07 del\x7f \xC3\xBC \xF0\x9F\x98\x80"}};
}

}  // namespace luq_test
