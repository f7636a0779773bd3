# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
#
# nvcc for luq's own tests, benchmarks and examples of its CUDA kernels, if there is one. Nothing else in luq asks for it.
# Sets LUQ_HAS_CUDA.
include(CheckLanguage)

# Those that kernels are made for, oldest and newest; nvcc's own default may be neither. The preset `test` takes the
# oldest alone, which refuses what newer ones have unless it is guarded; `cuda` takes both.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80 90)
endif()
if(LUQ_CUDA)
  check_language(CUDA)
endif()
if(LUQ_CUDA AND CMAKE_CUDA_COMPILER)
  enable_language(CUDA)
  find_package(CUDAToolkit REQUIRED)
  set(LUQ_HAS_CUDA TRUE)
  message(STATUS "luq: CUDA ${CUDAToolkit_VERSION} found, what is for GPUs is built")
else()
  set(LUQ_HAS_CUDA FALSE)
  if(LUQ_CUDA)
    message(STATUS "luq: CUDA was not found, what is for GPUs is left out; all else is unaffected")
  endif()
endif()

# Gives a target of luq's own that has device code the flags for it.
function(luq_own_device_code target)
  # CMake 3.25 knows no C++20 of nvcc; Eigen's headers have annotations that nvcc ignores and warns of.
  target_compile_options(
    ${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20> $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>
                      $<$<COMPILE_LANGUAGE:CUDA>:--diag-suppress=20012> $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>)
  if(LUQ_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>)
  endif()
  target_compile_definitions(${target} PRIVATE EIGEN_DONT_PARALLELIZE)
  if(LUQ_CCACHE)
    set_target_properties(${target} PROPERTIES CUDA_COMPILER_LAUNCHER "${LUQ_CCACHE}")
  endif()
endfunction()
