// The bytes of generated tokens on their way to the reader: as valid UTF-8, whole code points at a
// time, and without the texts that end an answer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/generator.h"

namespace sworn::llm {

inline constexpr std::size_t kMaxStopTexts = 16;
inline constexpr std::size_t kMaxStopBytes = 1'024;  // of each

/// Not thread-safe.
class TextStream {
 public:
  /// `on_text` may be empty and must outlive the stream. Throws kInvalidArgument for more or longer
  /// stop texts than the bounds above, an empty one, or one that is no UTF-8.
  TextStream(const std::vector<std::string>& stop, const TextSink& on_text);

  /// Adds bytes; what is no UTF-8 becomes U+FFFD, one for each maximal part of a sequence. Delivers
  /// the text but for its last `hold` bytes and what a stop text may begin with. True if a stop
  /// text was found: the text before it is delivered and the stream is at its end.
  [[nodiscard]] bool Push(std::string_view bytes, std::size_t hold);

  /// Delivers what was held back, but for the last `drop` bytes and a code point that is not
  /// complete.
  void Finish(std::size_t drop);

  /// All that was delivered.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  [[nodiscard]] std::size_t PossibleStop() const;
  void Deliver(std::size_t bytes);

  const std::vector<std::string> stop_;
  const TextSink& on_text_;
  std::string partial_;  // the first bytes of a code point
  std::string held_;     // valid
  std::string text_;
};

}  // namespace sworn::llm
