// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <clocale>
#include <locale>
#include <string>

namespace luq_test {

/// While it lives, streams that are made write 1.234,5 for 1234.5, and so do C's functions where the machine has such a
/// locale.
class foreign_locale {
 public:
  foreign_locale()
      : before_(std::locale::global(std::locale(std::locale::classic(), new punctuation))),
        before_in_c_(std::setlocale(LC_NUMERIC, nullptr)) {
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"}) {
      if (std::setlocale(LC_NUMERIC, name) != nullptr) break;
    }
  }
  foreign_locale(const foreign_locale&) = delete;
  foreign_locale& operator=(const foreign_locale&) = delete;
  ~foreign_locale() {
    std::locale::global(before_);
    std::setlocale(LC_NUMERIC, before_in_c_.c_str());
  }

 private:
  struct punctuation : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  std::locale before_;
  std::string before_in_c_;
};

}  // namespace luq_test
