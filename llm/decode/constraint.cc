#include "llm/decode/constraint.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/error.h"
#include "core/text/language.h"
#include "core/text/sentences.h"
#include "core/text/unicode.h"

namespace sworn::llm {
namespace {

// Facts about a place in a passage.
constexpr std::uint8_t kGoesOn = 1;        // a run may read the byte that stands here
constexpr std::uint8_t kWordEnds = 2;      // a citation may stand here
constexpr std::uint8_t kSentenceEnds = 4;  // and behind it another run, or the end
constexpr std::uint8_t kOnlyCloses = 8;    // up to the end of the sentence: punctuation alone

// Values of kBegin.
constexpr std::uint32_t kNoSeparator = 0;
constexpr std::uint32_t kSpaceRead = 1;
constexpr std::uint32_t kLineRead = 2;
constexpr std::uint32_t kParagraphRead = 3;

constexpr std::string_view kWhiteSpace = " \t\n\f\r";
constexpr std::string_view kClosing = ".!?:;\"')";

bool Holds(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

bool IsDigit(std::uint8_t byte) { return byte >= '0' && byte <= '9'; }

bool BeginsNumber(std::uint32_t prefix, std::size_t number) {
  while (number > prefix) number /= 10;
  return number == prefix;
}

struct Passage {
  std::string text;
  std::vector<std::uint8_t> facts;        // of each byte and of the end
  std::vector<std::uint32_t> beginnings;  // of the sentences that may be quoted
};

void MarkSentence(Passage& passage, std::size_t begin, std::size_t end) {
  std::size_t closing = end;
  while (closing > begin && Holds(kClosing, passage.text[closing - 1])) --closing;
  for (std::size_t i = begin; i < end; ++i) {
    passage.facts[i] |= kGoesOn;
    if (i >= closing) passage.facts[i] |= kOnlyCloses;
    const bool in_word = i > begin && !Holds(kWhiteSpace, passage.text[i - 1]);
    if (in_word && (i >= closing || Holds(kWhiteSpace, passage.text[i]))) {
      passage.facts[i] |= kWordEnds;
    }
  }
  passage.facts[end] |= kWordEnds | kSentenceEnds;
}

Passage ReadPassage(const std::string& text) {
  Passage passage{text, std::vector<std::uint8_t>(text.size() + 1), {}};
  bool was_usable = false;
  std::size_t last_end = 0;
  for (const ByteRange& sentence : text::SplitSentences(text, text::DetectLanguage(text))) {
    const auto begin = static_cast<std::size_t>(sentence.begin);
    const auto end = static_cast<std::size_t>(sentence.end);
    const bool usable = text.find('[', begin) >= end;
    if (usable) {
      passage.beginnings.push_back(static_cast<std::uint32_t>(begin));
      MarkSentence(passage, begin, end);
      for (std::size_t i = last_end; was_usable && i < begin; ++i) passage.facts[i] |= kGoesOn;
    }
    was_usable = usable;
    last_end = end;
  }
  return passage;
}

}  // namespace

struct Constraint::Rules {
  std::vector<Passage> passages;  // kQuote only
  std::uint32_t count = 0;
};

Constraint::Constraint(TextConstraint kind, const std::vector<std::string>& passages) {
  std::size_t bytes = 0;
  for (const std::string& passage : passages) bytes += passage.size();
  if (passages.size() > kMaxConstraintPassages || bytes > kMaxConstraintBytes) {
    throw Error(ErrorCode::kTooLarge, "more than " + std::to_string(kMaxConstraintPassages) +
                                          " passages or " + std::to_string(kMaxConstraintBytes) +
                                          " bytes of them to cite");
  }
  if (!std::all_of(passages.begin(), passages.end(), text::IsValidUtf8)) {
    throw Error(ErrorCode::kInvalidArgument, "a passage is not UTF-8");
  }
  assert(kind != TextConstraint::kFree);
  auto rules = std::make_shared<Rules>();
  rules->count = static_cast<std::uint32_t>(passages.size());
  if (kind == TextConstraint::kCite) {
    state_ = {{Mode::kAny}};
  } else {
    for (const std::string& passage : passages) rules->passages.push_back(ReadPassage(passage));
    state_ = {{Mode::kBegin, 0, 0, kNoSeparator}};
  }
  rules_ = std::move(rules);
}

void Constraint::StepRun(const Reading& reading, std::uint8_t byte, State& to) const {
  const Passage& passage = rules_->passages[reading.passage];
  const std::uint8_t facts = passage.facts[reading.offset];
  if ((facts & kGoesOn) != 0 && static_cast<std::uint8_t>(passage.text[reading.offset]) == byte) {
    const bool stays_cited = reading.mode == Mode::kCited && (facts & kOnlyCloses) != 0;
    to.push_back({stays_cited ? Mode::kCited : Mode::kRun, reading.passage, reading.offset + 1, 0});
  }
  if (reading.mode == Mode::kRun && (facts & kWordEnds) != 0) {
    if (byte == ' ') to.push_back({Mode::kSpace, reading.passage, reading.offset, 0});
    if (byte == '[') to.push_back({Mode::kOpen, reading.passage, reading.offset, 0});
  }
  if (reading.mode == Mode::kCited && (facts & kSentenceEnds) != 0) {
    if (byte == ' ') to.push_back({Mode::kBegin, 0, 0, kSpaceRead});
    if (byte == '\n') to.push_back({Mode::kBegin, 0, 0, kLineRead});
  }
}

void Constraint::StepBegin(const Reading& reading, std::uint8_t byte, State& to) const {
  if (reading.value == kNoSeparator) {
    if (byte == ' ') to.push_back({Mode::kBegin, 0, 0, kSpaceRead});
    if (byte == '\n') to.push_back({Mode::kBegin, 0, 0, kLineRead});
  }
  if (reading.value == kLineRead && byte == '\n') {
    to.push_back({Mode::kBegin, 0, 0, kParagraphRead});
  }
  for (std::uint32_t i = 0; i < rules_->count; ++i) {
    const Passage& passage = rules_->passages[i];
    for (const std::uint32_t begin : passage.beginnings) {
      if (static_cast<std::uint8_t>(passage.text[begin]) == byte) {
        to.push_back({Mode::kRun, i, begin + 1, 0});
      }
    }
  }
}

void Constraint::StepReading(const Reading& reading, std::uint8_t byte, State& to) const {
  // Only looked at where the byte is a digit.
  const std::uint32_t number = reading.value * 10 + (byte - std::uint32_t{'0'});
  switch (reading.mode) {
    case Mode::kAny:
      if (byte != '[') to.push_back(reading);
      if (byte == '[' && rules_->count > 0) to.push_back({Mode::kNumber});
      break;
    case Mode::kNumber:
      if (IsDigit(byte) && number >= 1 && number <= rules_->count) {
        to.push_back({Mode::kNumber, 0, 0, number});
      }
      if (byte == ']' && reading.value > 0) to.push_back({Mode::kAny});
      break;
    case Mode::kBegin:
      StepBegin(reading, byte, to);
      break;
    case Mode::kRun:
    case Mode::kCited:
      StepRun(reading, byte, to);
      break;
    case Mode::kSpace:
      if (byte == '[') to.push_back({Mode::kOpen, reading.passage, reading.offset, 0});
      break;
    case Mode::kOpen:
      if (IsDigit(byte) && number >= 1 && BeginsNumber(number, reading.passage + 1)) {
        to.push_back({Mode::kOpen, reading.passage, reading.offset, number});
      }
      if (byte == ']' && reading.value == reading.passage + 1) {
        to.push_back({Mode::kCited, reading.passage, reading.offset, 0});
      }
      break;
  }
}

bool Constraint::Step(const State& from, std::uint8_t byte, State& to) const {
  to.clear();
  for (const Reading& reading : from) StepReading(reading, byte, to);
  std::sort(to.begin(), to.end());
  to.erase(std::unique(to.begin(), to.end()), to.end());
  return !to.empty();
}

bool Constraint::Allows(std::string_view bytes) const {
  if (state_.front().mode == Mode::kAny && !Holds(bytes, '[')) return true;
  State state = state_;
  State next;
  for (const char c : bytes) {
    if (!Step(state, static_cast<std::uint8_t>(c), next)) return false;
    state.swap(next);
  }
  return true;
}

void Constraint::Accept(std::string_view bytes) {
  State next;
  for (const char c : bytes) {
    [[maybe_unused]] const bool allowed = Step(state_, static_cast<std::uint8_t>(c), next);
    assert(allowed);
    state_.swap(next);
    if (c == '[' || unfinished_ > 0) ++unfinished_;
    if (c == ']') unfinished_ = 0;
  }
}

bool Constraint::may_end() const {
  return std::any_of(state_.begin(), state_.end(), [this](const Reading& reading) {
    if (reading.mode == Mode::kCited) {
      return (rules_->passages[reading.passage].facts[reading.offset] & kSentenceEnds) != 0;
    }
    return reading.mode == Mode::kAny || reading.mode == Mode::kBegin;
  });
}

bool Constraint::Collect(const VocabularyIndex& index, VocabularyIndex::Range range,
                         std::size_t depth, const State& state, std::size_t limit,
                         std::vector<Token>& found) const {
  if (depth > 0) {
    const auto complete = index.Complete(range, depth);
    found.insert(found.end(), complete.begin(), complete.end());
    if (found.size() > limit) return false;
    range.begin += complete.size();
  }
  State next;
  for (int byte = 0; byte < 256 && !range.empty(); ++byte) {
    if (!Step(state, static_cast<std::uint8_t>(byte), next)) continue;
    const auto narrowed = index.Narrow(range, depth, static_cast<std::uint8_t>(byte));
    if (narrowed.empty()) continue;
    if (!Collect(index, narrowed, depth + 1, next, limit, found)) return false;
  }
  return true;
}

std::optional<std::vector<Token>> Constraint::AllowedTokens(const VocabularyIndex& index,
                                                            std::size_t limit) const {
  if (state_.front().mode == Mode::kAny) return std::nullopt;
  std::vector<Token> found;
  if (!Collect(index, index.All(), 0, state_, limit, found)) return std::nullopt;
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace sworn::llm
