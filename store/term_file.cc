#include "store/term_file.h"

#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include "core/error.h"
#include "store/term_file_format.h"

namespace sworn::store {
namespace {

static_assert(std::endian::native == std::endian::little, "the file's integers are little-endian");

template <typename T>
T LoadAt(std::span<const std::uint8_t> bytes, std::size_t index) noexcept {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// The next LEB128 number of at most 32 bits; nothing if there is none.
std::optional<std::uint64_t> TakeNumber(const std::uint8_t*& at, const std::uint8_t* end) noexcept {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < kMaxNumberBits && at != end; shift += 7) {
    const std::uint8_t byte = *at++;
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

Error Unsound(const MappedFile& file, const char* why) {
  return {ErrorCode::kIntegrity, file.path().native() + ": " + why};
}

}  // namespace

TermFile::TermFile(const std::filesystem::path& path)
    : file_(std::make_unique<const MappedFile>(path)) {
  ReadTables();
}

void TermFile::ReadTables() {
  std::span<const std::uint8_t> rest = file_->bytes();
  if (rest.size() < kTermHeaderBytes ||
      std::memcmp(rest.data(), kTermMagic.data(), kTermMagic.size()) != 0) {
    throw Unsound(*file_, "is no file of terms");
  }
  const auto rows = LoadAt<std::uint64_t>(rest, 1);
  const auto terms = LoadAt<std::uint64_t>(rest, 2);
  rest = rest.subspan(kTermHeaderBytes);
  if (rows > kMaxTermRows || terms > kMaxTerms ||
      terms * kBytesPerTerm + rows * kBytesPerRow > rest.size()) {
    throw Unsound(*file_, "has another size than it says");
  }
  const auto take = [&rest](std::uint64_t bytes) {
    const auto part = rest.first(static_cast<std::size_t>(bytes));
    rest = rest.subspan(part.size());
    return part;
  };
  rows_ = static_cast<std::size_t>(rows);
  const auto count = static_cast<std::size_t>(terms);
  // The mapping begins at a page, and the header keeps the alignment.
  keys_ = {reinterpret_cast<const TermKey*>(take(terms * 8).data()), count};
  occurrences_ = {reinterpret_cast<const std::uint64_t*>(take(terms * 8).data()), count};
  count_log_counts_ = {reinterpret_cast<const double*>(take(terms * 8).data()), count};
  encoded_ = take(rest.size() - rows * kBytesPerRow);
  row_ends_ = take(rows * 8);
  ids_ = rest;
  for (std::size_t i = 1; i < keys_.size(); ++i) {
    if (keys_[i - 1] >= keys_[i]) throw Unsound(*file_, "has terms out of order");
  }
  std::uint64_t end = 0;
  ChunkId id = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    if (EndOf(row) < end || IdOf(row) <= id) throw Unsound(*file_, "has rows out of order");
    end = EndOf(row);
    id = IdOf(row);
  }
  if (end != encoded_.size()) throw Unsound(*file_, "has rows of another size");
}

ChunkId TermFile::IdOf(std::size_t row) const noexcept { return LoadAt<ChunkId>(ids_, row); }

std::uint64_t TermFile::EndOf(std::size_t row) const noexcept {
  return LoadAt<std::uint64_t>(row_ends_, row);
}

std::optional<std::size_t> TermFile::FindRow(ChunkId id) const noexcept {
  std::size_t begin = 0;
  std::size_t end = rows_;
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    if (IdOf(middle) < id) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  if (begin == rows_ || IdOf(begin) != id) return std::nullopt;
  return begin;
}

template <typename Visit>
void TermFile::Decode(std::size_t row, Visit&& visit) const {
  const std::uint8_t* at = encoded_.data() + (row == 0 ? 0 : EndOf(row - 1));
  const std::uint8_t* const end = encoded_.data() + EndOf(row);
  std::uint64_t next = 0;  // the lowest place that the next entry may name
  while (at != end) {
    const std::optional<std::uint64_t> step = TakeNumber(at, end);
    std::optional<std::uint64_t> count = 1;
    if (step && (*step & 1U) != 0) count = TakeNumber(at, end);
    if (!step || !count || *count == 0 || *count > std::numeric_limits<std::uint32_t>::max() ||
        next + (*step >> 1U) >= keys_.size()) {
      throw Unsound(*file_, "has a damaged row");
    }
    const auto term = static_cast<std::uint32_t>(next + (*step >> 1U));
    visit(term, static_cast<std::uint32_t>(*count));
    next = std::uint64_t{term} + 1;
  }
}

std::vector<TermCount> TermFile::Read(std::size_t row) const {
  std::vector<TermCount> entries;
  const std::uint64_t bytes = EndOf(row) - (row == 0 ? 0 : EndOf(row - 1));
  entries.reserve(static_cast<std::size_t>(bytes / 2));  // two bytes an entry, more or less
  Decode(row, [&](std::uint32_t term, std::uint32_t count) {
    entries.push_back({keys_[term], count});
  });
  return entries;
}

void TermFile::ReadIndexed(std::size_t row, std::vector<IndexedCount>& entries) const {
  entries.clear();
  Decode(row, [&](std::uint32_t term, std::uint32_t count) { entries.push_back({term, count}); });
}

}  // namespace sworn::store
