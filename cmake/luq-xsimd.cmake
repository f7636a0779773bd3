# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
#
# Debian's xsimd target links `xtl`, which xsimd needs for complex numbers alone, and its package does not depend on
# xtl's. Where xtl is missing that would end in a linker's error, so an empty target takes its place.
if(TARGET xsimd AND NOT TARGET xtl)
  find_package(xtl CONFIG QUIET)
  if(NOT TARGET xtl)
    add_library(xtl INTERFACE IMPORTED)
  endif()
endif()
