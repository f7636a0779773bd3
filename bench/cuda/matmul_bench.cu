// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products with packed matrices on a GPU beside what it can do: one to 16 tokens beside reading the same bytes, 512
// tokens beside the rate of bf16 products, and all beside cuBLAS with weights in bf16. Weights are more than the second
// level of cache holds: as many copies as it takes, one after the other. Prints tables.
#include <cmath>
#include <cstdio>
#include <exception>
#include <luq/codecs/billm_codec.hpp>
#include <luq/codecs/int_codec.hpp>
#include <luq/codecs/lut2_codec.hpp>
#include <luq/codecs/sign_codec.hpp>
#include <luq/codecs/ternary_codec.hpp>
#include <luq/core/random.hpp>
#include <luq/kernels/cuda/matmul.cuh>
#include <memory>
#include <string>
#include <vector>

#include "device_timer.cuh"

namespace {

using luq::cuda::activation_bits;

struct shape {
  int out;
  int in;
};

/// What the machine of this run can do.
struct limits {
  double bytes_per_second;
  double operations_per_second;
  std::size_t cache_bytes;
};

/// A packed matrix of random bytes. Of each byte the upper two bits are 0, so that halves are finite numbers.
template <class Codec>
luq::packed_matrix<Codec> random_matrix(const Codec& codec, const shape& size) {
  luq::aligned_buffer<std::byte> bytes(static_cast<std::size_t>(codec.bytes(size.out, size.in)));
  const luq::counter_rng rng(7);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(rng.below(i, 64));
  return {codec, size.out, size.in, std::move(bytes)};
}

/// Copies of something of `bytes` bytes that together are four times as large as the cache.
int copies_beyond(std::size_t cache_bytes, double bytes) {
  return static_cast<int>(std::ceil(4.0 * static_cast<double>(cache_bytes) / bytes)) + 1;
}

double time_of_bf16(const shape& size, int tokens, const limits& machine, const luq_bench::blas& products,
                    cudaStream_t stream) {
  const std::size_t weights = static_cast<std::size_t>(size.out) * static_cast<std::size_t>(size.in);
  const int copies = copies_beyond(machine.cache_bytes, 2.0 * static_cast<double>(weights));
  luq::cuda::device_array<__nv_bfloat16> W(weights * static_cast<std::size_t>(copies), stream);
  luq::cuda::device_array<__nv_bfloat16> X(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size.in),
                                           stream);
  luq::cuda::device_array<__nv_bfloat16> Y(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size.out),
                                           stream);
  luq::cuda::require_success(cudaMemsetAsync(W.data(), 0x3c, W.size() * 2, stream), "weights");
  luq::cuda::require_success(cudaMemsetAsync(X.data(), 0xbc, X.size() * 2, stream), "activations");
  return luq_bench::microseconds(stream, 2 * copies, [&](int i) {
    products.multiply(W.data() + static_cast<std::size_t>(i % copies) * weights, X.data(), Y.data(), size.out, size.in,
                      tokens);
  });
}

template <activation_bits Bits, class Codec>
void time_tokens(const Codec& codec, const shape& size, int tokens, const limits& machine,
                 const luq_bench::blas& products, cudaStream_t stream) {
  const luq::packed_matrix<Codec> packed = random_matrix(codec, size);
  const auto bytes = static_cast<double>(packed.bytes().size());
  const int copies = copies_beyond(machine.cache_bytes, bytes);
  std::vector<luq::cuda::device_matrix<Codec>> W;
  for (int i = 0; i < copies; ++i) W.emplace_back(packed, stream);
  luq::cuda::device_array<luq::bfloat16> X(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size.in),
                                           stream);
  luq::cuda::device_array<luq::bfloat16> Y(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size.out),
                                           stream);
  luq::cuda::require_success(cudaMemsetAsync(X.data(), 0x3c, X.size() * 2, stream), "activations");
  const luq::cuda::product_options<luq::bfloat16> options;
  const double whole = luq_bench::microseconds(stream, 2 * copies, [&](int i) {
    luq::cuda::matmul(W[static_cast<std::size_t>(i % copies)], X.data(), tokens, Y.data(), options, stream, Bits);
  });
  const auto arranged = luq::cuda::arrange<Bits>(W.front(), X.data(), tokens, size.in, stream);
  const double product = luq_bench::microseconds(stream, 2 * copies, [&](int i) {
    luq::cuda::matmul(W[static_cast<std::size_t>(i % copies)], arranged, Y.data(), options, stream);
  });
  const double reading = 1e6 * bytes / machine.bytes_per_second;
  const double operations = 2.0 * size.out * size.in * static_cast<double>(tokens);
  const double multiplying = 1e6 * operations / machine.operations_per_second;
  std::printf("| %s | %d x %d | %d | %s | %.1f | %.1f | %.2f | %.2f | %.2f |\n", codec.name().c_str(), size.out,
              size.in, tokens, Bits == activation_bits::sixteen ? "16" : "8", product, whole, reading / product,
              multiplying / product, time_of_bf16(size, tokens, machine, products, stream) / product);
  std::fflush(stdout);
}

template <class Codec>
void time_codec(const Codec& codec, const limits& machine, const luq_bench::blas& products, cudaStream_t stream) {
  for (const shape& size : {shape{4096, 4096}, shape{11008, 4096}, shape{18944, 3584}}) {
    for (const int tokens : {1, 2, 4, 8, 16}) {
      time_tokens<activation_bits::sixteen>(codec, size, tokens, machine, products, stream);
    }
    time_tokens<activation_bits::eight>(codec, size, 1, machine, products, stream);
    time_tokens<activation_bits::eight>(codec, size, 512, machine, products, stream);
  }
}

void run() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::puts("no CUDA device: nothing was timed");
    return;
  }
  cudaDeviceProp device{};
  luq::cuda::require_success(cudaGetDeviceProperties(&device, 0), "properties of the device");
  cudaStream_t stream = nullptr;
  luq::cuda::require_success(cudaStreamCreate(&stream), "stream");
  const luq_bench::blas products(stream);
  const limits machine{luq_bench::read_bandwidth(device, stream), luq_bench::matrix_rate(products, stream),
                       static_cast<std::size_t>(device.l2CacheSize)};
  std::printf("%s, %d multiprocessors, %.0f MiB of second-level cache: reads %.0f GB/s, bf16 products %.0f Tflop/s\n\n",
              device.name, device.multiProcessorCount, static_cast<double>(device.l2CacheSize) / (1 << 20),
              machine.bytes_per_second / 1e9, machine.operations_per_second / 1e12);
  std::puts(
      "| codec | out x in | tokens | bits of activations | us | us, arranging included | reading / time | "
      "bf16 rate / time | bf16 cuBLAS / time |");
  std::puts("|---|---|---:|---:|---:|---:|---:|---:|---:|");
  time_codec(luq::int_codec<4>{.group = 128}, machine, products, stream);
  time_codec(luq::int_codec<2>{.group = 128}, machine, products, stream);
  time_codec(luq::lut2_codec{.group = 128}, machine, products, stream);
  time_codec(luq::sign_codec{.group = 128}, machine, products, stream);
  time_codec(luq::ternary_codec{.group = 128}, machine, products, stream);
  time_codec(luq::billm_codec{.group = 128}, machine, products, stream);
  luq::cuda::require_success(cudaStreamSynchronize(stream), "benchmark");
  cudaStreamDestroy(stream);
}

}  // namespace

int main() {
  try {
    run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
