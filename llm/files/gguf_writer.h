// Writes a GGUF file: metadata, then tensors one after the other with bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/file.h"
#include "llm/files/gguf.h"
#include "llm/files/model_file.h"

namespace sworn::llm {

/// A metadata value in the exact type that the file gets.
using GgufValue =
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t,
                 std::int32_t, float, bool, std::string, std::uint64_t, std::int64_t, double,
                 std::vector<std::uint32_t>, std::vector<std::int32_t>, std::vector<std::int64_t>,
                 std::vector<float>, std::vector<double>, std::vector<std::string>>;

/// The smallest of the usual types that holds a value that was read: uint32, int32 and float32
/// before the 64-bit ones.
GgufValue ToGgufValue(const MetadataValue& value);

/// Not thread-safe. In this order: Set and AddTensor, Append for the bytes of all tensors in the
/// order of AddTensor, Finish. The file appears under its name at Finish, durable and whole; if
/// that is not reached, nothing is left behind. Wrong use throws kInternal.
class GgufWriter {
 public:
  /// `ops` must outlive the writer. Writes to `target` + ".new" first, mode 0600.
  GgufWriter(const std::filesystem::path& target, FileOps& ops);
  ~GgufWriter();
  GgufWriter(const GgufWriter&) = delete;
  GgufWriter& operator=(const GgufWriter&) = delete;

  /// A later value of a key replaces an earlier one. "general.alignment" is the writer's own.
  void Set(const std::string& key, GgufValue value);
  /// shape is outermost first. Throws kIntegrity for a shape that does not fit the type and
  /// kUnsupportedMedia for a type that GGUF does not have.
  void AddTensor(const std::string& name, DType dtype, std::vector<std::size_t> shape);

  /// Further bytes of the tensor whose turn it is; a piece may not reach into the next tensor.
  void Append(std::span<const std::uint8_t> bytes);

  void Finish();

 private:
  struct Planned {
    std::string name;
    const GgufTensorType* type;
    std::vector<std::size_t> shape;
    std::uint64_t offset;
    std::uint64_t bytes;
  };
  void WriteHeader();
  void Write(std::string_view bytes);
  void Flush();

  std::filesystem::path target_;
  std::filesystem::path aside_;
  FileOps* ops_;
  FileDescriptor fd_;
  std::map<std::string, GgufValue> values_;
  std::vector<Planned> tensors_;
  std::string buffer_;
  bool header_written_ = false;
  bool finished_ = false;
  std::size_t current_ = 0;        // tensor whose bytes come next
  std::uint64_t written_ = 0;      // of its bytes
  std::uint64_t next_offset_ = 0;  // where the next planned tensor begins
};

}  // namespace sworn::llm
