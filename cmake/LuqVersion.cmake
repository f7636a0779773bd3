# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
#
# Sets LUQ_VERSION from the header, which is the only place that has it.
file(READ "${CMAKE_CURRENT_LIST_DIR}/../include/luq/core/version.hpp" luq_version_header)
foreach(part MAJOR MINOR PATCH)
  if(NOT luq_version_header MATCHES "#define LUQ_VERSION_${part} ([0-9]+)")
    message(FATAL_ERROR "luq/core/version.hpp defines no LUQ_VERSION_${part}")
  endif()
  set(luq_version_${part} ${CMAKE_MATCH_1})
endforeach()
set(LUQ_VERSION ${luq_version_MAJOR}.${luq_version_MINOR}.${luq_version_PATCH})
