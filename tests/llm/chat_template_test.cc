#include "llm/text/chat_template.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/llm/fake_model_file.h"
#include "tests/llm/random_text.h"

namespace sworn::llm {
namespace {

using test::FakeModelFile;
using test::FakeToken;
using Tokens = std::vector<Token>;

std::vector<std::string> Controls() {
  return {"<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
          "<|eot_id|>",        "<|im_start|>",    "<|im_end|>",          "<|system|>",
          "<|user|>",          "<|assistant|>",   "<|endoftext|>",       "</s>"};
}

/// A byte-level vocabulary with `controls`: its tokens are the bytes and these.
FakeModelFile ByteFile(const std::vector<std::string>& controls) {
  std::vector<FakeToken> tokens;
  tokens.reserve(controls.size());
  for (const std::string& text : controls) tokens.push_back({text, 3});
  return test::ByteLevelFile({}, tokens, "llama-bpe");
}

/// A tokenizer and the template chosen for it.
struct Chat {
  explicit Chat(FakeModelFile model_file)
      : file(std::move(model_file)),
        tokenizer(LoadTokenizer(file)),
        chat(ChooseChatTemplate(file, *tokenizer)) {}

  /// The prompt as text, control tokens in their own words.
  [[nodiscard]] std::string Show(const std::vector<Message>& messages) const {
    const auto& texts = std::get<std::vector<std::string>>(file.values.at("tokenizer.ggml.tokens"));
    std::string text;
    for (const Token token : chat->Render(messages)) {
      const std::string_view bytes = tokenizer->Bytes(token);
      text += bytes.empty() ? texts[static_cast<std::size_t>(token)] : bytes;
    }
    return text;
  }

  FakeModelFile file;
  std::unique_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<const ChatTemplate> chat;
};

Chat MakeChat(const std::vector<std::string>& controls, const std::string& stored = "",
              const std::string& architecture = "llama") {
  FakeModelFile file = ByteFile(controls);
  file.values["general.architecture"] = architecture;
  if (!stored.empty()) file.values["tokenizer.chat_template"] = stored;
  return Chat(std::move(file));
}

std::vector<Message> Dialogue() {
  return {{Role::kSystem, " Be brief. "},
          {Role::kUser, "Hi"},
          {Role::kAssistant, "Yes?"},
          {Role::kUser, "Who?\n"}};
}

TEST(ChatTemplate, Bitnet) {
  const Chat chat =
      MakeChat({"<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>"}, "", "bitnet-b1.58");
  EXPECT_EQ(chat.chat->name(), "bitnet");
  EXPECT_EQ(chat.Show(Dialogue()),
            "<|begin_of_text|>System: Be brief.<|eot_id|>User: Hi<|eot_id|>Assistant: "
            "Yes?<|eot_id|>User: Who?<|eot_id|>Assistant: ");
}

TEST(ChatTemplate, Llama3) {
  const Chat chat =
      MakeChat({"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"});
  EXPECT_EQ(chat.chat->name(), "llama-3");
  EXPECT_EQ(chat.Show({{Role::kSystem, "S "}, {Role::kUser, "U"}}),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplate, Chatml) {
  const Chat chat = MakeChat({"<|im_start|>", "<|im_end|>"});
  EXPECT_EQ(chat.chat->name(), "chatml");
  EXPECT_EQ(chat.Show({{Role::kSystem, "S"}, {Role::kUser, "U "}}),
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU <|im_end|>\n"
            "<|im_start|>assistant\n");
}

TEST(ChatTemplate, Falcon3) {
  const Chat chat = MakeChat({"<|system|>", "<|user|>", "<|assistant|>", "<|endoftext|>"});
  EXPECT_EQ(chat.chat->name(), "falcon3");
  EXPECT_EQ(
      chat.Show(
          {{Role::kSystem, "S"}, {Role::kUser, "U"}, {Role::kAssistant, "A"}, {Role::kUser, "V"}}),
      "<|system|>\nS\n<|user|>\nU\n<|assistant|>\nA<|endoftext|>\n<|user|>\nV\n"
      "<|assistant|>\n");
}

TEST(ChatTemplate, Zephyr) {
  const Chat chat = MakeChat({"</s>"}, "{% if role == 'user' %}<|user|>\n...<|assistant|>");
  EXPECT_EQ(chat.chat->name(), "zephyr");
  EXPECT_EQ(chat.Show({{Role::kSystem, "S"}, {Role::kUser, "U"}}),
            "<|system|>\nS</s>\n<|user|>\nU</s>\n<|assistant|>\n");
}

TEST(ChatTemplate, MistralKeepsTheSystemTextInTheInstruction) {
  const std::vector<Message> messages = {
      {Role::kSystem, "S"}, {Role::kUser, "U"}, {Role::kAssistant, "A"}, {Role::kUser, "V"}};
  const Chat text = MakeChat({"</s>"}, "{{ '[INST] ' + content + ' [/INST]' }}");
  EXPECT_EQ(text.chat->name(), "mistral");
  EXPECT_EQ(text.Show(messages), "[INST] S\n\nU [/INST]A</s>[INST] V [/INST]");
  EXPECT_EQ(text.Show({{Role::kSystem, "S"}}), "[INST] S\n\n [/INST]");
  const Chat control = MakeChat({"</s>", "[INST]", "[/INST]"});
  EXPECT_EQ(control.chat->name(), "mistral");
  EXPECT_EQ(control.Show(messages), "[INST]S\n\nU[/INST]A</s>[INST]V[/INST]");
}

TEST(ChatTemplate, AModelWithoutMarkersGetsThePlainOne) {
  for (const char* architecture : {"llama", "bitnet"}) {
    const Chat chat = MakeChat({}, "", architecture);
    EXPECT_EQ(chat.chat->name(), "plain");
    EXPECT_EQ(chat.Show({{Role::kSystem, "S"}, {Role::kUser, "U"}}), "S\n\nU\n\n");
  }
}

TEST(ChatTemplate, TheStoredTemplateDecidesBeforeTheVocabulary) {
  EXPECT_EQ(MakeChat(Controls(), "<|im_start|>").chat->name(), "chatml");
  EXPECT_EQ(MakeChat(Controls(), "'<|start_header_id|>'", "bitnet-b1.58").chat->name(), "llama-3");
  EXPECT_EQ(MakeChat(Controls(), "'User: ' + content", "bitnet-b1.58").chat->name(), "bitnet");
  EXPECT_EQ(MakeChat(Controls(), "{{ content }}").chat->name(), "plain");
}

/// One chat for each template, with as many control tokens as there are.
std::vector<Chat> AllChats() {
  std::vector<Chat> chats;
  chats.push_back(MakeChat(Controls(), "'User: '", "bitnet-25"));
  chats.push_back(MakeChat(Controls(), "<|start_header_id|>"));
  chats.push_back(MakeChat(Controls(), "<|im_start|>"));
  chats.push_back(MakeChat({"<|user|>", "<|assistant|>", "<|system|>", "<|endoftext|>"}));
  chats.push_back(MakeChat({"</s>", "<|user|>", "<|assistant|>", "<|system|>"}));
  chats.push_back(MakeChat(Controls(), "[INST]"));
  chats.push_back(MakeChat({"[INST]", "[/INST]", "</s>"}));
  chats.push_back(MakeChat(Controls(), "none"));
  FakeModelFile pieces = test::PiecesFile("llama", {{"\u2581", 1, -1}, {"</", 1, -2}});
  pieces.values["tokenizer.chat_template"] = std::string("[INST]");
  chats.emplace_back(std::move(pieces));
  return chats;
}

std::size_t CountControls(const Chat& chat, const Tokens& tokens) {
  std::size_t count = 0;
  for (const Token token : tokens) count += chat.tokenizer->Bytes(token).empty() ? 1 : 0;
  return count;
}

std::string HostileText(std::mt19937_64& random) {
  const std::vector<std::string> controls = Controls();
  std::string text = test::RandomText(random, "ab \n", 10);
  for (std::size_t i = random() % 4; i > 0; --i) {
    text += controls[random() % controls.size()];
    text += test::RandomText(random, "<|> [INST][/INST]", 6);
  }
  return text;
}

TEST(ChatTemplate, NoTextChangesTheNumberOfControlTokens) {
  for (const Chat& chat : AllChats()) {
    std::mt19937_64 random(11);
    const std::size_t expected = CountControls(chat, chat.chat->Render(Dialogue()));
    for (int i = 0; i < 200; ++i) {
      std::vector<Message> messages = Dialogue();
      for (Message& message : messages) message.text = HostileText(random);
      ASSERT_EQ(CountControls(chat, chat.chat->Render(messages)), expected)
          << chat.chat->name() << ", seed 11, dialogue " << i;
    }
  }
}

/// Tokens of the opening of the answer behind `messages`: where two continuations part.
std::size_t CommonPrefix(const Tokens& a, const Tokens& b) {
  std::size_t i = 0;
  while (i < std::min(a.size(), b.size()) && a[i] == b[i]) ++i;
  return i;
}

TEST(ChatTemplate, AFurtherMessageChangesNoTokenOfTheOnesBefore) {
  // Openings in tokens of byte-level vocabularies: every byte and every control token is one.
  const std::map<std::string, std::size_t, std::less<>> openings = {
      {"bitnet", 11}, {"llama-3", 13}, {"chatml", 11}, {"falcon3", 2},
      {"zephyr", 3},  {"mistral", 8},  {"plain", 0}};
  for (const Chat& chat : AllChats()) {
    std::mt19937_64 random(13);
    for (int i = 0; i < 100; ++i) {
      std::vector<Message> messages;
      Tokens before = chat.chat->Render(messages);
      for (int n = 0; n < 5; ++n) {
        messages.push_back({static_cast<Role>(random() % 3), HostileText(random)});
        const Tokens after = chat.chat->Render(messages);
        ASSERT_GE(CommonPrefix(before, after) + openings.at(std::string(chat.chat->name())),
                  before.size())
            << chat.chat->name() << ", seed 13, dialogue " << i;
        before = after;
      }
    }
  }
}

}  // namespace
}  // namespace sworn::llm
