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

# luq_add_compiled_cuda()
#
# Makes the static library luq::compiled_cuda: kernels of the codecs of any_codec.hpp, compiled once
# (luq/core/cuda/compiled.cuh). Where there is no CUDA, it says so to those who call it.
function(luq_add_compiled_cuda)
  set(templates "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/compiled_cuda")
  set(directory "${CMAKE_CURRENT_BINARY_DIR}/luq_compiled_cuda")
  add_library(luq_compiled_cuda STATIC EXCLUDE_FROM_ALL)
  add_library(luq::compiled_cuda ALIAS luq_compiled_cuda)
  set_target_properties(luq_compiled_cuda PROPERTIES POSITION_INDEPENDENT_CODE ON UNITY_BUILD OFF)
  target_link_libraries(luq_compiled_cuda PUBLIC luq::compiled)
  target_compile_definitions(luq_compiled_cuda PUBLIC LUQ_COMPILED_CUDA)
  # What has no kernel is compiled as what links it, so that both agree on Eigen's alignment.
  add_library(luq_compiled_cuda_host OBJECT EXCLUDE_FROM_ALL)
  set_target_properties(luq_compiled_cuda_host PROPERTIES POSITION_INDEPENDENT_CODE ON UNITY_BUILD OFF)
  target_link_libraries(luq_compiled_cuda_host PRIVATE luq::compiled)
  target_compile_definitions(luq_compiled_cuda_host PRIVATE LUQ_COMPILED_CUDA)
  luq_own_target(luq_compiled_cuda_host)
  target_sources(luq_compiled_cuda PRIVATE $<TARGET_OBJECTS:luq_compiled_cuda_host>)
  # Adds a unit that is made from a template.
  macro(luq_cuda_unit target template name)
    configure_file("${templates}/${template}.in" "${directory}/${name}" @ONLY)
    target_sources(${target} PRIVATE "${directory}/${name}")
  endmacro()
  if(NOT LUQ_HAS_CUDA)
    luq_cuda_unit(luq_compiled_cuda_host without_cuda.cpp without_cuda.cpp)
    set_target_properties(luq_compiled_cuda PROPERTIES LINKER_LANGUAGE CXX)
    return()
  endif()
  foreach(target luq_compiled_cuda luq_compiled_cuda_host)
    target_include_directories(${target} SYSTEM PUBLIC ${CUDAToolkit_INCLUDE_DIRS})
  endforeach()
  luq_cuda_unit(luq_compiled_cuda_host any_device_matrix.cpp any_device_matrix.cpp)
  luq_cuda_unit(luq_compiled_cuda tokens.cu tokens.cu)
  # A unit for each codec: compilers of some at once would take too much memory.
  foreach(LUQ_CODEC int_codec<2> int_codec<3> int_codec<4> int_codec<8> sign_codec ternary_codec lut2_codec billm_codec)
    string(MAKE_C_IDENTIFIER "${LUQ_CODEC}" name)
    luq_cuda_unit(luq_compiled_cuda codec.cu ${name}.cu)
  endforeach()
  luq_own_device_code(luq_compiled_cuda)
endfunction()
