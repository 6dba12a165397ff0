// The first byte chooses a small vocabulary, the rest is text: it must come back from its tokens,
// and nothing in it may become a control token.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/unicode.h"
#include "llm/text/chat_template.h"
#include "llm/text/tokenizer.h"
#include "tests/fuzz/require.h"
#include "tests/llm/fake_model_file.h"

namespace {

using sworn::llm::test::FakeModelFile;

struct Kind {
  explicit Kind(FakeModelFile model_file)
      : file(std::move(model_file)),
        tokenizer(sworn::llm::LoadTokenizer(file)),
        chat(sworn::llm::ChooseChatTemplate(file, *tokenizer)) {}

  FakeModelFile file;
  std::unique_ptr<const sworn::llm::Tokenizer> tokenizer;
  std::unique_ptr<const sworn::llm::ChatTemplate> chat;
};

std::vector<Kind> MakeKinds() {
  using sworn::llm::test::ByteLevelFile;
  using sworn::llm::test::PiecesFile;
  std::vector<Kind> kinds;
  for (const char* pre : {"gpt-2", "llama-bpe", "qwen2", "smollm"}) {
    kinds.emplace_back(ByteLevelFile({{"a", "b"}, {"ab", "a"}, {" ", "ab"}, {"b", "a"}, {"e", "e"}},
                                     {{"<|im_start|>", 3}, {"<|im_end|>", 3}, {"  ", 4}, {"eab"}},
                                     pre));
  }
  for (const char* model : {"llama", "t5"}) {
    FakeModelFile file = PiecesFile(model, {{"\xE2\x96\x81", 1, -5},
                                            {"a", 1, -6},
                                            {"ab", 1, -2},
                                            {"aba", 1, -1},
                                            {"</", 1, -1},
                                            {"s>", 1, -1},
                                            {"  ", 4}});
    file.values["tokenizer.chat_template"] = std::string("[INST]");
    kinds.emplace_back(std::move(file));
  }
  return kinds;
}

std::size_t CountControls(const sworn::llm::Tokenizer& tokenizer,
                          const std::vector<sworn::llm::Token>& tokens) {
  std::size_t count = 0;
  for (const sworn::llm::Token token : tokens) count += tokenizer.Bytes(token).empty() ? 1 : 0;
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sworn::test::Require;
  static const std::vector<Kind> kinds = MakeKinds();
  if (size == 0) return 0;
  const Kind& kind = kinds[data[0] % kinds.size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!sworn::text::IsValidUtf8(text)) return 0;
  const std::vector<sworn::llm::Token> tokens = kind.tokenizer->Encode(text);
  Require(CountControls(*kind.tokenizer, tokens) == 0);
  Require(kind.tokenizer->Decode(tokens) == text);
  const auto count = [&](std::string_view content) {
    const std::array<sworn::llm::Message, 2> messages = {
        sworn::llm::Message{sworn::llm::Role::kSystem, std::string(content)},
        sworn::llm::Message{sworn::llm::Role::kUser, std::string(content)}};
    return CountControls(*kind.tokenizer, kind.chat->Render(messages));
  };
  Require(count(text) == count("x"));
  return 0;
}
