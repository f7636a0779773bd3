// SPDX-FileCopyrightText: 2026 the luq authors
// SPDX-License-Identifier: Apache-2.0
//
// Packing and unpacking for one codec.
#pragma once

#include <algorithm>
#include <utility>

#include "luq/codecs/bit_packing.hpp"
#include "luq/codecs/detail/stored_places.hpp"
#include "luq/codecs/packed_matrix.hpp"
#include "luq/core/detail/unrolled.hpp"
#include "luq/core/error.hpp"

namespace luq {

template <WeightCodec Codec>
packed_matrix<Codec>::packed_matrix(const coded_matrix<Codec>& source)
    : codec_(source.codec),
      rows_(source.rows()),
      cols_(source.cols()),
      layout_(codec_, rows_, cols_),
      transform_(source.transform),
      bytes_(static_cast<std::size_t>(expected_bytes())) {
  std::vector<std::uint8_t> column_flags;
  for (index g = 0; g < layout_.groups(); ++g) {
    const group_parameters& group = source.groups[static_cast<std::size_t>(g)];
    for (index t = 0; t < layout_.row_tiles(); ++t) pack_tile(source, group, t, g);
    for (index c = 0; c < layout_.columns_of(g); ++c)
      column_flags.push_back(static_cast<std::uint8_t>(group.class_of(c)));
  }
  if constexpr (column_class_count<Codec> > 1) {
    const auto begin = static_cast<std::size_t>(layout_.flags_offset());
    bit_pack(column_flags, 1, std::span(bytes_).subspan(begin, static_cast<std::size_t>(layout_.bytes()) - begin));
  }
  if (transform_) transform_->pack(std::span(bytes_).subspan(static_cast<std::size_t>(layout_.bytes())));
  order_columns();
}

template <WeightCodec Codec>
packed_matrix<Codec>::packed_matrix(const Codec& codec, index rows, index cols, aligned_buffer<std::byte> bytes,
                                    shared_transform transform)
    : codec_(codec),
      rows_(rows),
      cols_(cols),
      layout_(codec_, rows, cols),
      transform_(std::move(transform)),
      bytes_(std::move(bytes)) {
  if (static_cast<index>(bytes_.size()) != expected_bytes()) {
    fail(errc::corrupt_file, "packed matrix of codec ", codec_name(codec), ", ", rows, " x ", cols, ": expected ",
         expected_bytes(), " bytes, got ", bytes_.size());
  }
  order_columns();
}

template <WeightCodec Codec>
index packed_matrix<Codec>::expected_bytes() const {
  if (!transform_) return layout_.bytes();
  if (transform_->in_features() != cols_) {
    fail(errc::shape_mismatch, "packed matrix: expected a transform of ", cols_, " columns, got ",
         transform_->in_features());
  }
  return layout_.bytes() + transform_->bytes();
}

template <WeightCodec Codec>
matrix packed_matrix<Codec>::tile_parameters(index row_tile, index group) const {
  const index h = layout_.rows_of(row_tile);
  matrix values(h, parameter_count<Codec>);
  const auto codes = static_cast<std::size_t>(layout_.code_bytes(h, layout_.columns_of(group)));
  codec_.read_parameters(
      detail::parameter_reader(tile(row_tile, group).subspan(codes), values.data(), h, values.cols()));
  return values;
}

template <WeightCodec Codec>
std::vector<std::uint8_t> packed_matrix<Codec>::column_classes(index group) const {
  std::vector<std::uint8_t> classes;
  if constexpr (column_class_count<Codec> > 1) {
    const auto flags = std::span<const std::byte>(bytes_).subspan(static_cast<std::size_t>(layout_.flags_offset()));
    for (index c = 0; c < layout_.columns_of(group); ++c) {
      classes.push_back(bit_packed_at(flags, layout_.first_column(group) + c, 1));
    }
  }
  return classes;
}

template <WeightCodec Codec>
coded_matrix<Codec> packed_matrix<Codec>::unpack() const {
  coded_matrix<Codec> result(codec_, rows_, cols_);
  result.transform = transform_;
  for (index g = 0; g < layout_.groups(); ++g) {
    group_parameters& group = result.groups[static_cast<std::size_t>(g)];
    group.values.resize(rows_, parameter_count<Codec>);
    group.column_class = column_classes(g);
    const std::vector<index> places = detail::stored_places(group.column_class, layout_.columns_of(g));
    for (index t = 0; t < layout_.row_tiles(); ++t) {
      group.values.middleRows(t * tile_rows, layout_.rows_of(t)) = tile_parameters(t, g);
      for (index r = 0; r < layout_.rows_of(t); ++r) {
        for (index c = 0; c < layout_.columns_of(g); ++c) {
          result.codes(t * tile_rows + r, layout_.first_column(g) + c) =
              stored_code(t, g, r, places[static_cast<std::size_t>(c)]);
        }
      }
    }
  }
  return result;
}

template <WeightCodec Codec>
float packed_matrix<Codec>::at(index r, index c) const {
  LUQ_ASSERT(r >= 0 && r < rows_ && c >= 0 && c < cols_);
  const index g = c / group_size(codec_, cols_);
  const index t = r / tile_rows;
  const index column = c - layout_.first_column(g);
  const std::vector<std::uint8_t> classes = column_classes(g);
  const index place = detail::stored_places(classes, layout_.columns_of(g))[static_cast<std::size_t>(column)];
  const matrix parameters = tile_parameters(t, g);
  return decode_weight(codec_, stored_code(t, g, r % tile_rows, place), parameters.row(r % tile_rows).data(),
                       classes.empty() ? 0 : classes[static_cast<std::size_t>(column)]);
}

template <WeightCodec Codec>
code packed_matrix<Codec>::stored_code(index row_tile, index group, index row, index place) const {
  if constexpr (SequenceCodec<Codec>) {
    code q = 0;
    for (index p = std::max<index>(0, place - Codec::window + 1); p <= place; ++p) {
      q = Codec::next(q, stored_symbol(row_tile, group, row, p));
    }
    return q;
  } else {
    return static_cast<code>(stored_symbol(row_tile, group, row, place));
  }
}

template <WeightCodec Codec>
void packed_matrix<Codec>::order_columns() {
  if constexpr (column_class_count<Codec> > 1) {
    stored_columns_.resize(static_cast<std::size_t>(cols_));
    for (index g = 0; g < layout_.groups(); ++g) {
      const std::vector<std::uint8_t> classes = column_classes(g);
      class_borders_.push_back(std::count(classes.begin(), classes.end(), std::uint8_t{1}));
      const std::vector<index> places = detail::stored_places(classes, layout_.columns_of(g));
      const index first = layout_.first_column(g);
      for (std::size_t c = 0; c < places.size(); ++c) {
        stored_columns_[static_cast<std::size_t>(first + places[c])] = first + static_cast<index>(c);
      }
    }
  }
}

template <WeightCodec Codec>
int packed_matrix<Codec>::stored_symbol(index row_tile, index group, index row, index place) const {
  const index h = layout_.rows_of(row_tile);
  const index k = layout_.columns_of(group);
  const std::byte* plane = bytes_.data() + layout_.tile_offset(row_tile, group);
  int value = 0;
  int weight = 1;
  detail::unrolled<static_cast<index>(Codec::planes.size())>([&](auto p) {
    constexpr auto radix = static_cast<int>(Codec::planes[p()]);
    const symbol_position position = locate_symbol<radix>(h, k, row, place);
    const auto byte = std::to_integer<std::uint8_t>(plane[position.byte]);
    value += weight * radix_traits<radix>::extract(byte, position.slot);
    weight *= radix;
    plane += h * plane_row_bytes<radix>(k);
  });
  return value;
}

template <WeightCodec Codec>
void packed_matrix<Codec>::pack_tile(const coded_matrix<Codec>& source, const group_parameters& group, index t,
                                     index g) {
  const index h = layout_.rows_of(t);
  const index k = layout_.columns_of(g);
  const std::vector<index> places = detail::stored_places(group.column_class, k);
  std::byte* plane = bytes_.data() + layout_.tile_offset(t, g);
  int divisor = 1;
  detail::unrolled<static_cast<index>(Codec::planes.size())>([&](auto p) {
    constexpr auto radix = static_cast<int>(Codec::planes[p()]);
    constexpr auto symbols = static_cast<std::size_t>(radix_traits<radix>::symbols_per_byte);
    const index plane_bytes = h * plane_row_bytes<radix>(k);
    std::vector<std::uint8_t> slots(static_cast<std::size_t>(plane_bytes) * symbols, 0);
    for (index r = 0; r < h; ++r) {
      for (index c = 0; c < k; ++c) {
        const int symbol = source.codes(t * tile_rows + r, layout_.first_column(g) + c) / divisor % radix;
        const auto position = locate_symbol<radix>(h, k, r, places[static_cast<std::size_t>(c)]);
        slots[static_cast<std::size_t>(position.byte) * symbols + static_cast<std::size_t>(position.slot)] =
            static_cast<std::uint8_t>(symbol);
      }
    }
    for (index b = 0; b < plane_bytes; ++b) {
      const auto byte_slots =
          std::span<const std::uint8_t>(slots).subspan(static_cast<std::size_t>(b) * symbols, symbols);
      plane[b] = static_cast<std::byte>(radix_traits<radix>::combine(byte_slots));
    }
    divisor *= radix;
    plane += plane_bytes;
  });
  const std::span<std::byte> parameters(plane, static_cast<std::size_t>(layout_.parameter_bytes(h)));
  codec_.read_parameters(detail::parameter_writer(group.row(t * tile_rows), h, group.values.cols(), parameters));
}

}  // namespace luq
