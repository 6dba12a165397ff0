// Shell-like patterns for paths: which files to index, which documents to search.
//
// `*` and `?` do not cross a slash, `**` does ("a/**/b" matches "a/b" too), `[a-z]` and `[!a-z]`
// are one character, `{pdf,docx}` is a choice and may nest, a backslash takes the next character as
// it stands. Characters are code points; a byte that is no UTF-8 is a character of its own.
// Matching takes time in the product of both lengths, whatever the pattern.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace sworn {

inline constexpr std::size_t kMaxGlobBytes = 4096;
inline constexpr std::size_t kMaxGlobAlternatives = 256;  // after expanding all braces

/// Immutable, so threads may share it.
class Glob {
 public:
  /// Throws Error(kInvalidArgument) for an unclosed bracket or brace, an empty class, or more than
  /// the bounds above.
  explicit Glob(std::string_view pattern);
  ~Glob();
  Glob(Glob&&) noexcept;
  Glob& operator=(Glob&&) noexcept;

  /// The whole path.
  [[nodiscard]] bool Matches(std::string_view path) const;

  /// The whole path, or what follows one of its slashes: "*.pdf" finds "/data/a/b.pdf".
  [[nodiscard]] bool MatchesPathOrTail(std::string_view path) const;

 private:
  struct Token;
  struct Alternative;
  std::vector<Alternative> alternatives_;
};

}  // namespace sworn
