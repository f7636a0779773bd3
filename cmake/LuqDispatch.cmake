# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0

# An instruction set of luq_add_dispatch(): its name, its tag in C++, the flags it takes.
macro(luq_instruction_set name tag)
  list(APPEND sets ${name})
  set(tag_of_${name} ${tag})
  set(flags_of_${name} ${ARGN})
endmacro()

# luq_add_dispatch()
#
# Makes the static library luq::dispatch, the kernels of luq for each instruction set of the target's processor, one of
# which is chosen at run time (luq/kernels/dispatch.hpp). Each set is one file, compiled with its own flags and always
# optimised: whatever the flags and the type of the build are, these come after them.
function(luq_add_dispatch)
  if(TARGET luq::dispatch)
    return()
  endif()

  # Best first; the last runs on every machine.
  set(sets "")
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang|IntelLLVM")
    luq_instruction_set(baseline xsimd::default_arch)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(avx2 -march=x86-64 -mavx2 -mfma -mf16c)
    set(avx512bw ${avx2} -mavx512f -mavx512bw -mavx512dq -mavx512cd -mavx512vl)
    luq_instruction_set(avx512_vnni luq::avx512_vnni ${avx512bw} -mavx512vnni -mavx512vbmi)
    luq_instruction_set(avx512bw xsimd::avx512bw ${avx512bw})
    luq_instruction_set(avx2 xsimd::fma3<xsimd::avx2> ${avx2})
    luq_instruction_set(sse2 xsimd::sse2 -march=x86-64)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    luq_instruction_set(neon64_dotprod luq::neon64_dotprod -march=armv8.2-a+dotprod)
    luq_instruction_set(neon64 xsimd::neon64 -march=armv8-a)
  else()
    luq_instruction_set(baseline xsimd::default_arch)
  endif()
  list(GET sets -1 baseline)

  set(templates "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/dispatch")
  set(directory "${CMAKE_CURRENT_BINARY_DIR}/luq_dispatch")
  add_library(luq_dispatch STATIC EXCLUDE_FROM_ALL)
  add_library(luq::dispatch ALIAS luq_dispatch)
  set_target_properties(luq_dispatch PROPERTIES POSITION_INDEPENDENT_CODE ON UNITY_BUILD OFF)
  target_link_libraries(luq_dispatch PUBLIC luq::luq)

  foreach(LUQ_NAME ${sets})
    set(LUQ_TAG ${tag_of_${LUQ_NAME}})
    set(source "${directory}/${LUQ_NAME}.cpp")
    configure_file("${templates}/kernels.cpp.in" "${source}" @ONLY)
    target_sources(luq_dispatch PRIVATE "${source}")
    set(flags ${flags_of_${LUQ_NAME}})
    if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang|IntelLLVM")
      list(APPEND flags -O3)
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # GCC 12 takes its own AVX-512 intrinsics for uses of uninitialized variables (bug 105593).
      list(APPEND flags -Wno-uninitialized -Wno-maybe-uninitialized)
    endif()
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "${flags}")
  endforeach()

  list(TRANSFORM sets REPLACE "(.+)" "unit(\\1)" OUTPUT_VARIABLE units)
  list(JOIN units " " LUQ_UNITS)
  set(source "${directory}/selection.cpp")
  configure_file("${templates}/selection.cpp.in" "${source}" @ONLY)
  target_sources(luq_dispatch PRIVATE "${source}")
  # It runs before it is known what the machine has.
  set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "${flags_of_${baseline}}")
endfunction()
