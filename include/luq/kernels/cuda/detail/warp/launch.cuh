// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Launches of kernels that may begin before those ahead of them in the stream have ended (programmatic dependent
// launch, CUDA C++ Programming Guide; sm_90 and later, plain launches elsewhere). Such a kernel
//
//   calls let_successor_begin() early,
//   does what needs nothing of its predecessors, as reading weights,
//   calls wait_for_predecessors() before it touches what they write, or writes what they may read.
//
// Every thread of every such kernel must wait before it ends: then what a kernel waits for includes all before it.
#pragma once

#include "luq/core/cuda/device_memory.cuh"

namespace luq::cuda::detail {

__device__ __forceinline__ void let_successor_begin() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

__device__ __forceinline__ void wait_for_predecessors() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// Launches a kernel that waits for its predecessors itself.
/// @param shared_bytes  of dynamic shared memory
/// @throws luq::error device_failure
template <class... Parameters, class... Arguments>
void launch_dependent(void (*kernel)(Parameters...), dim3 blocks, int threads, std::size_t shared_bytes,
                      cudaStream_t stream, const char* what, Arguments&&... arguments) {
  constexpr std::size_t without_asking = 48 * 1024;
  if (shared_bytes > without_asking) {
    require_success(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                         cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
                    what);
  }
  int device = 0;
  int generation = 0;
  require_success(cudaGetDevice(&device), what);
  require_success(cudaDeviceGetAttribute(&generation, cudaDevAttrComputeCapabilityMajor, device), what);
  cudaLaunchAttribute overlap{};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t configuration{};
  configuration.gridDim = blocks;
  configuration.blockDim = dim3(static_cast<unsigned>(threads));
  configuration.dynamicSmemBytes = shared_bytes;
  configuration.stream = stream;
  configuration.attrs = &overlap;
  configuration.numAttrs = generation >= 9 ? 1 : 0;
  require_success(cudaLaunchKernelEx(&configuration, kernel, static_cast<Parameters>(arguments)...), what);
}

}  // namespace luq::cuda::detail
