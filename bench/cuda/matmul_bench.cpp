// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Products with packed matrices on a GPU beside what it can do: one to 16 tokens beside reading the same bytes, 512
// tokens beside the rate of bf16 products, and all beside cuBLAS with weights in bf16. Weights are more than the second
// level of cache holds: as many copies as it takes, one after the other. Prints a table, in the order of its columns:
// the product alone with activations that are arranged; arranging and product; three matrices in one launch, arranged,
// as a decoder multiplies its queries, keys and values; 0 for what a codec cannot, or is not timed. Last, for 512
// tokens, weights written as bf16 and multiplied by cuBLAS, the whole in the second column.
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <luq/codecs/any_codec.hpp>
#include <luq/core/random.hpp>
#include <luq/kernels/cuda/dequantized_matmul.cuh>
#include <luq/kernels/cuda/matmul.cuh>
#include <luq/kernels/cuda/plane_codec.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "device_timer.hpp"

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
  luq::aligned_buffer<std::byte> bytes(static_cast<std::size_t>(luq::packed_bytes(codec, size.out, size.in)));
  const luq::counter_rng rng(7);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(rng.below(i, 64));
  return {codec, size.out, size.in, std::move(bytes)};
}

/// Copies of something of `bytes` bytes that together are four times as large as the cache.
int copies_beyond(std::size_t cache_bytes, double bytes) {
  return static_cast<int>(std::ceil(4.0 * static_cast<double>(cache_bytes) / bytes)) + 3;
}

double time_of_bf16(const shape& size, int tokens, const limits& machine, const luq_bench::blas& products,
                    cudaStream_t stream) {
  const std::size_t weights = static_cast<std::size_t>(size.out) * static_cast<std::size_t>(size.in);
  const int copies = copies_beyond(machine.cache_bytes, 2.0 * static_cast<double>(weights));
  const auto W = luq_bench::random_values(weights * static_cast<std::size_t>(copies), 4, stream);
  const auto X =
      luq_bench::random_values(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size.in), 5, stream);
  luq::cuda::device_array<__nv_bfloat16> Y(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size.out),
                                           stream);
  return luq_bench::microseconds(stream, 2 * copies, [&](int i) {
    products.multiply(W.data() + static_cast<std::size_t>(i % copies) * weights, X.data(), Y.data(), size.out, size.in,
                      tokens);
  });
}

/// Copies of one matrix, and what is multiplied with them.
template <class Codec>
class timed_products {
 public:
  timed_products(const Codec& codec, const shape& size, const limits& machine, const luq_bench::blas& products,
                 cudaStream_t stream)
      : size_(size), machine_(machine), products_(products), stream_(stream) {
    const luq::packed_matrix<Codec> packed = random_matrix(codec, size);
    bytes_ = static_cast<double>(packed.bytes().size());
    const int copies = copies_beyond(machine.cache_bytes, bytes_);
    for (int i = 0; i < copies; ++i) W_.emplace_back(packed, stream);
    name_ = luq::codec_name(codec);
  }

  template <activation_bits Bits>
  void time(int tokens) const {
    constexpr int together = 3;
    const int copies = static_cast<int>(W_.size());
    const auto outputs = static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size_.out);
    const auto X =
        luq_bench::random_values(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size_.in), 6, stream_);
    luq::cuda::device_array<luq::bfloat16> Y(together * outputs, stream_);
    const auto* const values = reinterpret_cast<const luq::bfloat16*>(X.data());
    auto arranged = luq::cuda::arrange<Bits>(W_.front(), values, tokens, size_.in, stream_);
    const auto multiply = [&](int first, int count) {
      std::vector<luq::cuda::product<Codec, luq::bfloat16, luq::bfloat16>> batch;
      for (int i = 0; i < count; ++i) {
        batch.push_back(
            {&W_[static_cast<std::size_t>((first + i) % copies)], Y.data() + static_cast<std::size_t>(i) * outputs});
      }
      luq::cuda::matmul(std::span<const luq::cuda::product<Codec, luq::bfloat16, luq::bfloat16>>(batch), arranged,
                        stream_);
    };
    const double product = luq_bench::microseconds(stream_, 2 * copies, [&](int i) { multiply(i, 1); });
    const double whole = luq_bench::microseconds(stream_, 2 * copies, [&](int i) {
      luq::cuda::arrange(W_.front(), values, size_.in, arranged, stream_);
      multiply(i, 1);
    });
    double three = 0;
    if constexpr (luq::column_class_count<Codec> == 1) {
      three = luq_bench::microseconds(stream_, copies, [&](int i) { multiply(together * i, together); }) / together;
    }
    print(name_, tokens, Bits == activation_bits::sixteen ? "16" : "8", {product, whole, three});
  }

  void time_dequantized(int tokens) const {
    const int copies = static_cast<int>(W_.size());
    const auto X =
        luq_bench::random_values(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size_.in), 6, stream_);
    luq::cuda::device_array<luq::bfloat16> Y(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(size_.out),
                                             stream_);
    const auto* const values = reinterpret_cast<const luq::bfloat16*>(X.data());
    const double whole = luq_bench::microseconds(stream_, copies, [&](int i) {
      luq::cuda::dequantized_matmul(products_.handle(), W_[static_cast<std::size_t>(i % copies)], values, tokens,
                                    Y.data(), luq::cuda::product_options<>{}, stream_);
    });
    print(name_ + ", dequantized", tokens, "bf16", {0, whole, 0});
  }

 private:
  /// @param us  of product, with arranging, one of three; 0 for what was not timed
  void print(const std::string& name, int tokens, const char* bits, const std::array<double, 3>& us) const {
    const double bf16 = time_of_bf16(size_, tokens, machine_, products_, stream_);
    const double reading = 1e6 * bytes_ / machine_.bytes_per_second;
    const double multiplying =
        1e6 * 2.0 * size_.out * size_.in * static_cast<double>(tokens) / machine_.operations_per_second;
    std::printf("| %s | %d x %d | %d | %s | %.2f | %.2f | %.2f |", name.c_str(), size_.out, size_.in, tokens, bits,
                us[0], us[1], us[2]);
    for (const double limit : {reading, multiplying, bf16}) {
      const auto share = [&](double time) { return time > 0 ? limit / time : 0; };
      std::printf(" %.2f / %.2f / %.2f |", share(us[0]), share(us[1]), share(us[2]));
    }
    std::printf(" %.1f |\n", bf16);
    std::fflush(stdout);
  }

  shape size_;
  limits machine_;
  const luq_bench::blas& products_;
  cudaStream_t stream_;
  std::vector<luq::cuda::device_matrix<Codec>> W_;
  double bytes_ = 0;
  std::string name_;
};

/// Nothing for a codec that has no products on a GPU.
template <class Codec>
void time_codec(const Codec&, const limits&, const luq_bench::blas&, cudaStream_t) {}

template <luq::cuda::PlaneCodec Codec>
void time_codec(const Codec& codec, const limits& machine, const luq_bench::blas& products, cudaStream_t stream) {
  for (const shape& size : {shape{4096, 4096}, shape{11008, 4096}, shape{18944, 3584}}) {
    const timed_products<Codec> timed(codec, size, machine, products, stream);
    for (const int tokens : {1, 2, 4, 8, 16}) timed.template time<activation_bits::sixteen>(tokens);
    for (const int tokens : {1, 512}) timed.template time<activation_bits::eight>(tokens);
    timed.time_dequantized(512);
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
  const luq_bench::bandwidths memory = luq_bench::measure_bandwidths(device, stream);
  const limits machine{memory.read, luq_bench::matrix_rate(products, stream),
                       static_cast<std::size_t>(device.l2CacheSize)};
  std::printf(
      "%s, %d multiprocessors, %.0f MiB of second-level cache: reads %.0f GB/s, copies %.0f GB/s (read and written), "
      "bf16 products %.0f Tflop/s\n\n",
      device.name, device.multiProcessorCount, static_cast<double>(device.l2CacheSize) / (1 << 20), memory.read / 1e9,
      memory.copy / 1e9, machine.operations_per_second / 1e12);
  std::puts(
      "| codec | out x in | tokens | bits of activations | us | us, arranging included | us, one of three in one "
      "launch | "
      "of reading, each | of the bf16 rate, each | times faster than bf16 cuBLAS, each | us of bf16 cuBLAS |");
  std::puts("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
  [&]<class... Codec>(std::type_identity<std::variant<Codec...>>) {
    (time_codec(Codec{.group = 128}, machine, products, stream), ...);
  }(std::type_identity<luq::any_codec>());
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
