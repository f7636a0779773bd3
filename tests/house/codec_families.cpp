// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Prints the families of the catalogue, for scripts.
#include <cstdio>
#include <luq/codecs/any_codec.hpp>
#include <string>

int main() {
  for (const std::string_view family : luq::codec_families()) std::printf("%s\n", std::string(family).c_str());
  return 0;
}
