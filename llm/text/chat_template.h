// Conversations as token ids, with the role markers of the model's own template. The templates are
// built in and chosen by what the file says; a template language is not run.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/files/model_file.h"
#include "llm/text/tokenizer.h"

namespace sworn::llm {

enum class Role { kSystem, kUser, kAssistant };

struct Message {
  Role role = Role::kUser;
  std::string text;  // plain: never parsed for control tokens
};

/// Immutable; safe to share between threads.
class ChatTemplate {
 public:
  virtual ~ChatTemplate() = default;
  /// "bitnet", "llama-3", "chatml", "falcon3", "mistral", "zephyr", "plain".
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The whole prompt up to where the assistant begins to speak. The tokens of messages[0..n] are a
  /// prefix of those of messages[0..n+1] without the opening of the answer, so that prefixes can be
  /// reused.
  [[nodiscard]] virtual std::vector<Token> Render(std::span<const Message> messages) const = 0;
};

/// Chosen by architecture, the stored template's markers and the control tokens of the vocabulary;
/// a model without any gets "plain". `tokenizer` must outlive the template.
std::unique_ptr<const ChatTemplate> ChooseChatTemplate(const ModelFile& file,
                                                       const Tokenizer& tokenizer);

}  // namespace sworn::llm
