#include "tests/llm/fake_model_file.h"

#include <cstdio>

namespace sworn::llm::test {
namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTypes = "tokenizer.ggml.token_type";
constexpr const char* kScores = "tokenizer.ggml.scores";

FakeModelFile EmptyVocabulary(const std::string& model) {
  FakeModelFile file;
  file.values["general.architecture"] = std::string("llama");
  file.values["tokenizer.ggml.model"] = model;
  file.values[kTokens] = std::vector<std::string>();
  file.values[kTypes] = std::vector<std::int64_t>();
  file.values[kScores] = std::vector<double>();
  return file;
}

}  // namespace

std::string PrintableByte(unsigned byte) {
  const auto printable = [](unsigned b) {
    return (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b != 0xAD);
  };
  unsigned code_point = byte;
  if (!printable(byte)) {
    code_point = 256;
    for (unsigned b = 0; b < byte; ++b) code_point += printable(b) ? 0 : 1;
  }
  if (code_point < 0x80) return std::string(1, static_cast<char>(code_point));
  return {static_cast<char>(0xC0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3F))};
}

std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text) out += PrintableByte(static_cast<std::uint8_t>(c));
  return out;
}

int AddToken(FakeModelFile& file, const FakeToken& token) {
  file.Strings(kTokens).push_back(token.text);
  file.Integers(kTypes).push_back(token.type);
  file.Reals(kScores).push_back(token.score);
  return static_cast<int>(file.Strings(kTokens).size()) - 1;
}

FakeModelFile ByteLevelFile(const std::vector<std::pair<std::string, std::string>>& merges,
                            const std::vector<FakeToken>& more, const std::string& pre) {
  FakeModelFile file = EmptyVocabulary("gpt2");
  if (!pre.empty()) file.values["tokenizer.ggml.pre"] = pre;
  for (unsigned byte = 0; byte < 256; ++byte) AddToken(file, {PrintableByte(byte)});
  std::vector<std::string> lines;
  for (const auto& [left, right] : merges) {
    AddToken(file, {Printable(left + right)});
    lines.push_back(Printable(left) + " " + Printable(right));
  }
  file.values["tokenizer.ggml.merges"] = lines;
  for (const FakeToken& token : more) AddToken(file, token);
  return file;
}

FakeModelFile PiecesFile(const std::string& model, const std::vector<FakeToken>& tokens) {
  FakeModelFile file = EmptyVocabulary(model);
  AddToken(file, {"<unk>", 2});
  AddToken(file, {"<s>", 3});
  AddToken(file, {"</s>", 3});
  for (unsigned byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", byte);
    AddToken(file, {text, 6});
  }
  for (const FakeToken& token : tokens) AddToken(file, token);
  return file;
}

}  // namespace sworn::llm::test
