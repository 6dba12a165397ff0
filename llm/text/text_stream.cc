#include "llm/text/text_stream.h"

#include <algorithm>
#include <cstdint>

#include "core/error.h"
#include "core/text/unicode.h"

namespace sworn::llm {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the sequence that `lead` begins; 0 if none begins so.
std::size_t SequenceLength(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

// Table 3-7 of the Unicode standard.
bool MayFollow(std::uint8_t lead, std::size_t index, std::uint8_t byte) {
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (index == 1 && lead == 0xE0) low = 0xA0;
  if (index == 1 && lead == 0xED) high = 0x9F;
  if (index == 1 && lead == 0xF0) low = 0x90;
  if (index == 1 && lead == 0xF4) high = 0x8F;
  return byte >= low && byte <= high;
}

// Moves the code points of `bytes` to `text`; leaves one that may still become complete.
void MoveCodePoints(std::string& bytes, std::string& text) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto lead = static_cast<std::uint8_t>(bytes[at]);
    const std::size_t wanted = SequenceLength(lead);
    std::size_t length = 1;
    while (length < wanted && at + length < bytes.size() &&
           MayFollow(lead, length, static_cast<std::uint8_t>(bytes[at + length]))) {
      ++length;
    }
    if (length < wanted && at + length == bytes.size()) break;
    text += length == wanted ? std::string_view(bytes).substr(at, length) : kReplacement;
    at += length;
  }
  bytes.erase(0, at);
}

}  // namespace

TextStream::TextStream(const std::vector<std::string>& stop, const TextSink& on_text)
    : stop_(stop), on_text_(on_text) {
  if (stop.size() > kMaxStopTexts) {
    throw Error(ErrorCode::kInvalidArgument,
                "more than " + std::to_string(kMaxStopTexts) + " stop texts");
  }
  for (const std::string& text : stop) {
    if (text.empty() || text.size() > kMaxStopBytes || !text::IsValidUtf8(text)) {
      throw Error(ErrorCode::kInvalidArgument,
                  "a stop text must be UTF-8 of 1 to " + std::to_string(kMaxStopBytes) + " bytes");
    }
  }
}

// The longest end of held_ with which a stop text begins.
std::size_t TextStream::PossibleStop() const {
  std::size_t longest = 0;
  for (const std::string& stop : stop_) {
    for (std::size_t n = std::min(stop.size() - 1, held_.size()); n > longest; --n) {
      if (held_.compare(held_.size() - n, n, stop, 0, n) == 0) longest = n;
    }
  }
  return longest;
}

void TextStream::Deliver(std::size_t bytes) {
  if (bytes == 0) return;
  const std::string piece = held_.substr(0, bytes);
  held_.erase(0, bytes);
  text_ += piece;
  if (on_text_) on_text_(piece);
}

bool TextStream::Push(std::string_view bytes, std::size_t hold) {
  partial_ += bytes;
  MoveCodePoints(partial_, held_);
  std::size_t found = std::string::npos;
  for (const std::string& stop : stop_) found = std::min(found, held_.find(stop));
  if (found != std::string::npos) {
    held_.resize(found);
    partial_.clear();
    Deliver(found);
    return true;
  }
  Deliver(held_.size() - std::min(held_.size(), std::max(hold, PossibleStop())));
  return false;
}

void TextStream::Finish(std::size_t drop) {
  Deliver(held_.size() - std::min(held_.size(), drop));
  held_.clear();
  partial_.clear();
}

}  // namespace sworn::llm
