#include "api/service/sentence_stream.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/text/sentences.h"

namespace sworn::service {
namespace {

constexpr std::size_t kMaxMarkBytes = 32;
constexpr std::size_t kWordsOfNext = 2;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (!IsSpace(c)) {
      line.push_back(c);
    } else if (!line.empty() && line.back() != ' ') {
      line.push_back(' ');
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

// "- ", "* " and "• " before an item of a list.
std::string_view WithoutBullet(std::string_view text) {
  for (const std::string_view bullet : {"- ", "* ", "\u2022 "}) {
    if (text.starts_with(bullet)) text.remove_prefix(bullet.size());
  }
  return text;
}

std::size_t CountWords(std::string_view text) {
  std::size_t words = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!IsSpace(text[i]) && (i + 1 == text.size() || IsSpace(text[i + 1]))) ++words;
  }
  return words;
}

bool EndsASentence(std::string_view text) {
  for (const std::string_view closing : {"\"", "'", ")", "\u201d", "\u00bb", "\u201c"}) {
    if (text.ends_with(closing)) text.remove_suffix(closing.size());
  }
  return text.ends_with('.') || text.ends_with('!') || text.ends_with('?') ||
         text.ends_with("\u3002") || text.ends_with("\u2026");
}

}  // namespace

std::vector<std::uint32_t> ParseMark(std::string_view text) {
  if (text.size() < 3 || text.front() != '[' || text.back() != ']') return {};
  std::vector<std::uint32_t> numbers;
  const char* at = text.data() + 1;
  const char* end = text.data() + text.size() - 1;
  while (at != end) {
    if (!IsDigit(*at)) return {};
    std::uint32_t number = 0;
    const auto [behind, error] = std::from_chars(at, end, number);
    if (error != std::errc()) return {};
    numbers.push_back(number);
    at = behind;
    if (at == end) break;
    if (*at != ',' && *at != ';') return {};
    do {
      ++at;
    } while (at != end && *at == ' ');
    if (at == end) return {};
  }
  return numbers;
}

void SentenceStream::Add(std::string_view piece, const WrittenSink& sink) {
  for (const char c : piece) {
    if (!pending_.empty()) {
      pending_.push_back(c);
      if (c == ']') {
        std::vector<std::uint32_t> numbers = ParseMark(pending_);
        const std::string kept = std::exchange(pending_, {});
        if (!numbers.empty()) {
          marks_.push_back({text_.size(), std::move(numbers)});
        } else {
          for (const char k : kept) AddCharacter(k, sink);
        }
      } else if (!(IsDigit(c) || c == ',' || c == ';' || c == ' ') ||
                 pending_.size() > kMaxMarkBytes) {
        const bool again = c == '[';
        if (again) pending_.pop_back();
        const std::string kept = std::exchange(pending_, again ? "[" : "");
        for (const char k : kept) AddCharacter(k, sink);
      }
      continue;
    }
    if (c == '[') {
      pending_ = "[";
      continue;
    }
    AddCharacter(c, sink);
  }
}

void SentenceStream::AddCharacter(char c, const WrittenSink& sink) {
  const bool ends_word = IsSpace(c) && !text_.empty() && !IsSpace(text_.back());
  text_.push_back(c);
  if (!ends_word) return;
  const std::vector<ByteRange> sentences = text::SplitSentences(text_, language_);
  if (sentences.size() < 2) return;
  const ByteRange& next = sentences[1];
  const std::string_view rest = std::string_view(text_).substr(next.begin);
  if (sentences.size() == 2 && CountWords(rest) < kWordsOfNext) return;
  HandOn(sentences[0].begin, sentences[0].end, next.begin, sink);
}

void SentenceStream::HandOn(std::size_t begin, std::size_t end, std::size_t next,
                            const WrittenSink& sink) {
  WrittenSentence sentence;
  std::string text = OneLine(std::string_view(text_).substr(begin, end - begin));
  sentence.text = WithoutBullet(text);
  // "days [1]." leaves a space where the mark was.
  for (const std::string_view stop : {" .", " ,", " ;", " !", " ?"}) {
    for (std::size_t at = sentence.text.find(stop); at != std::string::npos;
         at = sentence.text.find(stop, at)) {
      sentence.text.erase(at, 1);
    }
  }
  std::vector<Mark> later;
  for (Mark& mark : marks_) {
    if (mark.at > next) {
      mark.at -= next;
      later.push_back(std::move(mark));
      continue;
    }
    for (const std::uint32_t number : mark.numbers) {
      const auto& cited = sentence.cited;
      if (std::find(cited.begin(), cited.end(), number) == cited.end()) {
        sentence.cited.push_back(number);
      }
    }
  }
  marks_ = std::move(later);
  text_.erase(0, next);
  if (!sentence.text.empty()) sink(sentence);
}

bool SentenceStream::Finish(bool cut, const WrittenSink& sink) {
  for (const char c : std::exchange(pending_, {})) AddCharacter(c, sink);
  for (;;) {
    const std::vector<ByteRange> sentences = text::SplitSentences(text_, language_);
    if (sentences.empty()) break;
    const ByteRange first = sentences.front();
    const bool last = sentences.size() == 1;
    if (last && cut &&
        !EndsASentence(std::string_view(text_).substr(first.begin, first.end - first.begin))) {
      return true;
    }
    HandOn(first.begin, first.end, last ? text_.size() : sentences[1].begin, sink);
  }
  return false;
}

}  // namespace sworn::service
