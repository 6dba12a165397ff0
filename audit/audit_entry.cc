#include "audit/audit_entry.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "core/error.h"

namespace sworn::audit {
namespace {

constexpr std::string_view kMagic = "SWA1";
constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kFieldHeaderBytes = 6;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kBootIdBytes = 16;

template <typename T>
void PutBigEndian(T value, std::string& out) {
  for (int shift = (static_cast<int>(sizeof(T)) - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xffU));
  }
}

[[noreturn]] void Malformed(const std::string& why) {
  throw Error(ErrorCode::kIntegrity, "malformed audit entry: " + why);
}

/// Takes values from the front of bytes; throws when they end early.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  T BigEndian() {
    T value = 0;
    for (const char byte : Take(sizeof(T))) {
      value = static_cast<T>((value << 8U) | static_cast<std::uint8_t>(byte));
    }
    return value;
  }
  float Float() { return std::bit_cast<float>(BigEndian<std::uint32_t>()); }

  std::string_view Take(std::size_t count) {
    if (count > rest_.size()) Malformed("it ends too early");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  [[nodiscard]] bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool IsPlainText(std::string_view text) {
  return text.size() <= kMaxEntryTextBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

void CheckText(std::string_view text) {
  if (!IsPlainText(text)) {
    throw Error(ErrorCode::kInvalidArgument, "text of an audit entry is at most " +
                                                 std::to_string(kMaxEntryTextBytes) +
                                                 " bytes of printable ASCII");
  }
}

// A string inside a list: one length byte, then the bytes.
void PutShortText(std::string_view text, std::string& out) {
  CheckText(text);
  static_assert(kMaxEntryTextBytes <= std::numeric_limits<std::uint8_t>::max());
  out.push_back(static_cast<char>(text.size()));
  out += text;
}

std::string TakeShortText(Reader& reader) {
  const std::string_view text = reader.Take(reader.BigEndian<std::uint8_t>());
  if (!IsPlainText(text)) Malformed("text that is not printable ASCII");
  return std::string(text);
}

std::vector<CollectionState> ReadCollections(std::string_view bytes) {
  Reader reader(bytes);
  const auto count = reader.BigEndian<std::uint16_t>();
  if (count > kMaxEntryCollections) Malformed("too many collections");
  std::vector<CollectionState> collections(count);
  for (CollectionState& collection : collections) {
    collection.collection_id = TakeShortText(reader);
    collection.generation = reader.BigEndian<std::uint64_t>();
  }
  if (!reader.AtEnd()) Malformed("bytes after the last collection");
  return collections;
}

std::vector<PassageFields> ReadPassages(std::string_view bytes) {
  Reader reader(bytes);
  const auto count = reader.BigEndian<std::uint16_t>();
  if (count > kMaxEntryPassages) Malformed("too many passages");
  std::vector<PassageFields> passages(count);
  for (PassageFields& passage : passages) {
    passage.document_id = TakeShortText(reader);
    passage.version = reader.BigEndian<std::uint64_t>();
    passage.version_commitment = reader.Take(kDigestBytes);
    passage.chunk_id = reader.BigEndian<std::uint64_t>();
    passage.byte_begin = reader.BigEndian<std::uint64_t>();
    passage.byte_end = reader.BigEndian<std::uint64_t>();
    passage.rank = reader.BigEndian<std::uint64_t>();
    passage.score = reader.Float();
    passage.keyword_score = reader.Float();
    passage.vector_score = reader.Float();
  }
  if (!reader.AtEnd()) Malformed("bytes after the last passage");
  return passages;
}

void CheckShape(const FieldInfo& field, std::string_view bytes) {
  const auto expect = [&](bool ok) {
    if (!ok) Malformed("field " + std::string(field.name) + " has the wrong shape");
  };
  switch (field.kind) {
    case FieldKind::kNumber:
    case FieldKind::kTime:
      return expect(bytes.size() == sizeof(std::uint64_t));
    case FieldKind::kDigest:
      return expect(bytes.size() == kDigestBytes);
    case FieldKind::kBootId:
      return expect(bytes.size() == kBootIdBytes);
    case FieldKind::kText:
      return expect(IsPlainText(bytes));
    case FieldKind::kCollections:
      ReadCollections(bytes);
      return;
    case FieldKind::kPassages:
      ReadPassages(bytes);
      return;
  }
}

}  // namespace

FieldMap& FieldMap::SetNumber(Tag tag, std::uint64_t value) {
  std::string bytes;
  PutBigEndian(value, bytes);
  return SetBytes(tag, std::move(bytes));
}

FieldMap& FieldMap::SetDigest(Tag tag, std::string_view digest) {
  if (digest.size() != kDigestBytes) {
    throw Error(ErrorCode::kInvalidArgument, "a digest of an audit entry has 32 bytes");
  }
  return SetBytes(tag, std::string(digest));
}

FieldMap& FieldMap::SetBytes(Tag tag, std::string bytes) {
  SetRaw(static_cast<std::uint16_t>(tag), std::move(bytes));
  return *this;
}

FieldMap& FieldMap::SetText(Tag tag, std::string_view text) {
  CheckText(text);
  return SetBytes(tag, std::string(text));
}

FieldMap& FieldMap::SetCollections(const std::vector<CollectionState>& collections) {
  if (collections.size() > kMaxEntryCollections) {
    throw Error(ErrorCode::kTooLarge, "more than " + std::to_string(kMaxEntryCollections) +
                                          " collections in one request");
  }
  std::string bytes;
  PutBigEndian(static_cast<std::uint16_t>(collections.size()), bytes);
  for (const CollectionState& collection : collections) {
    PutShortText(collection.collection_id, bytes);
    PutBigEndian(collection.generation, bytes);
  }
  return SetBytes(Tag::kCollections, std::move(bytes));
}

FieldMap& FieldMap::SetPassages(const std::vector<PassageFields>& passages) {
  if (passages.size() > kMaxEntryPassages) {
    throw Error(ErrorCode::kTooLarge,
                "more than " + std::to_string(kMaxEntryPassages) + " passages in one entry");
  }
  std::string bytes;
  PutBigEndian(static_cast<std::uint16_t>(passages.size()), bytes);
  for (const PassageFields& passage : passages) {
    if (passage.version_commitment.size() != kDigestBytes) {
      throw Error(ErrorCode::kInvalidArgument, "a version commitment has 32 bytes");
    }
    PutShortText(passage.document_id, bytes);
    PutBigEndian(passage.version, bytes);
    bytes += passage.version_commitment;
    PutBigEndian(passage.chunk_id, bytes);
    PutBigEndian(passage.byte_begin, bytes);
    PutBigEndian(passage.byte_end, bytes);
    PutBigEndian(passage.rank, bytes);
    for (const float score : {passage.score, passage.keyword_score, passage.vector_score}) {
      PutBigEndian(std::bit_cast<std::uint32_t>(score), bytes);
    }
  }
  return SetBytes(Tag::kPassages, std::move(bytes));
}

std::optional<std::string_view> FieldMap::Bytes(Tag tag) const {
  const auto field = fields_.find(static_cast<std::uint16_t>(tag));
  if (field == fields_.end()) return std::nullopt;
  return field->second;
}

std::optional<std::uint64_t> FieldMap::Number(Tag tag) const {
  const auto bytes = Bytes(tag);
  if (!bytes || bytes->size() != sizeof(std::uint64_t)) return std::nullopt;
  return Reader(*bytes).BigEndian<std::uint64_t>();
}

std::vector<CollectionState> FieldMap::Collections() const {
  const auto bytes = Bytes(Tag::kCollections);
  return bytes ? ReadCollections(*bytes) : std::vector<CollectionState>();
}

std::vector<PassageFields> FieldMap::Passages() const {
  const auto bytes = Bytes(Tag::kPassages);
  return bytes ? ReadPassages(*bytes) : std::vector<PassageFields>();
}

std::string EncodeEntry(const AuditEntry& entry) {
  if (entry.fields.all().size() > kMaxEntryFields) {
    throw Error(ErrorCode::kTooLarge, "an audit entry has too many fields");
  }
  std::string bytes(kMagic);
  PutBigEndian(static_cast<std::uint16_t>(entry.type), bytes);
  PutBigEndian(static_cast<std::uint16_t>(entry.fields.all().size()), bytes);
  for (const auto& [tag, value] : entry.fields.all()) {
    if (value.size() > kMaxEntryBytes - kHeaderBytes - kFieldHeaderBytes) {
      throw Error(ErrorCode::kTooLarge, "a field of an audit entry is too large");
    }
    PutBigEndian(tag, bytes);
    PutBigEndian(static_cast<std::uint32_t>(value.size()), bytes);
    bytes += value;
  }
  if (bytes.size() > kMaxEntryBytes) {
    throw Error(ErrorCode::kTooLarge,
                "an audit entry is larger than " + std::to_string(kMaxEntryBytes) + " bytes");
  }
  return bytes;
}

AuditEntry DecodeEntry(std::string_view bytes) {
  if (bytes.size() > kMaxEntryBytes) Malformed("larger than 64 KiB");
  Reader reader(bytes);
  if (reader.Take(kMagic.size()) != kMagic) Malformed("it does not start with SWA1");
  AuditEntry entry;
  entry.type = static_cast<EntryType>(reader.BigEndian<std::uint16_t>());
  const auto count = reader.BigEndian<std::uint16_t>();
  if (count > kMaxEntryFields) Malformed("too many fields");
  int last_tag = -1;
  for (int i = 0; i < count; ++i) {
    const auto tag = reader.BigEndian<std::uint16_t>();
    if (tag <= last_tag) Malformed("fields are not in ascending order");
    last_tag = tag;
    const std::string_view value = reader.Take(reader.BigEndian<std::uint32_t>());
    if (const FieldInfo* field = FindFieldInfo(tag)) CheckShape(*field, value);
    entry.fields.SetRaw(tag, std::string(value));
  }
  if (!reader.AtEnd()) Malformed("bytes after the last field");
  return entry;
}

}  // namespace sworn::audit
