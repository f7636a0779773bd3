// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// A function or variable of a header that is not inline would be defined twice when these two units are linked.
#include <luq/io/exports/export_linter.hpp>
#include <luq/io/gguf/ggml_blocks.hpp>
#include <luq/io/gguf/gguf.hpp>
#include <luq/io/gptq/gptq_config_json.hpp>
#include <luq/io/gptq/gptq_plan_config.hpp>
#include <luq/io/gptq/gptq_safetensors.hpp>
#include <luq/io/llama_cpp/llama_cpp_export.hpp>
#include <luq/io/luq/packed_model.hpp>
#include <luq/io/safetensors/checkpoint.hpp>
#include <luq/io/tensors/dlpack.hpp>
#include <luq/luq.hpp>

double bits_in_second_unit();

int main() {
  const luq::matrix W = luq::random_normal_matrix(3, 5, luq::counter_rng(1));
  const auto packed = luq::quantize(W, luq::sign_codec{}, luq::round_to_nearest{});
  return packed.bits_per_weight() == bits_in_second_unit() ? 0 : 1;
}
