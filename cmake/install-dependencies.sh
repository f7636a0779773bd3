#!/bin/sh
# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the system packages that luq's tests, benchmarks and examples need and that are missing, on Debian and its
# relatives, as root or through sudo. Elsewhere it prints what is needed and fails if that is not all there.
#
#   sh cmake/install-dependencies.sh [further packages]
set -eu

packages="libeigen3-dev libxsimd-dev doctest-dev libbenchmark-dev nlohmann-json3-dev libcli11-dev ninja-build ccache $*"

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
  echo "install-dependencies.sh: this is no Debian-like system; luq needs, by their Debian names: $packages" >&2
  echo "install-dependencies.sh: or configure with -DLUQ_FETCH_DEPENDENCIES=ON, which downloads the libraries" >&2
  exit 1
fi

missing=""
for package in $packages; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
  exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1; then
  as_root="sudo"
else
  echo "install-dependencies.sh: run as root, or install sudo; missing:$missing" >&2
  exit 1
fi
echo "installing:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
