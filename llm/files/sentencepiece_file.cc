#include "llm/files/sentencepiece_file.h"

#include <bit>
#include <cstring>
#include <optional>

#include "core/error.h"
#include "llm/files/model_file.h"

namespace sworn::llm {
namespace {

// Protocol buffers: a message is a run of fields, each a varint of number and wire type, then the
// value (protobuf.dev/programming-guides/encoding).
class Fields {
 public:
  Fields(std::string_view bytes, std::size_t offset) : bytes_(bytes), offset_(offset) {}

  /// Steps to the next field; false at the end.
  bool Next() {
    if (at_ == bytes_.size()) return false;
    const std::uint64_t key = Varint();
    number_ = key >> 3U;
    value_ = 0;
    payload_ = {};
    switch (key & 7U) {
      case 0:
        value_ = Varint();
        break;
      case 1:
        Take(8);
        break;
      case 2:
        Take(Varint());
        break;
      case 5:
        Take(4);
        std::memcpy(&value_, payload_.data(), 4);
        break;
      default:
        Fail();
    }
    return true;
  }

  [[nodiscard]] std::uint64_t number() const { return number_; }
  /// Of a varint field, or the bits of a four-byte field.
  [[nodiscard]] std::uint64_t value() const { return value_; }
  /// Of a field with a length.
  [[nodiscard]] std::string_view payload() const { return payload_; }
  [[nodiscard]] Fields Message() const { return {payload_, offset_ + at_ - payload_.size()}; }

 private:
  [[noreturn]] void Fail() const {
    throw Error(ErrorCode::kIntegrity,
                "the SentencePiece model is damaged at byte " + std::to_string(offset_ + at_));
  }

  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) Fail();
      const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return value;
    }
    Fail();
  }

  void Take(std::uint64_t length) {
    if (length > bytes_.size() - at_) Fail();
    payload_ = bytes_.substr(at_, length);
    at_ += length;
  }

  std::string_view bytes_;
  std::size_t offset_;  // of bytes_ in the file
  std::size_t at_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t value_ = 0;
  std::string_view payload_;
};

std::int64_t Signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

void ReadPiece(Fields fields, SentencePieceFile& file) {
  if (file.pieces.size() == kMaxArrayElements) {
    throw Error(ErrorCode::kIntegrity, "the SentencePiece model has too many pieces");
  }
  file.pieces.emplace_back();
  file.scores.push_back(0);
  file.types.push_back(1);
  while (fields.Next()) {
    if (fields.number() == 1) file.pieces.back() = fields.payload();
    if (fields.number() == 2) {
      file.scores.back() =
          static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(fields.value())));
    }
    if (fields.number() == 3) file.types.back() = Signed(fields.value());
  }
}

void ReadTrainer(Fields fields, SentencePieceFile& file) {
  while (fields.Next()) {
    switch (fields.number()) {
      case 3:
        if (fields.value() != 1 && fields.value() != 2) {
          throw Error(ErrorCode::kUnsupportedMedia,
                      "the SentencePiece model is neither unigram nor BPE");
        }
        file.kind = static_cast<SentencePieceFile::Kind>(fields.value());
        break;
      case 40:
        file.unknown = Signed(fields.value());
        break;
      case 41:
        file.bos = Signed(fields.value());
        break;
      case 42:
        file.eos = Signed(fields.value());
        break;
      default:
        break;
    }
  }
}

void ReadNormalizer(Fields fields, SentencePieceFile& file) {
  while (fields.Next()) {
    switch (fields.number()) {
      case 2:
        file.charsmap = fields.payload();
        break;
      case 3:
        file.adds_space = fields.value() != 0;
        break;
      case 4:
        file.one_space = fields.value() != 0;
        break;
      default:
        break;
    }
  }
}

}  // namespace

SentencePieceFile ParseSentencePiece(std::string_view bytes) {
  SentencePieceFile file;
  Fields fields(bytes, 0);
  while (fields.Next()) {
    switch (fields.number()) {
      case 1:
        ReadPiece(fields.Message(), file);
        break;
      case 2:
        ReadTrainer(fields.Message(), file);
        break;
      case 3:
        ReadNormalizer(fields.Message(), file);
        break;
      default:
        break;
    }
  }
  if (file.pieces.empty()) {
    throw Error(ErrorCode::kIntegrity, "the SentencePiece model has no pieces");
  }
  return file;
}

}  // namespace sworn::llm
