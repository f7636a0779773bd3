// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Where words of weights are put in shared memory. Products are right wherever they are put, as long as they are read
// from there; what is tested here is that nobody waits for a bank.
#include <doctest/doctest.h>

#include <luq/kernels/cuda/detail/chunks/staged_chunk.cuh>
#include <set>

TEST_CASE("eight lanes that write or read together use all banks, and no place is used twice") {
  using luq::cuda::detail::staged_place;
  std::set<int> places;
  for (int first = 0; first < luq::cuda::detail::lanes_of_warp; first += 8) {
    std::set<int> written;  // 16 bytes, of eight in 32 banks
    std::set<int> read;
    for (int lane = first; lane < first + 8; ++lane) {
      places.insert(staged_place(lane / 8, lane % 8));
      written.insert(staged_place(lane / 8, lane % 8) % 8);
      read.insert(staged_place(lane % 4, lane / 4) % 8);
    }
    CHECK(written.size() == 8);
    CHECK(read.size() == 8);
  }
  CHECK(places.size() == 32);
  CHECK(*places.begin() == 0);
  CHECK(*places.rbegin() == 31);
}
