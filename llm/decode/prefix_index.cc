#include "llm/decode/prefix_index.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sworn::llm {
namespace {

std::uint8_t ByteAt(const PrefixIndex::Entry& entry, std::size_t at) {
  return static_cast<std::uint8_t>(entry.bytes[at]);
}

}  // namespace

PrefixIndex::PrefixIndex(std::vector<Entry> entries) : entries_(std::move(entries)) {
  // char_traits<char> compares as unsigned char, so the order is that of the bytes.
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.bytes, a.token) < std::tie(b.bytes, b.token);
  });
  entries_.erase(std::unique(entries_.begin(), entries_.end(),
                             [](const Entry& a, const Entry& b) { return a.bytes == b.bytes; }),
                 entries_.end());
  for (const Entry& entry : entries_) ++begins_[ByteAt(entry, 0) + std::size_t{1}];
  for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
}

void PrefixIndex::Narrow(std::uint8_t byte, std::size_t at, std::size_t& begin,
                         std::size_t& end) const {
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = entries_.begin() + static_cast<std::ptrdiff_t>(end);
  const auto low = std::partition_point(
      first, last, [&](const Entry& entry) { return ByteAt(entry, at) < byte; });
  const auto high = std::partition_point(
      low, last, [&](const Entry& entry) { return ByteAt(entry, at) == byte; });
  begin = static_cast<std::size_t>(low - entries_.begin());
  end = static_cast<std::size_t>(high - entries_.begin());
}

}  // namespace sworn::llm
