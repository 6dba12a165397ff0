#include "llm/files/gguf_writer.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fcntl.h>

#include "core/error.h"

static_assert(std::endian::native == std::endian::little,
              "values are written as they lie in memory");

namespace sworn::llm {
namespace {

// Panels are used as they are mapped, and a kernel wants them at a cache line.
constexpr std::uint32_t kWriterAlignment = 64;
constexpr std::size_t kBufferBytes = std::size_t{1} << 20U;

std::uint64_t Aligned(std::uint64_t offset) {
  return (offset + kWriterAlignment - 1) / kWriterAlignment * kWriterAlignment;
}

template <typename T>
void PutNumber(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void PutString(std::string& out, std::string_view text) {
  PutNumber(out, static_cast<std::uint64_t>(text.size()));
  out.append(text);
}

template <typename T>
constexpr GgufType TypeOf() {
  if constexpr (std::is_same_v<T, bool>) return GgufType::kBool;
  if constexpr (std::is_same_v<T, std::string>) return GgufType::kString;
  if constexpr (std::is_same_v<T, float>) return GgufType::kFloat32;
  if constexpr (std::is_same_v<T, double>) return GgufType::kFloat64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return GgufType::kUint8;
  if constexpr (std::is_same_v<T, std::int8_t>) return GgufType::kInt8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return GgufType::kUint16;
  if constexpr (std::is_same_v<T, std::int16_t>) return GgufType::kInt16;
  if constexpr (std::is_same_v<T, std::uint32_t>) return GgufType::kUint32;
  if constexpr (std::is_same_v<T, std::int32_t>) return GgufType::kInt32;
  if constexpr (std::is_same_v<T, std::uint64_t>) return GgufType::kUint64;
  if constexpr (std::is_same_v<T, std::int64_t>) return GgufType::kInt64;
}

template <typename T>
void PutScalar(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    PutString(out, value);
  } else if constexpr (std::is_same_v<T, bool>) {
    out.push_back(value ? '\1' : '\0');
  } else {
    PutNumber(out, value);
  }
}

struct PutValue {
  std::string& out;

  template <typename T>
  void operator()(const T& value) const {
    PutNumber(out, TypeOf<T>());
    PutScalar(out, value);
  }
  template <typename T>
  void operator()(const std::vector<T>& values) const {
    PutNumber(out, GgufType::kArray);
    PutNumber(out, TypeOf<T>());
    PutNumber(out, static_cast<std::uint64_t>(values.size()));
    for (const T& value : values) PutScalar(out, value);
  }
};

[[noreturn]] void Misused(const std::string& how) {
  throw Error(ErrorCode::kInternal, "GGUF writer: " + how);
}

bool FitsFloat(double value) {
  return static_cast<double>(static_cast<float>(value)) == value || value != value;
}

template <typename To, typename From>
std::vector<To> Converted(const std::vector<From>& values) {
  std::vector<To> converted;
  converted.reserve(values.size());
  for (const From value : values) converted.push_back(static_cast<To>(value));
  return converted;
}

struct Narrow {
  GgufValue operator()(bool value) const { return value; }
  GgufValue operator()(std::uint64_t value) const {
    if (std::in_range<std::uint32_t>(value)) return static_cast<std::uint32_t>(value);
    return value;
  }
  GgufValue operator()(std::int64_t value) const {
    if (std::in_range<std::int32_t>(value)) return static_cast<std::int32_t>(value);
    return value;
  }
  GgufValue operator()(double value) const {
    if (FitsFloat(value)) return static_cast<float>(value);
    return value;
  }
  GgufValue operator()(const std::string& value) const { return value; }
  GgufValue operator()(const std::vector<std::string>& values) const { return values; }
  GgufValue operator()(const std::vector<std::int64_t>& values) const {
    const bool small = std::all_of(values.begin(), values.end(), [](std::int64_t value) {
      return std::in_range<std::int32_t>(value);
    });
    if (small) return Converted<std::int32_t>(values);
    return values;
  }
  GgufValue operator()(const std::vector<double>& values) const {
    if (std::all_of(values.begin(), values.end(), FitsFloat)) return Converted<float>(values);
    return values;
  }
};

}  // namespace

GgufValue ToGgufValue(const MetadataValue& value) { return std::visit(Narrow{}, value); }

GgufWriter::GgufWriter(const std::filesystem::path& target, FileOps& ops)
    : target_(target), aside_(target), ops_(&ops) {
  aside_ += ".new";
  fd_ = FileDescriptor(::open(aside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd_.valid()) throw SystemError(errno, "cannot write", aside_.native());
}

GgufWriter::~GgufWriter() {
  if (finished_) return;
  std::error_code ignored;
  std::filesystem::remove(aside_, ignored);
}

void GgufWriter::Set(const std::string& key, GgufValue value) {
  if (header_written_) Misused("metadata after the first tensor's bytes");
  if (key != "general.alignment") values_.insert_or_assign(key, std::move(value));
}

void GgufWriter::AddTensor(const std::string& name, DType dtype, std::vector<std::size_t> shape) {
  if (header_written_) Misused("a new tensor after the first tensor's bytes");
  const GgufTensorType* const type = FindGgufType(dtype);
  if (type == nullptr) {
    throw Error(ErrorCode::kUnsupportedMedia,
                "tensor '" + name + "' is of a type that is not written");
  }
  const std::uint64_t bytes = GgufTensorBytes(*type, shape, name);
  tensors_.push_back({name, type, std::move(shape), next_offset_, bytes});
  next_offset_ = Aligned(next_offset_ + bytes);
}

void GgufWriter::WriteHeader() {
  values_.insert_or_assign("general.alignment", kWriterAlignment);
  std::string header(kGgufMagic);
  PutNumber(header, kGgufVersion);
  PutNumber(header, static_cast<std::uint64_t>(tensors_.size()));
  PutNumber(header, static_cast<std::uint64_t>(values_.size()));
  for (const auto& [key, value] : values_) {
    PutString(header, key);
    std::visit(PutValue{header}, value);
  }
  for (const Planned& tensor : tensors_) {
    PutString(header, tensor.name);
    PutNumber(header, static_cast<std::uint32_t>(tensor.shape.size()));
    for (std::size_t i = tensor.shape.size(); i > 0; --i) {
      PutNumber(header, static_cast<std::uint64_t>(tensor.shape[i - 1]));
    }
    PutNumber(header, tensor.type->id);
    PutNumber(header, tensor.offset);
  }
  header.resize(Aligned(header.size()), '\0');
  Write(header);
  header_written_ = true;
}

void GgufWriter::Append(std::span<const std::uint8_t> bytes) {
  if (!header_written_) WriteHeader();
  if (bytes.empty()) return;
  if (current_ == tensors_.size()) Misused("bytes after the last tensor");
  const Planned& tensor = tensors_[current_];
  if (bytes.size() > tensor.bytes - written_) Misused("too many bytes for '" + tensor.name + "'");
  Write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  written_ += bytes.size();
  if (written_ < tensor.bytes) return;
  Write(std::string(Aligned(tensor.bytes) - tensor.bytes, '\0'));
  written_ = 0;
  ++current_;
}

void GgufWriter::Write(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) Flush();
  if (bytes.size() >= kBufferBytes) {
    ops_->Write(fd_.get(), bytes, aside_);
  } else {
    buffer_.append(bytes);
  }
}

void GgufWriter::Flush() {
  ops_->Write(fd_.get(), buffer_, aside_);
  buffer_.clear();
}

void GgufWriter::Finish() {
  if (!header_written_) WriteHeader();
  if (current_ != tensors_.size()) {
    Misused("tensor '" + tensors_[current_].name + "' is not complete");
  }
  Flush();
  ops_->SyncFile(fd_.get(), aside_);
  ops_->Rename(aside_, target_);
  finished_ = true;
  ops_->SyncFolder(target_.has_parent_path() ? target_.parent_path() : std::filesystem::path("."));
}

}  // namespace sworn::llm
