#include "llm/files/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/crypto.h"
#include "core/error.h"
#include "core/mapped_file.h"

static_assert(std::endian::native == std::endian::little, "tensors are used as they are mapped");

namespace sworn::llm {
namespace {

constexpr std::uint64_t kMinString = 8;                      // its length
constexpr std::uint64_t kMinEntry = 8 + 4 + 1;               // empty key, type, one byte
constexpr std::uint64_t kMinTensorInfo = 8 + 4 + 8 + 4 + 8;  // empty name, count, one length, ...
constexpr std::uint64_t kMaxKeyBytes = 65'535;
constexpr std::size_t kShownName = 80;

// Reads forward through the header; knows the file's name and what is being read, for messages.
class Cursor {
 public:
  Cursor(std::span<const std::uint8_t> bytes, const std::filesystem::path& path)
      : bytes_(bytes), path_(path) {}

  void Naming(std::string what) { what_ = std::move(what); }
  [[nodiscard]] std::uint64_t offset() const { return at_; }
  [[nodiscard]] std::uint64_t left() const { return bytes_.size() - at_; }

  [[noreturn]] void Fail(const std::string& why, ErrorCode code = ErrorCode::kIntegrity) const {
    throw Error(code, "'" + path_.native() + "': " + what_ + " at byte " + std::to_string(at_) +
                          ": " + why);
  }

  template <typename T>
  T Take() {
    if (left() < sizeof(T)) Fail("the file ends");
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  std::string TakeString(std::uint64_t max_bytes) {
    if (left() < kMinString) Fail("the file ends");
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data() + at_, sizeof(length));
    if (length > max_bytes) {
      Fail("a string of " + std::to_string(length) + " bytes; at most " +
           std::to_string(max_bytes) + " are read");
    }
    if (length > left() - kMinString) Fail("a string that goes beyond the end of the file");
    at_ += kMinString;
    std::string text(reinterpret_cast<const char*>(bytes_.data() + at_), length);
    at_ += length;
    return text;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  const std::filesystem::path& path_;
  std::string what_ = "header";
  std::uint64_t at_ = 0;
};

// Names come from outside: shortened and in printable ASCII when they are shown.
std::string Shown(const std::string& name) {
  std::string shown = name.substr(0, kShownName);
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7F; }, '?');
  return "'" + shown + "'";
}

bool TakeBool(Cursor& cursor) {
  const auto value = cursor.Take<std::uint8_t>();
  if (value > 1) cursor.Fail("a truth value that is neither 0 nor 1");
  return value == 1;
}

template <typename T>
std::int64_t TakeInteger(Cursor& cursor) {
  const T value = cursor.Take<T>();
  if (!std::in_range<std::int64_t>(value)) cursor.Fail("an array element above 2^63 - 1");
  return static_cast<std::int64_t>(value);
}

template <typename Element, typename Take>
std::vector<Element> TakeElements(Cursor& cursor, std::uint64_t count, std::uint64_t min_bytes,
                                  Take take) {
  if (count > cursor.left() / min_bytes) {
    cursor.Fail("an array of " + std::to_string(count) +
                " elements goes beyond the end of the file");
  }
  std::vector<Element> elements;
  elements.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) elements.push_back(take(cursor));
  return elements;
}

template <typename T>
MetadataValue TakeIntegers(Cursor& cursor, std::uint64_t count) {
  return TakeElements<std::int64_t>(cursor, count, sizeof(T), TakeInteger<T>);
}

template <typename T>
MetadataValue TakeReals(Cursor& cursor, std::uint64_t count) {
  return TakeElements<double>(cursor, count, sizeof(T),
                              [](Cursor& c) { return static_cast<double>(c.Take<T>()); });
}

MetadataValue TakeArray(Cursor& cursor) {
  const auto type = cursor.Take<std::uint32_t>();
  const auto count = cursor.Take<std::uint64_t>();
  if (count > kMaxArrayElements) {
    cursor.Fail("an array of " + std::to_string(count) + " elements; at most " +
                std::to_string(kMaxArrayElements) + " are read");
  }
  switch (static_cast<GgufType>(type)) {
    case GgufType::kUint8:
      return TakeIntegers<std::uint8_t>(cursor, count);
    case GgufType::kInt8:
      return TakeIntegers<std::int8_t>(cursor, count);
    case GgufType::kUint16:
      return TakeIntegers<std::uint16_t>(cursor, count);
    case GgufType::kInt16:
      return TakeIntegers<std::int16_t>(cursor, count);
    case GgufType::kUint32:
      return TakeIntegers<std::uint32_t>(cursor, count);
    case GgufType::kInt32:
      return TakeIntegers<std::int32_t>(cursor, count);
    case GgufType::kUint64:
      return TakeIntegers<std::uint64_t>(cursor, count);
    case GgufType::kInt64:
      return TakeIntegers<std::int64_t>(cursor, count);
    case GgufType::kFloat32:
      return TakeReals<float>(cursor, count);
    case GgufType::kFloat64:
      return TakeReals<double>(cursor, count);
    case GgufType::kBool:
      return TakeElements<std::int64_t>(cursor, count, 1, TakeBool);
    case GgufType::kString:
      return TakeElements<std::string>(cursor, count, kMinString,
                                       [](Cursor& c) { return c.TakeString(kMaxStringBytes); });
    case GgufType::kArray:
      cursor.Fail("an array of arrays", ErrorCode::kUnsupportedMedia);
  }
  cursor.Fail("array elements of the unknown type " + std::to_string(type));
}

MetadataValue TakeValue(Cursor& cursor) {
  const auto type = cursor.Take<std::uint32_t>();
  switch (static_cast<GgufType>(type)) {
    case GgufType::kUint8:
      return std::uint64_t{cursor.Take<std::uint8_t>()};
    case GgufType::kInt8:
      return std::int64_t{cursor.Take<std::int8_t>()};
    case GgufType::kUint16:
      return std::uint64_t{cursor.Take<std::uint16_t>()};
    case GgufType::kInt16:
      return std::int64_t{cursor.Take<std::int16_t>()};
    case GgufType::kUint32:
      return std::uint64_t{cursor.Take<std::uint32_t>()};
    case GgufType::kInt32:
      return std::int64_t{cursor.Take<std::int32_t>()};
    case GgufType::kUint64:
      return cursor.Take<std::uint64_t>();
    case GgufType::kInt64:
      return cursor.Take<std::int64_t>();
    case GgufType::kFloat32:
      return static_cast<double>(cursor.Take<float>());
    case GgufType::kFloat64:
      return cursor.Take<double>();
    case GgufType::kBool:
      return TakeBool(cursor);
    case GgufType::kString:
      return cursor.TakeString(kMaxStringBytes);
    case GgufType::kArray:
      return TakeArray(cursor);
  }
  cursor.Fail("a value of the unknown type " + std::to_string(type));
}

struct Header {
  std::uint64_t tensors = 0;
  std::uint64_t entries = 0;
};

Header TakeHeader(Cursor& cursor) {
  for (const char wanted : kGgufMagic) {
    if (cursor.Take<char>() != wanted) {
      cursor.Fail("this is no GGUF file", ErrorCode::kUnsupportedMedia);
    }
  }
  const auto version = cursor.Take<std::uint32_t>();
  if ((version & 0xFFFFU) == 0 && version != 0) {
    cursor.Fail("a big-endian file is not read", ErrorCode::kUnsupportedMedia);
  }
  if (version != 2 && version != kGgufVersion) {
    cursor.Fail("GGUF version " + std::to_string(version) + " is not read, 2 and 3 are",
                ErrorCode::kUnsupportedMedia);
  }
  Header header;
  header.tensors = cursor.Take<std::uint64_t>();
  header.entries = cursor.Take<std::uint64_t>();
  if (header.tensors > kMaxTensors || header.tensors > cursor.left() / kMinTensorInfo) {
    cursor.Fail("a count of " + std::to_string(header.tensors) + " tensors");
  }
  if (header.entries > kMaxMetadataEntries || header.entries > cursor.left() / kMinEntry) {
    cursor.Fail("a count of " + std::to_string(header.entries) + " metadata entries");
  }
  return header;
}

struct TensorInfo {
  TensorView view;
  std::uint64_t offset = 0;  // from the start of the tensor data
  std::uint64_t bytes = 0;
};

TensorInfo TakeTensorInfo(Cursor& cursor) {
  TensorInfo info;
  info.view.name = cursor.TakeString(kMaxTensorNameBytes);
  if (!IsTensorName(info.view.name)) cursor.Fail("a name that is empty or not printable ASCII");
  cursor.Naming("tensor " + Shown(info.view.name));
  const auto dimensions = cursor.Take<std::uint32_t>();
  if (dimensions == 0 || dimensions > kMaxTensorDimensions) {
    cursor.Fail(std::to_string(dimensions) + " dimensions; 1 to " +
                std::to_string(kMaxTensorDimensions) + " are read");
  }
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    info.view.shape.push_back(cursor.Take<std::uint64_t>());
  }
  std::reverse(info.view.shape.begin(), info.view.shape.end());  // the file has the innermost first
  const auto id = cursor.Take<std::uint32_t>();
  const GgufTensorType* const type = FindGgufType(id);
  if (type == nullptr) {
    cursor.Fail("the unknown type number " + std::to_string(id), ErrorCode::kUnsupportedMedia);
  }
  info.view.dtype = type->dtype;
  info.view.stored_type = type->name;
  info.offset = cursor.Take<std::uint64_t>();
  try {
    info.bytes = GgufTensorBytes(*type, info.view.shape, Shown(info.view.name));
  } catch (const Error& error) {
    cursor.Fail(error.what(), error.code());
  }
  return info;
}

class GgufFile final : public ModelFile {
 public:
  explicit GgufFile(const std::filesystem::path& path) : file_(path) {
    Cursor cursor(file_.bytes(), file_.path());
    const Header header = TakeHeader(cursor);
    for (std::uint64_t i = 0; i < header.entries; ++i) TakeEntry(cursor);
    std::vector<TensorInfo> infos;
    infos.reserve(header.tensors);
    for (std::uint64_t i = 0; i < header.tensors; ++i) {
      cursor.Naming("tensor number " + std::to_string(i + 1));
      infos.push_back(TakeTensorInfo(cursor));
    }
    PlaceTensors(cursor, std::move(infos));
  }

  [[nodiscard]] const std::map<std::string, MetadataValue>& metadata() const override {
    return metadata_;
  }
  [[nodiscard]] const std::vector<TensorView>& tensors() const override { return tensors_; }
  [[nodiscard]] const TensorView* Find(std::string_view name) const override {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &tensors_[found->second];
  }
  [[nodiscard]] std::string Sha256() const override {
    Sha256Hasher hasher;
    file_.Hash(hasher);
    return ToHex(hasher.Finish());
  }
  [[nodiscard]] std::uint64_t size_bytes() const override { return file_.bytes().size(); }
  void Release(const TensorView& tensor) const noexcept override { file_.Release(tensor.bytes); }

 private:
  void TakeEntry(Cursor& cursor) {
    cursor.Naming("metadata entry number " + std::to_string(metadata_.size() + 1));
    std::string key = cursor.TakeString(kMaxKeyBytes);
    cursor.Naming("metadata key " + Shown(key));
    if (metadata_.contains(key)) cursor.Fail("the key appears twice");
    MetadataValue value = TakeValue(cursor);
    metadata_.emplace(std::move(key), std::move(value));
  }

  [[nodiscard]] std::uint64_t Alignment(Cursor& cursor) const {
    cursor.Naming("metadata key 'general.alignment'");
    const std::uint64_t alignment = Number("general.alignment").value_or(kGgufDefaultAlignment);
    // GGUF asks for a multiple of 8; all writers use powers of two.
    if (alignment < 8 || alignment > kMaxGgufAlignment || !std::has_single_bit(alignment)) {
      cursor.Fail("an alignment of " + std::to_string(alignment));
    }
    return alignment;
  }

  // Gives every tensor its bytes, after checking that they lie in the file and overlap nothing.
  void PlaceTensors(Cursor& cursor, std::vector<TensorInfo> infos) {
    const std::uint64_t alignment = Alignment(cursor);
    const std::uint64_t begin = (cursor.offset() + alignment - 1) / alignment * alignment;
    const std::uint64_t size = file_.bytes().size();
    const std::uint64_t room = begin < size ? size - begin : 0;
    std::vector<std::pair<std::uint64_t, std::size_t>> order;
    for (std::size_t i = 0; i < infos.size(); ++i) {
      const TensorInfo& info = infos[i];
      cursor.Naming("tensor " + Shown(info.view.name));
      if (info.offset % alignment != 0) {
        cursor.Fail("an offset of " + std::to_string(info.offset) + ", which is no multiple of " +
                    std::to_string(alignment));
      }
      if (info.offset > room || info.bytes > room - info.offset) {
        cursor.Fail(std::to_string(info.bytes) + " bytes at offset " + std::to_string(info.offset) +
                    " of the tensor data go beyond its " + std::to_string(room) + " bytes");
      }
      if (info.view.dtype == DType::kPanels && (begin + info.offset) % kPanelAlignment != 0) {
        cursor.Fail("panels that do not begin at a multiple of 64 bytes");
      }
      order.emplace_back(info.offset, i);
    }
    std::sort(order.begin(), order.end());
    for (std::size_t i = 1; i < order.size(); ++i) {
      const TensorInfo& before = infos[order[i - 1].second];
      const TensorInfo& after = infos[order[i].second];
      if (before.offset + before.bytes <= after.offset) continue;
      cursor.Naming("tensor " + Shown(after.view.name));
      cursor.Fail("it overlaps tensor " + Shown(before.view.name));
    }
    tensors_.reserve(infos.size());
    for (TensorInfo& info : infos) {
      info.view.bytes = file_.bytes().subspan(begin + info.offset, info.bytes);
      tensors_.push_back(std::move(info.view));
    }
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (by_name_.emplace(tensors_[i].name, i).second) continue;
      cursor.Naming("tensor " + Shown(tensors_[i].name));
      cursor.Fail("the name appears twice");
    }
  }

  static constexpr std::uint64_t kPanelAlignment = 64;

  MappedFile file_;
  std::map<std::string, MetadataValue> metadata_;
  std::vector<TensorView> tensors_;
  std::unordered_map<std::string_view, std::size_t> by_name_;  // views into tensors_
};

}  // namespace

std::unique_ptr<ModelFile> OpenGguf(const std::filesystem::path& path) {
  return std::make_unique<GgufFile>(path);
}

}  // namespace sworn::llm
