# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
#
# What luq's own tests, benchmarks and examples are compiled with. Nothing of it reaches a program that uses luq.
find_package(OpenMP COMPONENTS CXX)
find_program(LUQ_CCACHE ccache)

add_library(luq_own INTERFACE)
target_compile_options(luq_own INTERFACE -Wall -Wextra -Wpedantic -Wconversion)
# Threads come from executors; a matrix product inside a task must not start its own.
target_compile_definitions(luq_own INTERFACE EIGEN_DONT_PARALLELIZE)
if(LUQ_WARNINGS_AS_ERRORS)
  target_compile_options(luq_own INTERFACE -Werror)
endif()
if(LUQ_NATIVE)
  target_compile_options(luq_own INTERFACE -march=native)
  # GCC 12 reports its own AVX-512 intrinsics as uninitialized (bug 105593). The build without this flag has the checks.
  target_compile_options(luq_own INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(LUQ_SANITIZE)
  target_compile_options(luq_own INTERFACE -fsanitize=${LUQ_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(luq_own INTERFACE -fsanitize=${LUQ_SANITIZE})
endif()
if(OpenMP_CXX_FOUND)
  target_link_libraries(luq_own INTERFACE OpenMP::OpenMP_CXX)
endif()

# Gives a target of luq's own the options above.
function(luq_own_target target)
  target_link_libraries(${target} PRIVATE luq_own)
  if(LUQ_CCACHE)
    set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER "${LUQ_CCACHE}")
  endif()
endfunction()

# Optimizes a target whose speed counts in the presets that optimize less, for tests to be compiled sooner.
function(luq_optimize target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O2>)
endfunction()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Type of build" FORCE)
endif()
