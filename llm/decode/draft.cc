#include "llm/decode/draft.h"

#include <algorithm>

namespace sworn::llm {
namespace {

// A repeat of this many tokens is copied from whatever happened before; where guesses mostly
// failed, shorter ones are not. Six positions cost about a quarter more than one, so a guess pays
// if it is right once in four times.
constexpr std::size_t kSureRepeat = 4;
constexpr double kPoorRate = 0.25;
constexpr double kForget = 0.25;  // weight of the latest guess in the rate

}  // namespace

std::vector<Token> Drafter::Propose() const {
  const SuffixAutomaton::Repeat repeat = text_.LongestRepeat();
  std::size_t count = repeat.length >= kSureRepeat ? kMaxDraft : repeat.length;
  if (rate_ < kPoorRate) count = repeat.length >= kSureRepeat ? 2 : 0;
  const std::span<const Token> tokens = text_.tokens();
  count = std::min(count, tokens.size() - repeat.next);
  const auto copied = tokens.subspan(repeat.next, count);
  return {copied.begin(), copied.end()};
}

void Drafter::Report(std::size_t drafted, std::size_t accepted) {
  if (drafted == 0) return;
  const double rate = static_cast<double>(accepted) / static_cast<double>(drafted);
  rate_ += kForget * (rate - rate_);
}

}  // namespace sworn::llm
