# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0

cmake_minimum_required(VERSION 3.25)

# cmake -DROOT=DIR -DHELLO=PROGRAM -P check_readme.cmake
#
# Fails unless every C++ block of DIR/README.md is a file of examples/ or stands within one, indentation aside, and
# what the README says the first one prints is what PROGRAM prints.
function(strip_indentation text result)
  string(REGEX REPLACE "(^|\n)[ ]+" "\\1" text "${text}")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

file(READ "${ROOT}/README.md" readme)
file(GLOB_RECURSE examples "${ROOT}/examples/*.cpp")
set(code "")
foreach(example ${examples})
  file(READ "${example}" text)
  string(APPEND code "\n${text}")
endforeach()
strip_indentation("${code}" code)

set(rest "${readme}")
set(blocks 0)
while(TRUE)
  string(FIND "${rest}" "```cpp\n" begin)
  if(begin EQUAL -1)
    break()
  endif()
  math(EXPR begin "${begin} + 7")
  string(SUBSTRING "${rest}" ${begin} -1 rest)
  string(FIND "${rest}" "```" end)
  string(SUBSTRING "${rest}" 0 ${end} block)
  strip_indentation("${block}" block)
  string(FIND "${code}" "\n${block}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "README.md: this block is in no file of examples/:\n${block}")
  endif()
  math(EXPR blocks "${blocks} + 1")
endwhile()
if(blocks EQUAL 0)
  message(FATAL_ERROR "README.md: no C++ block found")
endif()

execute_process(COMMAND "${HELLO}" OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
string(FIND "${readme}" "prints\n\n```\n${printed}```" position)
if(position EQUAL -1)
  message(FATAL_ERROR "README.md does not say that hello prints\n${printed}")
endif()
message("${blocks} blocks, as in examples/")
