// Which texts may come out: an automaton over bytes, asked with the bytes of tokens.
//
// kCite. Any text, but "[" begins a citation: "[", a number of 1 to `passages` without leading
// zeros, "]". Where there are no passages there is no "[".
//
// kQuote. Runs of whole sentences of the passages, byte for byte, and citations:
//   - A run begins at the start of a sentence and goes on as the passage does, into the next
//     sentences too. Sentences that hold a "[" are never entered, for what stands behind it would
//     read as a citation.
//   - Between two words of a run, before the closing punctuation of a sentence or behind it may
//     stand one citation, with or without a space before it, of a passage that holds the run from
//     its start; the run then goes on in that passage.
//   - Behind a sentence that was cited at its end (before or behind its closing punctuation), and
//     there alone, the text may end, or another run may begin behind " ", "\n" or "\n\n". A text
//     may also end before its first run: nothing in the passages answers.
// So a finished text without its citations is made of whole sentences that stand in the passage
// cited behind them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/generator.h"
#include "llm/decode/vocabulary_index.h"

namespace sworn::llm {

inline constexpr std::size_t kMaxConstraintPassages = 1'000;
inline constexpr std::size_t kMaxConstraintBytes = std::size_t{16} * 1024 * 1024;  // together

/// Of one generation; a copy is a cheap way to try something. Not thread-safe.
class Constraint {
 public:
  /// `kind` is not kFree. Throws kTooLarge for more or longer passages than the bounds above and
  /// kInvalidArgument for one that is no UTF-8.
  Constraint(TextConstraint kind, const std::vector<std::string>& passages);

  /// Whether the text may go on with these bytes; true for none.
  [[nodiscard]] bool Allows(std::string_view bytes) const;
  /// The text goes on with these bytes, which Allows() allows.
  void Accept(std::string_view bytes);
  [[nodiscard]] bool may_end() const;
  /// Bytes at the end of the text that belong to a citation that is not complete.
  [[nodiscard]] std::size_t unfinished() const noexcept { return unfinished_; }

  /// All tokens whose bytes Allows() allows, ascending; nothing where they are more than `limit` or
  /// any text may follow. Tokens that end the text are not among them.
  [[nodiscard]] std::optional<std::vector<Token>> AllowedTokens(const VocabularyIndex& index,
                                                                std::size_t limit) const;

 private:
  enum class Mode : std::uint8_t {
    kAny,     // kCite: any text
    kNumber,  // kCite: behind "[", `value` is the number so far
    kBegin,   // kQuote: a run may begin; `value` says which separator was read
    kRun,     // kQuote: `offset` bytes of `passage` were read
    kSpace,   // kQuote: a space behind kRun that a citation must follow
    kOpen,    // kQuote: behind "[", `value` is the number so far
    kCited,   // kQuote: behind the citation
  };
  // One of the ways in which the text so far can be read.
  struct Reading {
    Mode mode = Mode::kAny;
    std::uint32_t passage = 0;
    std::uint32_t offset = 0;
    std::uint32_t value = 0;

    // clang-tidy 14 takes the 0 behind a defaulted <=> for a pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend auto operator<=>(const Reading&, const Reading&) = default;
  };
  using State = std::vector<Reading>;  // ascending, each once
  struct Rules;

  [[nodiscard]] bool Step(const State& from, std::uint8_t byte, State& to) const;
  void StepReading(const Reading& reading, std::uint8_t byte, State& to) const;
  void StepRun(const Reading& reading, std::uint8_t byte, State& to) const;
  void StepBegin(const Reading& reading, std::uint8_t byte, State& to) const;
  [[nodiscard]] bool Collect(const VocabularyIndex& index, VocabularyIndex::Range range,
                             std::size_t depth, const State& state, std::size_t limit,
                             std::vector<Token>& found) const;

  std::shared_ptr<const Rules> rules_;
  State state_;
  std::size_t unfinished_ = 0;
};

}  // namespace sworn::llm
