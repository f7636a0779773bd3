// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// What a figure is worth nothing without: the processor and the command, in the context that Google Benchmark prints
// and writes to JSON beside its own (caches, load, date).
#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>

namespace luq_bench {

/// "model name" of the first processor as Linux has it, or "unknown".
inline std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

/// The command as typed, preceded by those of the named environment variables that are set.
inline std::string command_line(int argc, char** argv, std::initializer_list<const char*> variables) {
  std::string command;
  for (const char* variable : variables) {
    if (const char* value = std::getenv(variable)) command += std::string(variable) + "=" + value + " ";
  }
  for (int i = 0; i < argc; ++i) command += std::string(i > 0 ? " " : "") + argv[i];
  return command;
}

/// Call before benchmark::Initialize(), which takes arguments away.
inline void add_run_context(int argc, char** argv, std::initializer_list<const char*> variables) {
  benchmark::AddCustomContext("processor", processor_name());
  benchmark::AddCustomContext("command", command_line(argc, argv, variables));
  benchmark::AddCustomContext("compiler", __VERSION__);
}

}  // namespace luq_bench
