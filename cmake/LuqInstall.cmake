# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(luq_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/luq)
install(TARGETS luq EXPORT luq-targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT luq-targets NAMESPACE luq:: DESTINATION ${luq_package_dir})
if(TARGET luq_io)
  # A set of its own, so that luq::luq can be imported where nlohmann-json is not installed.
  install(TARGETS luq_io EXPORT luq-io-targets)
  install(EXPORT luq-io-targets NAMESPACE luq:: DESTINATION ${luq_package_dir})
endif()
configure_package_config_file(cmake/luq-config.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/luq-config.cmake"
                              INSTALL_DESTINATION ${luq_package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR
                              NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor release may break; a package without compiled code serves every architecture.
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/luq-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/luq-config.cmake" "${CMAKE_CURRENT_BINARY_DIR}/luq-config-version.cmake"
              cmake/luq-xsimd.cmake cmake/LuqDispatch.cmake cmake/LuqCompiled.cmake
              cmake/LuqCompiledCuda.cmake
        DESTINATION ${luq_package_dir})
# luq::dispatch, luq::compiled and luq::compiled_cuda are compiled by whoever uses them.
install(DIRECTORY cmake/dispatch cmake/compiled cmake/compiled_cuda DESTINATION ${luq_package_dir})
