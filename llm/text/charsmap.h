// SentencePiece's "precompiled_charsmap": which character sequences a text is rewritten with before
// it is encoded (nearly always Unicode's NFKC, with white space made plain).
//
// The bytes are a 32-bit length, a double-array trie of that length (Darts-clone,
// github.com/s-yata/darts-clone) and the replacements, each ended by a zero byte; the trie maps a
// sequence to the offset of its replacement. All little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::llm {

inline constexpr std::size_t kMaxCharsmapBytes = std::size_t{16} * 1024 * 1024;

/// Immutable; safe to share between threads.
class Charsmap {
 public:
  /// Rewrites nothing.
  Charsmap() = default;
  /// Throws kIntegrity if the parts do not fit the bytes.
  explicit Charsmap(std::string_view bytes);

  /// `text` with the longest match at every place replaced. Valid UTF-8 gives valid UTF-8; throws
  /// kIntegrity where a damaged map does not and kTooLarge for what becomes too long.
  [[nodiscard]] std::string Rewrite(std::string_view text) const;

 private:
  /// The length of the longest sequence that `text` begins with, and its replacement; 0 for none.
  std::size_t Longest(std::string_view text, std::string_view& replacement) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace sworn::llm
