// Which part of a token sequence its end repeats: the index behind drafting.
//
// The suffix automaton of Blumer et al., "The smallest automaton recognizing the subwords of a
// text" (1985), grown token by token. A token costs O(1) amortised and adds at most two states and
// three edges, about 150 bytes in all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "llm/text/tokenizer.h"

namespace sworn::llm {

/// Longer sequences throw kTooLarge.
inline constexpr std::size_t kMaxSuffixTokens = std::size_t{1} << 20;

/// Not thread-safe.
class SuffixAutomaton {
 public:
  SuffixAutomaton();

  /// `token` is not negative.
  void Append(Token token);

  [[nodiscard]] std::span<const Token> tokens() const noexcept { return tokens_; }

  struct Repeat {
    std::size_t length = 0;  // tokens at the end of the sequence that stand earlier as well
    std::size_t next = 0;    // index of the token behind their first occurrence
  };
  /// The longest repeated end; length 0 if not even the last token occurs earlier. O(1).
  [[nodiscard]] Repeat LongestRepeat() const noexcept;

 private:
  struct State {
    std::uint32_t length = 0;     // of the longest sequence that leads here
    std::uint32_t link = 0;       // state of its longest end that occurs elsewhere too
    std::uint32_t first_end = 0;  // index of the last token of the first occurrence
    std::uint32_t edges = 0;      // first edge; 0: none
  };
  struct Edge {
    Token token = 0;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint32_t next = 0;  // of the same state
  };

  // Null if there is none.
  Edge* FindEdge(std::uint32_t state, Token token) noexcept;
  void AddEdge(std::uint32_t from, Token token, std::uint32_t to);
  std::uint32_t Clone(std::uint32_t state, std::uint32_t length);
  void GrowTable();

  std::vector<Token> tokens_;
  std::vector<State> states_;         // 0 is the start
  std::vector<Edge> edges_;           // 0 is unused
  std::vector<std::uint32_t> table_;  // open addressing by (from, token): indices of edges
  std::uint32_t last_ = 0;
};

}  // namespace sworn::llm
