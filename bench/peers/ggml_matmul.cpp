// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// ggml's products with its own packed formats, in the cases and turns of bench.kernels.matmul: the same shapes, the
// same number of bytes streamed, the same yardsticks, and luq's nearest codecs in the same run. Names, counters and
// LUQ_BENCH_FOOTPRINT_MIB are those of bench.kernels.matmul, so report.py reads both.
//
// A format's name is ggml's with "ggml-" before it; "-repacked" is the layout into which ggml's CPU backend rewrites
// weights when a model is loaded, where it has one for the format. Formats that this version of ggml lacks are left
// out. ggml runs a graph of one node, planned beforehand, on a thread pool that stays; like luq's, its time includes
// the quantization of activations.
#include <benchmark/benchmark.h>
#include <ggml-cpp.h>
#include <ggml-cpu.h>
#include "luq/core/random_matrix.hpp"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../huge_pages.hpp"
#include "../packed_products.hpp"
#include "../run_benchmarks.hpp"

namespace {

using luq_bench::matrix_shape;

constexpr const char* format_names[] = {"f16", "q4_0", "q4_K", "q2_K", "tq2_0", "iq1_m", "tq1_0", "q1_0"};

/// Codecs of luq that are measured beside them, of about the same bits.
constexpr const char* codec_names[] = {"int4:g128:sym", "billm:g128", "int2:g128", "ternary:g128", "sign:g128"};

std::optional<ggml_type> find_format(const std::string& name) {
  for (int type = 0; type < GGML_TYPE_COUNT; ++type) {
    const char* known = ggml_type_name(static_cast<ggml_type>(type));
    if (known != nullptr && name == known) return static_cast<ggml_type>(type);
  }
  return std::nullopt;
}

ggml_context_ptr make_context(std::size_t bytes) {
  return ggml_context_ptr(ggml_init({.mem_size = bytes, .mem_buffer = nullptr, .no_alloc = true}));
}

/// Where the CPU backend would rewrite weights of a format, or null.
ggml_backend_buffer_type_t repacking_buffer_type(ggml_type format, const matrix_shape& shape) {
  const ggml_backend_reg_t registry = ggml_backend_cpu_reg();
  const ggml_backend_dev_t device = ggml_backend_reg_dev_get(registry, 0);
  const auto get_types = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
      ggml_backend_reg_get_proc_address(registry, "ggml_backend_dev_get_extra_bufts"));
  if (get_types == nullptr) return nullptr;
  const ggml_context_ptr context = make_context(4 * ggml_tensor_overhead());
  ggml_tensor* W = ggml_new_tensor_2d(context.get(), format, shape.in, shape.out);
  ggml_tensor* X = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, shape.in, 1);
  ggml_tensor* Y = ggml_mul_mat(context.get(), W, X);
  for (auto type = get_types(device); type != nullptr && *type != nullptr; ++type) {
    const ggml_backend_buffer_ptr empty(ggml_backend_buft_alloc_buffer(*type, 0));
    W->buffer = empty.get();
    if (ggml_backend_dev_supports_op(device, Y)) return *type;
  }
  return nullptr;
}

/// Random weights of one row tile in a format, again and again for all rows.
std::vector<std::byte> random_weights(ggml_type format, const matrix_shape& shape) {
  constexpr luq::index rows = 64;
  const luq::matrix W = luq::random_normal_matrix(rows, shape.in, luq::counter_rng(2));
  const std::vector<float> importance(static_cast<std::size_t>(shape.in), 1.0f);  // some formats cannot do without
  std::vector<std::byte> tile(ggml_row_size(format, shape.in) * static_cast<std::size_t>(rows));
  ggml_quantize_chunk(format, W.data(), tile.data(), 0, rows, shape.in, importance.data());
  std::vector<std::byte> result;
  for (luq::index first = 0; first < shape.out; first += rows) result.insert(result.end(), tile.begin(), tile.end());
  return result;
}

/// Matrices of one format and shape in one buffer, at least `footprint` bytes in all.
class ggml_weights {
 public:
  ggml_weights(ggml_type format, const matrix_shape& shape, std::size_t footprint, ggml_backend_buffer_type_t type) {
    const std::vector<std::byte> bytes = random_weights(format, shape);
    const std::size_t count = footprint / bytes.size() + 1;
    context_ = make_context(count * ggml_tensor_overhead());
    for (std::size_t i = 0; i < count; ++i) {
      tensors_.push_back(ggml_new_tensor_2d(context_.get(), format, shape.in, shape.out));
    }
    buffer_.reset(ggml_backend_alloc_ctx_tensors_from_buft(context_.get(), type));
    if (!buffer_) luq::fail(luq::errc::unsupported, "ggml could not allocate ", count * bytes.size(), " bytes");
    ggml_backend_buffer_set_usage(buffer_.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    luq_bench::advise_huge_pages(ggml_backend_buffer_get_base(buffer_.get()),
                                 ggml_backend_buffer_get_size(buffer_.get()));
    for (ggml_tensor* tensor : tensors_) ggml_backend_tensor_set(tensor, bytes.data(), 0, bytes.size());
  }

  [[nodiscard]] const std::vector<ggml_tensor*>& tensors() const { return tensors_; }

  [[nodiscard]] std::vector<std::span<const std::byte>> buffers() const {
    std::vector<std::span<const std::byte>> result;
    for (const ggml_tensor* tensor : tensors_) {
      result.emplace_back(static_cast<const std::byte*>(tensor->data), ggml_nbytes(tensor));
    }
    return result;
  }

 private:
  ggml_context_ptr context_;
  ggml_backend_buffer_ptr buffer_;
  std::vector<ggml_tensor*> tensors_;
};

struct threadpool_deleter {
  void operator()(ggml_threadpool* pool) const { ggml_threadpool_free(pool); }
};

/// A CPU backend with threads of its own.
class ggml_cpu {
 public:
  explicit ggml_cpu(int threads) : backend_(ggml_backend_cpu_init()) {
    ggml_threadpool_params params = ggml_threadpool_params_default(threads);
    pool_.reset(ggml_threadpool_new(&params));
    ggml_backend_cpu_set_n_threads(backend_.get(), threads);
    ggml_backend_cpu_set_threadpool(backend_.get(), pool_.get());
  }

  [[nodiscard]] ggml_backend_t get() const { return backend_.get(); }

 private:
  std::unique_ptr<ggml_threadpool, threadpool_deleter> pool_;  // outlives the backend
  ggml_backend_ptr backend_;
};

/// For each matrix a planned graph of one product; all take the same activations and write the same results.
class ggml_multiplication {
 public:
  ggml_multiplication(const ggml_weights& weights, const matrix_shape& shape, luq::index tokens, const ggml_cpu& cpu)
      : backend_(cpu.get()) {
    const std::size_t count = weights.tensors().size();
    constexpr std::size_t nodes = 4;
    context_ = make_context((count + 1) * ggml_tensor_overhead() + count * ggml_graph_overhead_custom(nodes, false));
    ggml_tensor* X = ggml_new_tensor_2d(context_.get(), GGML_TYPE_F32, shape.in, tokens);
    const std::size_t alignment = ggml_backend_get_alignment(backend_);
    const std::size_t x_bytes = (ggml_nbytes(X) + alignment - 1) / alignment * alignment;
    const std::size_t y_bytes = sizeof(float) * static_cast<std::size_t>(shape.out * tokens);
    buffer_.reset(ggml_backend_alloc_buffer(backend_, x_bytes + y_bytes));
    auto* base = static_cast<std::byte*>(ggml_backend_buffer_get_base(buffer_.get()));
    ggml_backend_tensor_alloc(buffer_.get(), X, base);
    const luq::matrix values = luq::random_normal_matrix(tokens, shape.in, luq::counter_rng(1));
    ggml_backend_tensor_set(X, values.data(), 0, ggml_nbytes(X));
    for (ggml_tensor* W : weights.tensors()) {
      ggml_tensor* Y = ggml_mul_mat(context_.get(), W, X);
      ggml_backend_tensor_alloc(buffer_.get(), Y, base + x_bytes);
      ggml_cgraph* graph = ggml_new_graph_custom(context_.get(), nodes, false);
      ggml_build_forward_expand(graph, Y);
      plans_.push_back(ggml_backend_graph_plan_create(backend_, graph));
    }
  }
  ggml_multiplication(const ggml_multiplication&) = delete;
  ggml_multiplication& operator=(const ggml_multiplication&) = delete;
  ~ggml_multiplication() {
    for (ggml_backend_graph_plan_t plan : plans_) ggml_backend_graph_plan_free(backend_, plan);
  }

  void operator()(std::size_t i) {
    if (ggml_backend_graph_plan_compute(backend_, plans_[i]) != GGML_STATUS_SUCCESS) {
      luq::fail(luq::errc::unsupported, "ggml could not compute a product");
    }
  }

 private:
  ggml_backend_t backend_;
  ggml_context_ptr context_;
  ggml_backend_buffer_ptr buffer_;
  std::vector<ggml_backend_graph_plan_t> plans_;
};

/// Either layout of a format.
struct ggml_format {
  ggml_type type;
  bool repacked;

  [[nodiscard]] std::string name() const {
    return std::string("ggml-") + ggml_type_name(type) + (repacked ? "-repacked" : "");
  }
  [[nodiscard]] ggml_backend_buffer_type_t buffer_type(const matrix_shape& shape) const {
    return repacked ? repacking_buffer_type(type, shape) : ggml_backend_cpu_buffer_type();
  }
};

/// The weights of the last measurement again if they are the same, else new ones.
const ggml_weights& weights_of(const ggml_format& format, const matrix_shape& shape) {
  static std::unique_ptr<ggml_weights> last;
  static std::string last_key;
  const std::string key = format.name() + "/" + shape.name();
  if (key != last_key) {
    last.reset();
    last =
        std::make_unique<ggml_weights>(format.type, shape, luq_bench::streamed_footprint(), format.buffer_type(shape));
    last_key = key;
  }
  return *last;
}

void register_ggml_products(const ggml_format& format) {
  luq_bench::for_each_case(
      false,
      [&](const matrix_shape& shape, int threads) {
        if (format.buffer_type(shape) == nullptr) return;
        const std::string details = "threads:" + std::to_string(threads);
        luq_bench::register_measured_once(
            luq_bench::product_name("decode", format.name(), shape, details), [=](benchmark::State& state) {
              const ggml_weights& weights = weights_of(format, shape);
              luq_bench::weight_rotation rotation(shape, weights.buffers());
              const ggml_cpu cpu(threads);
              ggml_multiplication multiply(weights, shape, 1, cpu);
              luq_bench::measure_decode(state, rotation, luq::openmp_executor{threads}, multiply);
            });
      },
      [&](const matrix_shape& shape, int tokens, int threads) {
        if (format.buffer_type(shape) == nullptr) return;
        const std::string details = "tokens:" + std::to_string(tokens) + "/threads:" + std::to_string(threads);
        luq_bench::register_measured_once(
            luq_bench::product_name("prefill", format.name(), shape, details), [=](benchmark::State& state) {
              const ggml_weights& weights = weights_of(format, shape);
              luq_bench::weight_rotation rotation(shape, weights.buffers());
              const ggml_cpu cpu(threads);
              ggml_multiplication multiply(weights, shape, tokens, cpu);
              ggml_multiplication multiply_one(weights, shape, 1, cpu);
              luq_bench::measure_prefill(state, rotation, tokens, luq::openmp_executor{threads}, multiply,
                                         multiply_one);
            });
      });
}

/// What ggml has to say, less its progress reports.
void print_warning(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_WARN || level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
}

void register_products() {
  benchmark::AddCustomContext("ggml", ggml_version());
  for (const char* name : format_names) {
    const std::optional<ggml_type> type = find_format(name);
    if (!type) continue;
    register_ggml_products({*type, false});
    register_ggml_products({*type, true});
  }
  for (const char* codec : codec_names) luq_bench::register_packed_products({codec}, false);
}

}  // namespace

int main(int argc, char** argv) {
  ggml_log_set(print_warning, nullptr);
  const int status = luq_bench::run_benchmarks(argc, argv, {luq_bench::footprint_variable}, register_products);
  ggml_quantize_free();
  return status;
}
