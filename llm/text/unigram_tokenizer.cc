// SentencePiece's unigram model: of all ways to write a text as tokens the one with the largest sum
// of scores, found by dynamic programming over the places of the text.
#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/error.h"
#include "llm/text/charsmap.h"
#include "llm/text/sentencepiece.h"

namespace sworn::llm {
namespace {

constexpr const char* kCharsmap = "tokenizer.ggml.precompiled_charsmap";

// How much worse than the worst token a code point is that no token expresses.
constexpr double kUnknownPenalty = 10;
constexpr Token kNoToken = -1;

Charsmap ReadCharsmap(const ModelFile& file) {
  const auto values = RealArray(file, kCharsmap);
  if (!values) return {};
  if (values->size() > kMaxCharsmapBytes) {
    throw Error(ErrorCode::kIntegrity, std::string(kCharsmap) + " is too long");
  }
  std::string bytes;
  bytes.reserve(values->size());
  for (const double value : *values) {
    if (!(value >= -128 && value < 256)) {
      throw Error(ErrorCode::kIntegrity,
                  std::string(kCharsmap) + "[" + std::to_string(bytes.size()) + "] is no byte");
    }
    bytes += static_cast<char>(static_cast<std::int16_t>(value));
  }
  return Charsmap(bytes);
}

class UnigramTokenizer final : public SentencePieceTokenizer {
 public:
  explicit UnigramTokenizer(const ModelFile& file)
      : SentencePieceTokenizer(file),
        charsmap_(ReadCharsmap(file)),
        one_space_(file.Flag("tokenizer.ggml.remove_extra_whitespaces").value_or(false)),
        pieces_(Pieces()) {
    double worst = 0;
    for (std::size_t i = 0; i < vocabulary(); ++i) {
      if (kind(i) == TokenKind::kNormal) {
        worst = std::min(worst, static_cast<double>(score(static_cast<Token>(i))));
      }
    }
    unknown_score_ = worst - kUnknownPenalty;
  }

 private:
  /// The best way to write the text up to a place: its sum, and the last step of it.
  struct Place {
    double sum = -std::numeric_limits<double>::infinity();
    Token token = kNoToken;  // none: one code point as bytes or as unknown
    std::uint32_t size = 0;
  };

  [[nodiscard]] std::vector<PrefixIndex::Entry> Pieces() const {
    std::vector<PrefixIndex::Entry> entries;
    for (std::size_t i = 0; i < vocabulary(); ++i) {
      const std::string& bytes = vocabulary_data().texts[i];
      if (kind(i) == TokenKind::kNormal && !bytes.empty()) {
        entries.push_back({bytes, static_cast<Token>(i)});
      }
    }
    return entries;
  }

  [[nodiscard]] std::string Prepare(std::string_view text) const override {
    const std::string rewritten = charsmap_.Rewrite(text);
    if (!one_space_) return SentencePieceTokenizer::Prepare(rewritten);
    std::string spaced;
    for (const char c : rewritten) {
      if (c != ' ' || (!spaced.empty() && spaced.back() != ' ')) spaced += c;
    }
    if (spaced.ends_with(' ')) spaced.pop_back();
    return spaced.empty() ? spaced : SentencePieceTokenizer::Prepare(spaced);
  }

  void EncodePlain(std::string_view text, std::vector<Token>& tokens) const override {
    std::vector<Place> places(text.size() + 1);
    places[0].sum = 0;
    for (std::size_t at = 0; at < text.size(); at += CodePointSize(text[at])) {
      Extend(text, at, places);
    }
    std::vector<const Place*> steps;
    for (std::size_t end = text.size(); end > 0; end -= places[end].size) {
      steps.push_back(&places[end]);
    }
    std::reverse(steps.begin(), steps.end());
    AppendSteps(text, steps, tokens);
  }

  /// Takes every token that begins at `at` as a step from there.
  void Extend(std::string_view text, std::size_t at, std::vector<Place>& places) const {
    const double sum = places[at].sum;
    const std::size_t code_point = CodePointSize(text[at]);
    bool alone = false;  // the code point is a token
    const auto step = [&](std::size_t size, Token token, double step_score) {
      Place& end = places[at + size];
      if (sum + step_score > end.sum) {
        end = {sum + step_score, token, static_cast<std::uint32_t>(size)};
      }
    };
    pieces_.ForEach(text.substr(at), [&](const PrefixIndex::Entry& entry) {
      alone = alone || entry.bytes.size() == code_point;
      step(entry.bytes.size(), entry.token, static_cast<double>(score(entry.token)));
    });
    if (!alone) step(code_point, kNoToken, unknown_score_);
  }

  void AppendSteps(std::string_view text, const std::vector<const Place*>& steps,
                   std::vector<Token>& tokens) const {
    std::size_t at = 0;
    bool in_unknown = false;  // code points without bytes in a row are one unknown token
    for (const Place* const step : steps) {
      if (step->token != kNoToken) {
        tokens.push_back(step->token);
        in_unknown = false;
      } else {
        EncodeUnknown(text.substr(at, step->size), tokens);
        const bool unknown = vocabulary_data().unknown == tokens.back();
        if (unknown && in_unknown) tokens.pop_back();
        in_unknown = unknown;
      }
      at += step->size;
    }
  }

  Charsmap charsmap_;
  bool one_space_;
  PrefixIndex pieces_;
  double unknown_score_ = 0;
};

}  // namespace

std::unique_ptr<const Tokenizer> MakeUnigramTokenizer(const ModelFile& file) {
  return std::make_unique<UnigramTokenizer>(file);
}

}  // namespace sworn::llm
