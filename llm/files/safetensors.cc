#include "llm/files/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "llm/files/gguf.h"
#include "llm/files/hf_json.h"

namespace sworn::llm {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLengthBytes = 8;

constexpr std::array<std::pair<std::string_view, std::size_t>, 15> kTypes = {{
    {"F64", 8},
    {"F32", 4},
    {"F16", 2},
    {"BF16", 2},
    {"F8_E4M3", 1},
    {"F8_E5M2", 1},
    {"I64", 8},
    {"I32", 4},
    {"I16", 2},
    {"I8", 1},
    {"U64", 8},
    {"U32", 4},
    {"U16", 2},
    {"U8", 1},
    {"BOOL", 1},
}};

std::size_t ElementBytes(const std::string& dtype, const std::string& where) {
  for (const auto& [name, bytes] : kTypes) {
    if (name == dtype) return bytes;
  }
  throw Error(ErrorCode::kUnsupportedMedia, where + ": the unknown type '" + dtype + "'");
}

[[noreturn]] void Damaged(const std::string& where, const std::string& why) {
  throw Error(ErrorCode::kIntegrity, where + ": " + why);
}

std::uint64_t Count(const json& value, const std::string& where) {
  if (!value.is_number_unsigned()) Damaged(where, "a length or offset is no whole number from 0");
  return value.get<std::uint64_t>();
}

std::vector<std::size_t> ReadShape(const json& info, const std::string& where) {
  const json* const lengths = JsonMember(info, "shape");
  if (lengths == nullptr || !lengths->is_array()) Damaged(where, "'shape' is missing");
  if (lengths->size() > kMaxTensorDimensions) {
    Damaged(where, std::to_string(lengths->size()) + " dimensions; at most " +
                       std::to_string(kMaxTensorDimensions) + " are read");
  }
  std::vector<std::size_t> shape;
  std::uint64_t elements = 1;
  for (const json& length : *lengths) {
    shape.push_back(Count(length, where));
    if (shape.back() == 0) Damaged(where, "a dimension of 0");
    if (shape.back() > kMaxTensorElements / elements) {
      Damaged(where, "a shape of more than " + std::to_string(kMaxTensorElements) + " numbers");
    }
    elements *= shape.back();
  }
  if (shape.empty()) shape.push_back(1);
  return shape;
}

SafetensorsEntry ReadEntry(const std::string& name, const json& info,
                           std::span<const std::uint8_t> data, const std::string& where) {
  SafetensorsEntry entry;
  entry.name = name;
  entry.dtype = JsonText(info, "dtype", where).value_or("");
  entry.shape = ReadShape(info, where);
  const json* const offsets = JsonMember(info, "data_offsets");
  if (offsets == nullptr || !offsets->is_array() || offsets->size() != 2) {
    Damaged(where, "'data_offsets' is no pair of offsets");
  }
  const std::uint64_t begin = Count((*offsets)[0], where);
  const std::uint64_t end = Count((*offsets)[1], where);
  if (begin > end || end > data.size()) {
    Damaged(where, "the bytes from offset " + std::to_string(begin) + " to " + std::to_string(end) +
                       " do not lie in the " + std::to_string(data.size()) +
                       " bytes of tensor data");
  }
  std::uint64_t needed = ElementBytes(entry.dtype, where);
  for (const std::size_t length : entry.shape) needed *= length;
  if (needed != end - begin) {
    Damaged(where, std::to_string(end - begin) + " bytes at offset " + std::to_string(begin) +
                       " where type and shape need " + std::to_string(needed));
  }
  entry.bytes = data.subspan(begin, end - begin);
  return entry;
}

}  // namespace

SafetensorsShard::SafetensorsShard(const std::filesystem::path& path) : file_(path) {
  const auto bytes = file_.bytes();
  const std::string where = "'" + path.native() + "'";
  if (bytes.size() < kLengthBytes) Damaged(where, "the file ends in its first eight bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > kMaxSafetensorsHeaderBytes || length > bytes.size() - kLengthBytes) {
    Damaged(where, "a header of " + std::to_string(length) + " bytes");
  }
  const auto data = bytes.subspan(kLengthBytes + length);
  const json header = ParseJsonObject(
      {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length}, where + ": header");
  if (header.size() > kMaxTensors) Damaged(where, "too many tensors");
  for (const auto& [name, info] : header.items()) {
    if (name == "__metadata__") continue;
    if (!IsTensorName(name)) Damaged(where, "a tensor's name is too long or not printable");
    std::string named = where + ": tensor '";
    named.append(name).append("'");
    entries_.push_back(ReadEntry(name, info, data, named));
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const auto& a, const auto& b) { return a.bytes.data() < b.bytes.data(); });
  const std::uint8_t* next = data.data();
  for (const SafetensorsEntry& entry : entries_) {
    if (entry.bytes.data() != next) {
      Damaged(where + ": tensor '" + entry.name + "'",
              "its bytes overlap others or leave a gap at offset " +
                  std::to_string(entry.bytes.data() - data.data()));
    }
    next += entry.bytes.size();
  }
  if (next != data.data() + data.size()) {
    Damaged(where, std::to_string(data.data() + data.size() - next) +
                       " bytes at the end belong to no tensor");
  }
}

}  // namespace sworn::llm
