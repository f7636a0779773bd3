// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Weights as numbers, from the planes and parameters of a packed matrix. One warp writes 32 rows of a chunk.
//
//   w = a_0 + sum_i a_i v_i        a: the codec's coefficients for a row's parameters, v: its components
//
// These are decode() of the codec to the bit if scales are stored in 16 bits, because products of such scales with
// components are exact.
#pragma once

#include "luq/kernels/cuda/detail/planes/packed_planes.cuh"

namespace luq::cuda::detail {

/// A matrix in memory that weights are written to.
template <class Stored>
struct weight_matrix {
  Stored* first;        ///< [rows x cols]
  std::int64_t stride;  ///< elements from row to row
  bool fours;           ///< columns 4i ... 4i+3 of a row are in order, and aligned as one element of four
};

/// A chunk of half a row tile, which one warp writes.
template <class Warp, PlaneCodec Codec, class Stored>
class dequantized_chunk {
  static constexpr int planes = static_cast<int>(Codec::planes.size());
  static constexpr int column_classes = column_class_count<Codec>;
  template <int Plane>
  static constexpr int radix = Codec::planes[Plane];

 public:
  LUQ_DEVICE_CODE dequantized_chunk(const packed_planes<Codec>& W, int half_tile, int chunk)
      : W_(W), first_row_(half_tile * rows_of_warp) {
    const chunk_place at(W, chunk);
    group_ = at.group;
    first_place_ = at.of_group * chunk_columns<Codec>;
    shape_ = W.shape(group_);
    const std::byte* const tile =
        W.tiles + half_tile / 2 * W.row_tile_bytes + static_cast<std::int64_t>(group_) * W.tile_bytes;
    const int half = half_tile % 2;
    words_ = tile + half * rows_of_warp * 4;
    parameters_ = tile + shape_.parameters + half * W.parameter_bytes;
  }

  LUQ_DEVICE_CODE void write(const weight_matrix<Stored>& out) const {
    Warp::each_lane([&](int lane) {
      const int row = lane / 4 * rows_of_lane;
      const lane_parameters<Codec> parameters(W_.codec, parameters_, row);
      Stored* const rows = out.first + (first_row_ + row) * out.stride;
      // Four lanes have neighbouring columns. Together they write 32 or 64 bytes of each of their rows.
      for (int i = lane % 4; i < chunk_columns<Codec> / 4; i += 4) {
        const int place = first_place_ + 4 * i;
        if (place < shape_.columns) write_four(parameters, row, place, rows, out);
      }
    });
  }

 private:
  struct alignas(4 * sizeof(Stored)) four_weights {
    Stored value[4];
  };

  /// Symbols of four neighbouring places, one in each byte.
  /// @param row  the first row of the lane in the half tile
  template <int Plane>
  [[nodiscard]] LUQ_DEVICE_CODE lane_words symbols(int row, int place) const {
    using units_type = plane_units<radix<Plane>>;
    const units_type units{shape_.columns};
    const auto words_of = [&](int unit) {
      return load<lane_words>(words_ + shape_.planes[Plane].offset + (unit * static_cast<int>(tile_rows) + row) * 4);
    };
    lane_words result{};
    if (place < units.words() * units_type::columns_of_word) {  // then all four are in one slot
      const auto at = units.place_of(place);
      const lane_words words = words_of(at.unit);
      unrolled<rows_of_lane>([&](auto r) { result.word[r] = symbols_of_slot<radix<Plane>>(words.word[r], at.slot); });
      return result;
    }
    const lane_words words = words_of(units.words());
    for (int c = 0; c < 4 && place + c < shape_.columns; ++c) {
      const auto at = units.place_of(place + c);
      unrolled<rows_of_lane>([&](auto r) {
        const std::uint32_t of_slot = symbols_of_slot<radix<Plane>>(words.word[r], at.slot);
        result.word[r] |= ((of_slot >> (8 * at.byte)) & 0xffu) << (8 * c);
      });
    }
    return result;
  }

  /// Writes four neighbouring weights of each row of a lane.
  /// @param row   the first row of the lane in the half tile
  /// @param rows  where that row begins in memory
  LUQ_DEVICE_CODE void write_four(const lane_parameters<Codec>& parameters, int row, int place, Stored* rows,
                                  const weight_matrix<Stored>& out) const {
    lane_words of_plane[planes];
    unrolled<planes>([&](auto p) { of_plane[p] = symbols<p>(row, place); });
    const int border = W_.class_borders != nullptr ? W_.class_borders[group_] : 0;
    const int stored = group_ * W_.group + place;
    const int existing = W_.rows - first_row_ - row;
    unrolled<rows_of_lane>([&](auto r) {
      if (r >= existing) return;
      four_weights weights;
      unrolled<4>([&](auto c) {
        int symbol[planes];
        unrolled<planes>([&](auto p) { symbol[p] = static_cast<int>((of_plane[p].word[r] >> (8 * c)) & 0xffu); });
        const int column_class = column_classes > 1 && place + c < border ? 1 : 0;
        weights.value[c] = rounded_to<Stored>(weight(parameters.values[r], symbol, column_class));
      });
      Stored* const of_row = rows + r * out.stride;
      if (out.fours && place + 4 <= shape_.columns) {
        store(weights, of_row + stored);
        return;
      }
      unrolled<4>([&](auto c) {
        if (place + c >= shape_.columns) return;
        of_row[W_.stored_columns != nullptr ? W_.stored_columns[stored + c] : stored + c] = weights.value[c];
      });
    });
  }

  [[nodiscard]] LUQ_DEVICE_CODE float weight(const float* parameters, const int* symbol, int column_class) const {
    const auto a = luq::coefficients(W_.codec, parameters, column_class);
    float result = a[component_count<Codec>];
    unrolled<component_count<Codec>>([&](auto i) {
      constexpr auto form = luq::detail::form_of_component<Codec>(i);
      int component = form.offset;
      unrolled<planes>([&](auto p) { component += form.factor[static_cast<std::size_t>(p)] * symbol[p]; });
      if constexpr (form.product != 0) component += form.product * symbol[0] * symbol[1];
      result += a[i] * static_cast<float>(component);
    });
    return result;
  }

  const packed_planes<Codec>& W_;
  int first_row_;
  int group_ = 0;
  int first_place_ = 0;  ///< in the group
  group_shape<Codec> shape_{};
  const std::byte* words_ = nullptr;  ///< of the first plane and row
  const std::byte* parameters_ = nullptr;
};

}  // namespace luq::cuda::detail
