# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
#
# Fails if an object of OBJECTS, the kernels of one instruction set each, has a function that other objects can see:
# the linker keeps one of several functions of equal name, and a program would then run on no machine that lacks that
# one's instructions. NM is the program that lists names, SEES_FUNCTION (optional) an object in which it must find one.
cmake_minimum_required(VERSION 3.25)

# Sets `result` to the names of functions that other objects see.
function(visible_functions object result)
  execute_process(COMMAND "${NM}" --defined-only --extern-only "${object}" OUTPUT_VARIABLE names
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[0-9a-f]+ [TtWi] [^\n]+" functions "${names}")
  set(${result} "${functions}" PARENT_SCOPE)
endfunction()

if(NOT OBJECTS)
  message(FATAL_ERROR "no objects were given")
endif()
foreach(object ${OBJECTS})
  visible_functions("${object}" functions)
  if(functions)
    list(JOIN functions "\n  " text)
    message(FATAL_ERROR "${object} shows functions to the linker:\n  ${text}")
  endif()
endforeach()
if(SEES_FUNCTION)
  visible_functions("${SEES_FUNCTION}" functions)
  if(NOT functions)
    message(FATAL_ERROR "no function was found in ${SEES_FUNCTION}, so that the test can find none anywhere")
  endif()
endif()
