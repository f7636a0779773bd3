// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The version of the library. CMake reads it from this file, so it stands nowhere else.
// Versions follow semver.org; before 1.0 a minor release may change the API and the packed layouts.
#pragma once

#define LUQ_VERSION_MAJOR 0
#define LUQ_VERSION_MINOR 1
#define LUQ_VERSION_PATCH 0
