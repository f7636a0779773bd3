// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products with packed matrices, beside what the machine allows, measured in turns in the same run:
//
//   matmul/decode/CODEC/OUTxIN/threads:N             one token, weights streamed from memory; fraction_of_bandwidth is
//                                                    that of reading the same buffers on the same threads
//   matmul/resident-l2/..., matmul/resident-l3/...   one token, one matrix that stays in that cache
//   matmul/prefill/CODEC/OUTxIN/tokens:N/threads:N   several tokens; fraction_of_INSTRUCTION_peak is that of the
//   fastest
//                                                    instructions, of_single_tokens the time over that of as many
//                                                    products with one token; weights streamed as above
//
// Activations are int8 unless the name says otherwise. A fraction is the median of several turns, _least and _greatest
// are its spread; the time shown is the median of a product. All threads of the machine and a single one are measured.
//
//   LUQ_BENCH_SET=full           float32 activations and prefill of all shapes, too
//   LUQ_BENCH_FOOTPRINT_MIB=N    bytes of the matrices that take turns (product_cases.hpp)
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../packed_products.hpp"
#include "../run_benchmarks.hpp"

namespace {

using luq_bench::matrix_shape;
using luq_bench::packed_product;

constexpr const char* set_variable = "LUQ_BENCH_SET";

bool full_set() {
  const char* text = std::getenv(set_variable);
  const std::string_view name = text == nullptr ? "" : text;
  if (!name.empty() && name != "full") {
    luq::fail(luq::errc::invalid_argument, set_variable, ": expected \"full\" or nothing, got \"", name, "\"");
  }
  return name == "full";
}

std::vector<packed_product> products() {
  std::vector<packed_product> result;
  for (const std::string& codec : luq_bench::codec_names()) result.push_back({codec});
  for (const char* codec : {"sign:g128", "bcq2:g128", "billm:g128"}) {  // codecs of sign planes
    result.push_back({codec, luq::activation_mode::lookup, "lookup"});
  }
  if (full_set()) {
    for (const std::string& codec : luq_bench::codec_names()) {
      result.push_back({codec, luq::activation_mode::float32, "float32"});
    }
  }
  return result;
}

/// Bytes of the cache of a level that a core can use, if the system tells.
std::optional<double> cache_bytes(int level) {
  for (const auto& cache : benchmark::CPUInfo::Get().caches) {
    if (cache.level == level && cache.type != "Instruction") return cache.size;
  }
  return std::nullopt;
}

/// As many rows of `in` columns as take `bytes`, a multiple of luq::tile_rows.
matrix_shape shape_of_size(const std::string& codec, luq::index in, double bytes) {
  const luq::any_codec chosen = luq::parse_codec(codec);
  const auto tile_bytes = static_cast<double>(luq::packed_bytes(chosen, luq::tile_rows, in));
  return {static_cast<luq::index>(bytes / tile_bytes) * luq::tile_rows, in};
}

void register_resident(const packed_product& product, int threads) {
  // The rest of the second level is left to activations, results and the lines around them; of a third level that
  // other cores or machines share, a core's part is anyone's guess.
  if (const auto size = cache_bytes(2)) {
    const matrix_shape shape = shape_of_size(product.codec, 2048, 0.6 * *size);
    if (shape.out > 0) luq_bench::register_packed_decode("resident-l2", product, shape, 0, threads);
  }
  if (const auto size = cache_bytes(3)) {
    const matrix_shape shape = shape_of_size(product.codec, 4096, std::min(0.4 * *size, 12.0 * (1 << 20)));
    if (shape.out > 0) luq_bench::register_packed_decode("resident-l3", product, shape, 0, threads);
  }
}

void register_products() {
  for (const packed_product& product : products()) {
    luq_bench::register_packed_products(product, full_set());
    for (const int threads : luq_bench::thread_counts()) register_resident(product, threads);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return luq_bench::run_benchmarks(argc, argv, {set_variable, luq_bench::footprint_variable}, register_products);
}
