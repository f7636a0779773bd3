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
  set(template "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/compiled/room.cpp.in")
  set(directory "${CMAKE_CURRENT_BINARY_DIR}/luq_compiled")
  get_target_property(include luq::luq LUQ_INCLUDE)
  add_library(luq_compiled STATIC EXCLUDE_FROM_ALL)
  add_library(luq::compiled ALIAS luq_compiled)
  set_target_properties(luq_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON UNITY_BUILD OFF)
  target_link_libraries(luq_compiled PUBLIC luq::luq)
  target_compile_definitions(luq_compiled PUBLIC LUQ_COMPILED)
  if(TARGET luq::io)
    target_link_libraries(luq_compiled PUBLIC luq::io)
  endif()

  # A unit for each folder impl/.
  file(GLOB_RECURSE headers RELATIVE "${include}" CONFIGURE_DEPENDS "${include}/luq/*.hpp")
  list(FILTER headers INCLUDE REGEX "/impl/[^/]+$")
  list(TRANSFORM headers REPLACE "/impl/[^/]+$" "" OUTPUT_VARIABLE rooms)
  list(REMOVE_DUPLICATES rooms)
  foreach(LUQ_ROOM ${rooms})
    if(LUQ_ROOM MATCHES "^luq/io" AND NOT TARGET luq::io)
      continue()
    endif()
    set(LUQ_INCLUDES "${headers}")
    list(FILTER LUQ_INCLUDES INCLUDE REGEX "^${LUQ_ROOM}/impl/")
    list(TRANSFORM LUQ_INCLUDES REPLACE "(.+)" "#include \"\\1\"")
    list(JOIN LUQ_INCLUDES "\n" LUQ_INCLUDES)
    string(MAKE_C_IDENTIFIER "${LUQ_ROOM}" name)
    configure_file("${template}" "${directory}/${name}.cpp" @ONLY)
    target_sources(luq_compiled PRIVATE "${directory}/${name}.cpp")
  endforeach()
endfunction()
