// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// The one exception type of the library, and what takes its place without exceptions. It reports bad data, never a bug
// of the caller (core/assert.hpp does that): a message says what is wrong, where, what was expected and what was found,
// in one line fit to be printed as it is.
#pragma once

#include <stdexcept>
#include <string>

#include "luq/core/compiled.hpp"
#include "luq/core/text.hpp"

namespace luq {

/// What kind of data error occurred; callers branch on it, people read the message.
enum class errc {
  invalid_argument,    ///< an option or argument outside its stated range
  shape_mismatch,      ///< two inputs whose shapes must agree do not
  non_finite,          ///< a NaN or an infinity where a finite number is required
  insufficient_data,   ///< fewer observations than the estimate needs
  indefinite_hessian,  ///< no damping of the ladder made the Hessian positive definite
  impossible_budget,   ///< no plan fits the requested budget
  io_failure,          ///< the operating system refused to open, read or write a file
  corrupt_file,        ///< a file violates its format
  unsupported,         ///< valid input that this version cannot process
  device_failure,      ///< a GPU or its runtime refused or failed
  faulty_codec,        ///< a codec without a property that every codec must have
  faulty_kernel,       ///< a kernel whose product is not that of the reference, on this machine at least
};

/// Thrown for every data error. `what()` is one line without a trailing full stop.
class error : public std::runtime_error {
 public:
  error(errc code, const std::string& message) : std::runtime_error(message), code_(code) {}

  [[nodiscard]] errc code() const noexcept { return code_; }

 private:
  errc code_;
};

/// Receives errors where code is compiled without exceptions (-fno-exceptions): of all data errors that such a unit
/// comes upon. It must not return; if it does, or if there is none, std::abort() is called.
using error_handler = void (*)(errc code, const char* message);

/// Sets the handler of the program and returns the one before, null at first. With exceptions it is never called. Not
/// to be called while another thread calls luq.
error_handler set_error_handler(error_handler handler) noexcept;

/// Throws `luq::error`; without exceptions it calls the handler.
[[noreturn]] void fail(errc code, const std::string& message);

/// Throws `luq::error` with the text of `parts` as message, see text.hpp.
template <class... Parts>
[[noreturn]] void fail(errc code, const Parts&... parts) {
  fail(code, text_of(parts...));
}

}  // namespace luq

#ifndef LUQ_COMPILED
#include "luq/core/impl/error.hpp"
#endif
