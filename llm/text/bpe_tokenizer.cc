// Byte-level byte-pair encoding: a text is cut into pieces (core/text/pretokenize.h), each piece
// begins as its bytes, and the neighbours with the lowest rank are joined until none can be.
//
// A piece of n bytes takes O(n log n): neighbours wait in a heap, and an entry that was overtaken
// by another join is dropped when it comes up.
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/text/pretokenize.h"
#include "llm/text/vocabulary_tokenizer.h"

namespace sworn::llm {
namespace {

constexpr const char* kPre = "tokenizer.ggml.pre";
constexpr const char* kMerges = "tokenizer.ggml.merges";
constexpr Token kNoToken = -1;

struct Pretokens {
  text::PretokenRule rule;
  bool whole_tokens;  // a piece that is a token is taken whole, whatever the merges say
  bool adds_bos;      // where the file does not say
};

Pretokens ChoosePretokens(const ModelFile& file) {
  using text::PretokenRule;
  const std::optional<std::string> named = file.Text(kPre);
  const std::string architecture = file.Text("general.architecture").value_or("");
  if (!named && !architecture.starts_with("bitnet")) {
    throw Error(ErrorCode::kUnsupportedMedia,
                std::string(kPre) + " is missing: how this vocabulary cuts a text is not known");
  }
  // Microsoft's converter does not write the key; its models have the vocabulary of Llama 3.
  const std::string pre = named.value_or("llama-bpe");
  if (pre == "llama-bpe" || pre == "llama3" || pre == "llama-v3") {
    return {PretokenRule::kLlama3, true, true};
  }
  if (pre == "falcon3" || pre == "falcon_e" || pre == "falcon-h1") {
    return {PretokenRule::kLlama3, true, false};
  }
  if (pre == "qwen2") return {PretokenRule::kLlama3SingleDigits, false, false};
  if (pre == "gpt-2") return {PretokenRule::kGpt2, false, false};
  if (pre == "smollm") return {PretokenRule::kGpt2SingleDigits, false, false};
  throw Error(ErrorCode::kUnsupportedMedia, std::string(kPre) + " '" + pre +
                                                "' is not supported; gpt-2, llama-bpe, falcon3, "
                                                "falcon_e, falcon-h1, qwen2 and smollm are");
}

/// GPT-2 writes a byte as a printable character: itself where it is one, otherwise the next of the
/// characters from U+0100 on. `bytes[code point]` is the byte, or -1.
constexpr std::array<std::int16_t, 324> BytesOfCharacters() {
  std::array<std::int16_t, 324> bytes{};
  bytes.fill(-1);
  std::size_t next = 256;
  for (std::int16_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    bytes[printable ? static_cast<std::size_t>(byte) : next++] = byte;
  }
  return bytes;
}

constexpr std::array<std::int16_t, 324> kBytes = BytesOfCharacters();

/// The bytes that `written` stands for; as it is written where that is no such form.
std::string ToBytes(const std::string& written) {
  std::string bytes;
  bytes.reserve(written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    std::size_t c = static_cast<std::uint8_t>(written[i]);
    if (c >= 0x80) {  // all characters of the form have at most two bytes
      if (c < 0xC2 || c > 0xC5 || i + 1 == written.size()) return written;
      const std::size_t low = static_cast<std::uint8_t>(written[++i]);
      if ((low & 0xC0) != 0x80) return written;
      c = (c & 0x1F) << 6 | (low & 0x3F);
    }
    if (c >= kBytes.size() || kBytes[c] < 0) return written;
    bytes += static_cast<char>(kBytes[c]);
  }
  return bytes;
}

Vocabulary ReadByteLevel(const ModelFile& file) {
  Vocabulary vocabulary = ReadVocabulary(file);
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    if (vocabulary.kinds[i] == TokenKind::kNormal || vocabulary.kinds[i] == TokenKind::kUnused) {
      vocabulary.texts[i] = ToBytes(vocabulary.texts[i]);
    }
  }
  return vocabulary;
}

/// The joins of a vocabulary: which two tokens become which third one, and how early.
class MergeTable {
 public:
  struct Merge {
    Token left = kNoToken;
    Token right = kNoToken;
    Token joined = kNoToken;
  };

  MergeTable(std::vector<Merge> merges, std::size_t vocabulary)
      : merges_(std::move(merges)), begins_(vocabulary + 1) {
    for (const Merge& merge : merges_) {
      if (merge.joined != kNoToken) ++begins_[static_cast<std::size_t>(merge.left) + 1];
    }
    for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
    by_left_.resize(begins_.back());
    std::vector<std::uint32_t> next(begins_.begin(), begins_.end() - 1);
    for (std::uint32_t rank = 0; rank < merges_.size(); ++rank) {
      const Merge& merge = merges_[rank];
      if (merge.joined == kNoToken) continue;
      by_left_[next[static_cast<std::size_t>(merge.left)]++] = {merge.right, rank};
    }
    for (std::size_t i = 0; i + 1 < begins_.size(); ++i) {
      std::sort(by_left_.begin() + begins_[i], by_left_.begin() + begins_[i + 1]);
    }
  }

  /// The lowest rank of the pair; nothing if the two are not joined.
  [[nodiscard]] std::optional<std::uint32_t> Rank(Token left, Token right) const {
    const auto begin = by_left_.begin() + begins_[static_cast<std::size_t>(left)];
    const auto end = by_left_.begin() + begins_[static_cast<std::size_t>(left) + 1];
    const auto found = std::lower_bound(begin, end, std::pair<Token, std::uint32_t>(right, 0));
    if (found == end || found->first != right) return std::nullopt;
    return found->second;
  }

  [[nodiscard]] const Merge& operator[](std::uint32_t rank) const { return merges_[rank]; }

 private:
  std::vector<Merge> merges_;                             // by rank
  std::vector<std::uint32_t> begins_;                     // into by_left_, by the left token
  std::vector<std::pair<Token, std::uint32_t>> by_left_;  // right token and rank, sorted
};

/// The pieces of one word while they are joined; kept from word to word for its memory.
class Word {
 public:
  struct Symbol {
    Token token;
    std::uint32_t previous;
    std::uint32_t next;
  };

  /// Joins `symbols`, which are linked in order, and appends what is left to `tokens`.
  void Join(const MergeTable& merges, std::vector<Token>& tokens) {
    heap_.clear();
    for (std::uint32_t i = 0; i + 1 < symbols.size(); ++i) Consider(merges, i);
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      const auto rank = static_cast<std::uint32_t>(heap_.back() >> 32);
      const auto at = static_cast<std::uint32_t>(heap_.back());
      heap_.pop_back();
      const MergeTable::Merge& merge = merges[rank];
      Symbol& left = symbols[at];
      // A part that has been joined since holds another token or none.
      if (left.token != merge.left || left.next == kNone) continue;
      Symbol& right = symbols[left.next];
      if (right.token != merge.right) continue;
      left.token = merge.joined;
      left.next = right.next;
      right.token = kNoToken;
      if (left.next != kNone) {
        symbols[left.next].previous = at;
        Consider(merges, at);
      }
      if (left.previous != kNone) Consider(merges, left.previous);
    }
    for (std::uint32_t i = 0; i != kNone; i = symbols[i].next) tokens.push_back(symbols[i].token);
  }

  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::vector<Symbol> symbols;

 private:
  void Consider(const MergeTable& merges, std::uint32_t at) {
    const Symbol& left = symbols[at];
    const auto rank = merges.Rank(left.token, symbols[left.next].token);
    if (!rank) return;
    heap_.push_back(std::uint64_t{*rank} << 32 | at);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }

  std::vector<std::uint64_t> heap_;  // rank and place: lowest rank first, then leftmost
};

class BpeTokenizer final : public VocabularyTokenizer {
 public:
  BpeTokenizer(const ModelFile& file, const Pretokens& pretokens)
      : VocabularyTokenizer(ReadByteLevel(file), pretokens.adds_bos),
        pretokens_(pretokens),
        merges_(ReadMerges(file), vocabulary()) {
    for (std::size_t byte = 0; byte < bytes_.size(); ++byte) {
      const char c = static_cast<char>(byte);
      bytes_[byte] = FindNormal(std::string_view(&c, 1));
    }
  }

 private:
  void EncodePlain(std::string_view text, std::vector<Token>& tokens) const override {
    Word word;
    text::Pretokenizer pieces(pretokens_.rule, text);
    std::string_view piece;
    while (pieces.Next(piece)) {
      if (pretokens_.whole_tokens) {
        if (const auto whole = FindNormal(piece)) {
          tokens.push_back(*whole);
          continue;
        }
      }
      word.symbols.clear();
      for (std::uint32_t i = 0; i < piece.size(); ++i) {
        const std::optional<Token> token = bytes_[static_cast<std::uint8_t>(piece[i])];
        word.symbols.push_back({token ? *token : Unknown(), i == 0 ? Word::kNone : i - 1, i + 1});
      }
      word.symbols.back().next = Word::kNone;
      word.Join(merges_, tokens);
    }
  }

  [[nodiscard]] std::vector<MergeTable::Merge> ReadMerges(const ModelFile& file) const {
    const std::vector<std::string>* const lines = StringArray(file, kMerges);
    if (lines == nullptr) throw Error(ErrorCode::kIntegrity, std::string(kMerges) + " is missing");
    std::unordered_set<std::string_view> all;
    std::vector<MergeTable::Merge> merges;
    merges.reserve(lines->size());
    for (std::size_t i = 0; i < lines->size(); ++i) {
      const auto fail = [&](const char* why) {
        throw Error(ErrorCode::kIntegrity,
                    std::string(kMerges) + "[" + std::to_string(i) + "] " + why);
      };
      const std::string& line = (*lines)[i];
      const std::size_t space = line.find(' ', 1);
      if (line.size() > 2 * kMaxTokenBytes + 1) fail("is too long");
      if (space == std::string::npos || space + 1 == line.size()) fail("is not two parts");
      const std::string left = ToBytes(line.substr(0, space));
      const std::string right = ToBytes(line.substr(space + 1));
      const auto left_token = FindNormal(left);
      const auto right_token = FindNormal(right);
      const auto joined = FindNormal(left + right);
      if (left_token && right_token && joined) {
        merges.push_back({*left_token, *right_token, *joined});
        continue;
      }
      // Tokens that are cut out of a text beforehand, or never come from one, need no joins.
      if (all.empty()) {
        all.insert(vocabulary_data().texts.begin(), vocabulary_data().texts.end());
      }
      if (!all.contains(left) || !all.contains(right) || !all.contains(left + right)) {
        fail("joins texts that are no tokens");
      }
      merges.emplace_back();
    }
    return merges;
  }

  Pretokens pretokens_;
  MergeTable merges_;
  std::array<std::optional<Token>, 256> bytes_;
};

}  // namespace

std::unique_ptr<const Tokenizer> MakeBpeTokenizer(const ModelFile& file) {
  return std::make_unique<BpeTokenizer>(file, ChoosePretokens(file));
}

}  // namespace sworn::llm
