#include "llm/text/charsmap.h"

#include <algorithm>

#include "core/error.h"
#include "core/text/unicode.h"
#include "llm/text/sentencepiece.h"

namespace sworn::llm {
namespace {

// One sequence may become at most this many bytes for each of its own; U+FDFA, the longest of
// NFKC, needs 11.
constexpr std::size_t kMaxGrowth = 64;
constexpr std::size_t kMaxRewrittenBytes = 4 * kMaxEncodeBytes;
// Longest sequence that is looked for: a damaged trie may run in circles.
constexpr std::size_t kMaxSequenceBytes = 256;

// A unit of the double array: the label of the edge to it, whether a value hangs below it, and by
// how much the places of its children differ from its own.
bool HasLeaf(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
std::uint32_t Label(std::uint32_t unit) { return unit & (1U << 31 | 0xFF); }
std::uint32_t Value(std::uint32_t unit) { return unit & ~(1U << 31); }
std::uint32_t Offset(std::uint32_t unit) { return unit >> 10 << ((unit & 1U << 9) >> 6); }

std::uint32_t ReadWord(std::string_view bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 4; i-- > 0;) word = word << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return word;
}

}  // namespace

Charsmap::Charsmap(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t size = bytes.size() < 4 ? 0 : ReadWord(bytes, 0);
  if (bytes.size() < 4 || size % 4 != 0 || size > bytes.size() - 4) {
    throw Error(ErrorCode::kIntegrity, "tokenizer.ggml.precompiled_charsmap is damaged");
  }
  units_.reserve(size / 4);
  for (std::size_t at = 0; at < size; at += 4) units_.push_back(ReadWord(bytes, 4 + at));
  replacements_ = bytes.substr(4 + size);
  replacements_ += '\0';
}

std::size_t Charsmap::Longest(std::string_view text, std::string_view& replacement) const {
  if (units_.empty()) return 0;
  const std::string_view replacements = replacements_;
  std::size_t longest = 0;
  std::uint32_t at = Offset(units_.front());
  for (std::size_t i = 0; i < std::min(text.size(), kMaxSequenceBytes); ++i) {
    const std::uint32_t byte = static_cast<std::uint8_t>(text[i]);
    at ^= byte;
    if (at >= units_.size() || Label(units_[at]) != byte) break;
    const std::uint32_t unit = units_[at];
    at ^= Offset(unit);
    if (!HasLeaf(unit)) continue;
    const std::size_t value = at < units_.size() ? Value(units_[at]) : replacements.size();
    if (value >= replacements.size()) break;
    longest = i + 1;
    replacement = replacements.substr(value);
  }
  if (longest == 0) return 0;
  replacement = replacement.substr(0, longest * kMaxGrowth + 1);
  replacement = replacement.substr(0, replacement.find('\0'));
  return longest;
}

std::string Charsmap::Rewrite(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::string_view replacement;
    std::size_t length = Longest(text.substr(at), replacement);
    if (length == 0) {
      length = CodePointSize(text[at]);
      replacement = text.substr(at, length);
    }
    if (out.size() + replacement.size() > kMaxRewrittenBytes) {
      throw Error(ErrorCode::kTooLarge, "the text is too long for one prompt when normalized");
    }
    out += replacement;
    at += length;
  }
  if (!text::IsValidUtf8(out)) {
    throw Error(ErrorCode::kIntegrity,
                "tokenizer.ggml.precompiled_charsmap makes text that is no UTF-8");
  }
  return out;
}

}  // namespace sworn::llm
