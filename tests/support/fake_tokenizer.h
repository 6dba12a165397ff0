// A Tokenizer over a list of byte strings, so that constraints can be tested on tokens of any cut.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/text/tokenizer.h"

namespace sworn::test {

/// Tokens 0 to 255 are the single bytes, 256 ends a text, 257 is another control token, then come
/// `longer`. Encode takes the longest token that fits.
class FakeTokenizer : public llm::Tokenizer {
 public:
  static constexpr llm::Token kEnd = 256;
  static constexpr llm::Token kControl = 257;

  explicit FakeTokenizer(const std::vector<std::string>& longer = {}) {
    for (int byte = 0; byte < 256; ++byte) bytes_.emplace_back(1, static_cast<char>(byte));
    bytes_.resize(258);
    bytes_.insert(bytes_.end(), longer.begin(), longer.end());
  }

  [[nodiscard]] std::vector<llm::Token> Encode(std::string_view text) const override {
    std::vector<llm::Token> tokens;
    while (!text.empty()) {
      std::size_t best = static_cast<unsigned char>(text.front());
      for (std::size_t i = kControl + 1; i < bytes_.size(); ++i) {
        if (bytes_[i].size() > bytes_[best].size() && text.starts_with(bytes_[i])) best = i;
      }
      tokens.push_back(static_cast<llm::Token>(best));
      text.remove_prefix(bytes_[best].size());
    }
    return tokens;
  }

  [[nodiscard]] std::string_view Bytes(llm::Token token) const override {
    return bytes_[static_cast<std::size_t>(token)];
  }
  [[nodiscard]] std::optional<llm::Token> Control(std::string_view text) const override {
    return text == "</s>" ? std::optional(kEnd) : std::nullopt;
  }
  [[nodiscard]] std::size_t vocabulary() const override { return bytes_.size(); }
  [[nodiscard]] std::optional<llm::Token> bos() const override { return std::nullopt; }
  [[nodiscard]] bool adds_bos() const override { return false; }
  [[nodiscard]] std::span<const llm::Token> ends() const override { return ends_; }
  [[nodiscard]] std::string Decode(std::span<const llm::Token> tokens) const override {
    std::string text;
    for (const llm::Token token : tokens) text += Bytes(token);
    return text;
  }

 private:
  std::vector<std::string> bytes_;
  std::vector<llm::Token> ends_{kEnd};
};

}  // namespace sworn::test
