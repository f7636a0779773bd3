# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0

# luq_add_compiled()
#
# Makes the static library luq::compiled, what is no template compiled once (luq/core/compiled.hpp). Whoever links it
# gets LUQ_COMPILED with it. It is compiled by the project that uses it, with the flags of that project: matrices of
# Eigen may pass between units only if all were compiled for the same alignment.
function(luq_add_compiled)
  if(TARGET luq::compiled)
    return()
  endif()
  set(templates "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/compiled")
  set(directory "${CMAKE_CURRENT_BINARY_DIR}/luq_compiled")
  get_target_property(include luq::luq LUQ_INCLUDE)
  add_library(luq_compiled STATIC EXCLUDE_FROM_ALL)
  add_library(luq::compiled ALIAS luq_compiled)
  set_target_properties(luq_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON UNITY_BUILD OFF)
  luq_add_dispatch()
  target_link_libraries(luq_compiled PUBLIC luq::luq luq::dispatch)
  target_compile_definitions(luq_compiled PUBLIC LUQ_COMPILED)
  if(TARGET luq::io)
    target_link_libraries(luq_compiled PUBLIC luq::io)
  endif()

  # A unit for each folder impl/.
  file(GLOB_RECURSE headers RELATIVE "${include}" CONFIGURE_DEPENDS "${include}/luq/*.hpp")
  list(FILTER headers INCLUDE REGEX "/impl/[^/]+$")
  list(TRANSFORM headers REPLACE "/impl/[^/]+$" "" OUTPUT_VARIABLE rooms)
  list(REMOVE_DUPLICATES rooms)
  if(NOT rooms)
    message(FATAL_ERROR "luq_add_compiled: found no luq/*/impl/*.hpp in ${include}")
  endif()
  foreach(LUQ_ROOM ${rooms})
    if(LUQ_ROOM MATCHES "^luq/io" AND NOT TARGET luq::io)
      continue()
    endif()
    set(LUQ_INCLUDES "${headers}")
    list(FILTER LUQ_INCLUDES INCLUDE REGEX "^${LUQ_ROOM}/impl/")
    list(TRANSFORM LUQ_INCLUDES REPLACE "(.+)" "#include \"\\1\"")
    list(JOIN LUQ_INCLUDES "\n" LUQ_INCLUDES)
    string(MAKE_C_IDENTIFIER "${LUQ_ROOM}" name)
    configure_file("${templates}/room.cpp.in" "${directory}/${name}.cpp" @ONLY)
    target_sources(luq_compiled PRIVATE "${directory}/${name}.cpp")
  endforeach()

  # Units for the templates of some codecs each, which share what Eigen instantiates for them.
  macro(luq_codecs name)
    set(LUQ_NAME ${name})
    string(REPLACE ";" "\n" LUQ_INSTANCES "${ARGN}")
    configure_file("${templates}/codecs.cpp.in" "${directory}/${name}.cpp" @ONLY)
    target_sources(luq_compiled PRIVATE "${directory}/${name}.cpp")
  endmacro()
  luq_codecs(int_codecs "LUQ_MEMORYLESS_CODEC(int_codec<2>)" "LUQ_MEMORYLESS_CODEC(int_codec<3>)"
             "LUQ_MEMORYLESS_CODEC(int_codec<4>)" "LUQ_MEMORYLESS_CODEC(int_codec<8>)")
  luq_codecs(sign_codecs "LUQ_MEMORYLESS_CODEC(sign_codec)" "LUQ_MEMORYLESS_CODEC(ternary_codec)"
             "LUQ_MEMORYLESS_CODEC(binary_coding_codec)" "LUQ_MEMORYLESS_CODEC(billm_codec)"
             "LUQ_BILLM_CODEC")
  luq_codecs(lloyd_codecs "LUQ_MEMORYLESS_CODEC(lloyd_codec<2>)" "LUQ_MEMORYLESS_CODEC(lloyd_codec<3>)"
             "LUQ_MEMORYLESS_CODEC(lloyd_codec<4>)")
  luq_codecs(trellis_codecs "LUQ_CODEC(trellis_codec<2>)" "LUQ_CODEC(trellis_codec<3>)" "LUQ_CODEC(trellis_codec<4>)"
             "LUQ_CODEC(trellis_codec<8>)" "LUQ_CODEC(trellis_codec<16>)")
  foreach(name any_codec dispatch)
    configure_file("${templates}/${name}.cpp.in" "${directory}/${name}.cpp" COPYONLY)
    target_sources(luq_compiled PRIVATE "${directory}/${name}.cpp")
  endforeach()
endfunction()
