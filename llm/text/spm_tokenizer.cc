// SentencePiece's byte-pair encoding: the text begins as its code points, and the neighbours whose
// join is the token with the best score are joined until none can be. A code point that is no token
// becomes its bytes.
//
// Spaces are kept as they are and the tokens' U+2581 is read as a space, which comes to the same.
// The one difference to SentencePiece: U+2581 in a text is not taken for a space but becomes bytes,
// so that decoding gives the text again.
#include <algorithm>
#include <cstdint>

#include "llm/text/sentencepiece.h"
#include "llm/text/vocabulary_tokenizer.h"

namespace sworn::llm {
namespace {

/// The parts of one text while they are joined.
class Parts {
 public:
  struct Part {
    std::uint32_t begin;
    std::uint32_t size;  // 0: has become the end of the part before it
    std::uint32_t previous;
    std::uint32_t next;
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  explicit Parts(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = CodePointSize(text[at]);
      const auto index = static_cast<std::uint32_t>(parts_.size());
      parts_.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size),
                        index == 0 ? kNone : index - 1, index + 1});
      at += size;
    }
    parts_.back().next = kNone;
  }

  /// score(bytes) is the score of the token of these bytes, or nothing.
  template <typename Score>
  void Join(const Score& score) {
    for (std::uint32_t i = 0; i + 1 < parts_.size(); ++i) Consider(i, score);
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end());
      const Candidate best = heap_.back();
      heap_.pop_back();
      Part& left = parts_[best.at];
      // A part that has been joined since has another size or none.
      if (left.size == 0 || left.next == kNone) continue;
      Part& right = parts_[left.next];
      if (left.size + right.size != best.size) continue;
      left.size = best.size;
      left.next = right.next;
      right.size = 0;
      if (left.next != kNone) {
        parts_[left.next].previous = best.at;
        Consider(best.at, score);
      }
      if (left.previous != kNone) Consider(left.previous, score);
    }
  }

  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (std::uint32_t i = 0; i != kNone; i = parts_[i].next) visit(Bytes(parts_[i]));
  }

 private:
  struct Candidate {
    float score;
    std::uint32_t at;
    std::uint32_t size;

    // The best score first, then the leftmost.
    friend bool operator<(const Candidate& a, const Candidate& b) {
      return a.score != b.score ? a.score < b.score : a.at > b.at;
    }
  };

  [[nodiscard]] std::string_view Bytes(const Part& part) const {
    return text_.substr(part.begin, part.size);
  }

  template <typename Score>
  void Consider(std::uint32_t at, const Score& score) {
    const Part& left = parts_[at];
    const std::uint32_t size = left.size + parts_[left.next].size;
    const std::optional<float> found = score(text_.substr(left.begin, size));
    if (!found) return;
    heap_.push_back({*found, at, size});
    std::push_heap(heap_.begin(), heap_.end());
  }

  std::string_view text_;
  std::vector<Part> parts_;
  std::vector<Candidate> heap_;
};

class SpmTokenizer final : public SentencePieceTokenizer {
 public:
  explicit SpmTokenizer(const ModelFile& file) : SentencePieceTokenizer(file) {
    for (std::size_t i = 0; i < vocabulary(); ++i) {
      const std::string_view bytes = vocabulary_data().texts[i];
      if (kind(i) == TokenKind::kNormal && EndOfWord(bytes, 0) < bytes.size()) words_only_ = false;
    }
  }

 private:
  /// The end of the spaces at `at` and of what follows them up to the next space.
  static std::size_t EndOfWord(std::string_view text, std::size_t at) {
    at = std::min(text.find_first_not_of(' ', at), text.size());
    return std::min(text.find(' ', at), text.size());
  }

  void EncodePlain(std::string_view text, std::vector<Token>& tokens) const override {
    if (!words_only_) {
      EncodeWord(text, tokens);
      return;
    }
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = EndOfWord(text, at);
      EncodeWord(text.substr(at, end - at), tokens);
      at = end;
    }
  }

  void EncodeWord(std::string_view text, std::vector<Token>& tokens) const {
    Parts parts(text);
    parts.Join([this](std::string_view bytes) -> std::optional<float> {
      const auto token = FindNormal(bytes);
      if (!token) return std::nullopt;
      return score(*token);
    });
    parts.ForEach([&](std::string_view bytes) {
      if (const auto token = FindNormal(bytes)) {
        tokens.push_back(*token);
      } else {
        EncodeUnknown(bytes, tokens);
      }
    });
  }

  // No token reaches across the border of two words: they can be joined word by word, which is
  // faster and gives the same.
  bool words_only_ = true;
};

}  // namespace

std::unique_ptr<const Tokenizer> MakeSpmTokenizer(const ModelFile& file) {
  return std::make_unique<SpmTokenizer>(file);
}

}  // namespace sworn::llm
