# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0

# luq_add_compiled_cuda()
#
# Makes the static library luq::compiled_cuda: what is for GPUs compiled once, for the codecs of any_codec.hpp
# (luq/core/cuda/compiled.cuh). Whoever links it gets LUQ_COMPILED_CUDA and luq::compiled with it. The project enables the
# language CUDA first, with the architectures it wants; without that language the library has any_device_matrix.hpp alone,
# whose functions throw an error that says so.
function(luq_add_compiled_cuda)
  if(TARGET luq::compiled_cuda)
    return()
  endif()
  set(templates "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/compiled_cuda")
  set(directory "${CMAKE_CURRENT_BINARY_DIR}/luq_compiled_cuda")
  luq_add_compiled()
  add_library(luq_compiled_cuda STATIC EXCLUDE_FROM_ALL)
  add_library(luq::compiled_cuda ALIAS luq_compiled_cuda)
  target_link_libraries(luq_compiled_cuda PUBLIC luq::compiled)
  target_compile_definitions(luq_compiled_cuda PUBLIC LUQ_COMPILED_CUDA)
  # What has no kernel; its flags are those of the programs that link it.
  add_library(luq_compiled_cuda_host OBJECT EXCLUDE_FROM_ALL)
  target_link_libraries(luq_compiled_cuda_host PRIVATE luq::compiled)
  target_compile_definitions(luq_compiled_cuda_host PRIVATE LUQ_COMPILED_CUDA)
  target_sources(luq_compiled_cuda PRIVATE $<TARGET_OBJECTS:luq_compiled_cuda_host>)
  set_target_properties(luq_compiled_cuda luq_compiled_cuda_host PROPERTIES POSITION_INDEPENDENT_CODE ON UNITY_BUILD OFF)

  # Adds a unit that is made from a template.
  macro(luq_cuda_unit target template name)
    configure_file("${templates}/${template}.in" "${directory}/${name}" @ONLY)
    target_sources(${target} PRIVATE "${directory}/${name}")
  endmacro()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT "CUDA" IN_LIST languages)
    luq_cuda_unit(luq_compiled_cuda_host without_cuda.cpp without_cuda.cpp)
    set_target_properties(luq_compiled_cuda PROPERTIES LINKER_LANGUAGE CXX)
    return()
  endif()
  find_package(CUDAToolkit REQUIRED)
  foreach(target luq_compiled_cuda luq_compiled_cuda_host)
    target_include_directories(${target} SYSTEM PUBLIC ${CUDAToolkit_INCLUDE_DIRS})
  endforeach()
  # CMake 3.25 knows no C++20 of nvcc; Eigen's headers have annotations that nvcc ignores and warns of.
  target_compile_options(
    luq_compiled_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20> $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>
                              $<$<COMPILE_LANGUAGE:CUDA>:--diag-suppress=20012>)
  luq_cuda_unit(luq_compiled_cuda_host any_device_matrix.cpp any_device_matrix.cpp)
  luq_cuda_unit(luq_compiled_cuda tokens.cu tokens.cu)
  # A unit for each codec: with several in one, nvcc takes too much memory.
  luq_read_catalogue(codecs kinds)
  foreach(LUQ_CODEC kind IN ZIP_LISTS codecs kinds)
    if(kind STREQUAL "planes")
      string(MAKE_C_IDENTIFIER "${LUQ_CODEC}" name)
      luq_cuda_unit(luq_compiled_cuda codec.cu ${name}.cu)
    endif()
  endforeach()
endfunction()
