// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What all else is compared with.
#include <Eigen/Dense>

int main() {}
