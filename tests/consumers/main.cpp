#include <luq/luq.hpp>

int main() {
  const luq::matrix W = luq::random_normal_matrix(8, 128, luq::counter_rng(1));
  const auto packed = luq::quantize(W, luq::sign_codec{.group = 128}, luq::round_to_nearest{});
  return packed.bits_per_weight() == 1.125 ? 0 : 1;
}
