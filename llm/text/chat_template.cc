#include "llm/text/chat_template.h"

#include <array>
#include <utility>

namespace sworn::llm {
namespace {

/// Collects the tokens of a prompt. Text is gathered until a control token or the end of a segment
/// and encoded in one go, for a tokenizer may join what stands on both sides of a border. Segments
/// never reach from one message into the next, so that what follows a message changes none of its
/// tokens.
class Writer {
 public:
  explicit Writer(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
    if (tokenizer.adds_bos()) tokens_.push_back(*tokenizer.bos());
  }

  /// A marker of the template: its control token, or its text where the vocabulary has none.
  void Marker(std::string_view text) {
    if (const auto token = tokenizer_.Control(text)) {
      EndSegment();
      tokens_.push_back(*token);
    } else {
      text_ += text;
    }
  }

  void Text(std::string_view text) { text_ += text; }

  void EndSegment() {
    const std::vector<Token> encoded = tokenizer_.Encode(text_);
    tokens_.insert(tokens_.end(), encoded.begin(), encoded.end());
    text_.clear();
  }

  [[nodiscard]] bool HasControl(std::string_view text) const {
    return tokenizer_.Control(text).has_value();
  }

  [[nodiscard]] std::vector<Token> Take() && { return std::move(tokens_); }

 private:
  const Tokenizer& tokenizer_;
  std::vector<Token> tokens_;
  std::string text_;
};

/// A template: how a message is written, and what stands in front of the answer. `previous` is the
/// message before it, or null.
struct Style {
  std::string_view name;
  void (*message)(Writer& writer, const Message& message, const Message* previous);
  void (*opening)(Writer& writer, const Message* previous);
};

std::string_view RoleName(Role role) {
  constexpr std::array<std::string_view, 3> kNames = {"system", "user", "assistant"};
  return kNames[static_cast<std::size_t>(role)];
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) + 1 - begin);
}

// github.com/microsoft/BitNet, gpu/tokenizer.py: the role and the text are encoded separately.
void BitnetMessage(Writer& writer, const Message& message, const Message* /*previous*/) {
  constexpr std::array<std::string_view, 3> kRoles = {"System: ", "User: ", "Assistant: "};
  writer.Text(kRoles[static_cast<std::size_t>(message.role)]);
  writer.EndSegment();
  writer.Text(Trim(message.text));
  writer.Marker("<|eot_id|>");
}
void BitnetOpening(Writer& writer, const Message* /*previous*/) { writer.Text("Assistant: "); }

// github.com/meta-llama/llama3, llama/tokenizer.py.
void Llama3Role(Writer& writer, Role role) {
  writer.Marker("<|start_header_id|>");
  writer.Text(RoleName(role));
  writer.Marker("<|end_header_id|>");
  writer.Text("\n\n");
}
void Llama3Message(Writer& writer, const Message& message, const Message* /*previous*/) {
  Llama3Role(writer, message.role);
  writer.Text(Trim(message.text));
  writer.Marker("<|eot_id|>");
}
void Llama3Opening(Writer& writer, const Message* /*previous*/) {
  Llama3Role(writer, Role::kAssistant);
}

void ChatmlRole(Writer& writer, Role role) {
  writer.Marker("<|im_start|>");
  writer.Text(RoleName(role));
  writer.Text("\n");
}
void ChatmlMessage(Writer& writer, const Message& message, const Message* /*previous*/) {
  ChatmlRole(writer, message.role);
  writer.Text(message.text);
  writer.Marker("<|im_end|>");
  writer.Text("\n");
}
void ChatmlOpening(Writer& writer, const Message* /*previous*/) {
  ChatmlRole(writer, Role::kAssistant);
}

// "<|user|>" and its like, of Falcon 3 and Zephyr.
void BarRole(Writer& writer, Role role) {
  writer.Marker("<|" + std::string(RoleName(role)) + "|>");
  writer.Text("\n");
}

void Falcon3Message(Writer& writer, const Message& message, const Message* /*previous*/) {
  BarRole(writer, message.role);
  writer.Text(message.text);
  if (message.role == Role::kAssistant) writer.Marker("<|endoftext|>");
  writer.Text("\n");
}
void Falcon3Opening(Writer& writer, const Message* /*previous*/) {
  BarRole(writer, Role::kAssistant);
}

// The line break behind "</s>" is written with what follows, as it is encoded.
void ZephyrRole(Writer& writer, Role role, const Message* previous) {
  if (previous != nullptr) writer.Text("\n");
  BarRole(writer, role);
}
void ZephyrMessage(Writer& writer, const Message& message, const Message* previous) {
  ZephyrRole(writer, message.role, previous);
  writer.Text(message.text);
  writer.Marker("</s>");
}
void ZephyrOpening(Writer& writer, const Message* previous) {
  ZephyrRole(writer, Role::kAssistant, previous);
}

// What the system says stands in the first instruction of the user. Where the brackets are text,
// blanks set them off.
bool InstructionIsOpen(const Message* previous) {
  return previous != nullptr && previous->role == Role::kSystem;
}
void CloseInstruction(Writer& writer) {
  if (!writer.HasControl("[/INST]")) writer.Text(" ");
  writer.Marker("[/INST]");
}
void MistralMessage(Writer& writer, const Message& message, const Message* previous) {
  if (message.role == Role::kAssistant) {
    if (InstructionIsOpen(previous)) CloseInstruction(writer);
    writer.EndSegment();
    writer.Text(message.text);
    writer.Marker("</s>");
    return;
  }
  if (!InstructionIsOpen(previous)) {
    writer.Marker("[INST]");
    if (!writer.HasControl("[INST]")) writer.Text(" ");
  }
  writer.Text(message.text);
  if (message.role == Role::kSystem) {
    writer.Text("\n\n");
  } else {
    CloseInstruction(writer);
  }
}
void MistralOpening(Writer& writer, const Message* previous) {
  if (InstructionIsOpen(previous)) CloseInstruction(writer);
}

void PlainMessage(Writer& writer, const Message& message, const Message* /*previous*/) {
  writer.Text(message.text);
  writer.Text("\n\n");
}
void PlainOpening(Writer& /*writer*/, const Message* /*previous*/) {}

constexpr Style kBitnet = {"bitnet", &BitnetMessage, &BitnetOpening};
constexpr Style kLlama3 = {"llama-3", &Llama3Message, &Llama3Opening};
constexpr Style kChatml = {"chatml", &ChatmlMessage, &ChatmlOpening};
constexpr Style kFalcon3 = {"falcon3", &Falcon3Message, &Falcon3Opening};
constexpr Style kZephyr = {"zephyr", &ZephyrMessage, &ZephyrOpening};
constexpr Style kMistral = {"mistral", &MistralMessage, &MistralOpening};
constexpr Style kPlain = {"plain", &PlainMessage, &PlainOpening};

class BuiltInTemplate final : public ChatTemplate {
 public:
  BuiltInTemplate(const Style& style, const Tokenizer& tokenizer)
      : style_(style), tokenizer_(tokenizer) {}

  [[nodiscard]] std::string_view name() const override { return style_.name; }

  [[nodiscard]] std::vector<Token> Render(std::span<const Message> messages) const override {
    Writer writer(tokenizer_);
    const Message* previous = nullptr;
    for (const Message& message : messages) {
      style_.message(writer, message, previous);
      writer.EndSegment();
      previous = &message;
    }
    style_.opening(writer, previous);
    writer.EndSegment();
    return std::move(writer).Take();
  }

 private:
  Style style_;
  const Tokenizer& tokenizer_;
};

const Style& ChooseStyle(const ModelFile& file, const Tokenizer& tokenizer) {
  const std::string stored = file.Text("tokenizer.chat_template").value_or("");
  const std::string architecture = file.Text("general.architecture").value_or("");
  // A marker that the stored template writes; without one, a control token says as much.
  const auto uses = [&](std::string_view marker) {
    return stored.empty() ? tokenizer.Control(marker).has_value()
                          : stored.find(marker) != std::string::npos;
  };
  // The vocabulary of these models is that of Llama 3, whose header tokens they do not use.
  const bool bitnet = architecture == "bitnet-b1.58" || architecture == "bitnet-25";
  if (bitnet && (stored.empty() || !uses("<|start_header_id|>"))) return kBitnet;
  if (uses("<|start_header_id|>")) return kLlama3;
  if (uses("<|im_start|>")) return kChatml;
  if (uses("[INST]")) return kMistral;
  if (uses("<|user|>") && uses("<|assistant|>")) {
    return tokenizer.Control("<|endoftext|>") ? kFalcon3 : kZephyr;
  }
  return kPlain;
}

}  // namespace

std::unique_ptr<const ChatTemplate> ChooseChatTemplate(const ModelFile& file,
                                                       const Tokenizer& tokenizer) {
  return std::make_unique<BuiltInTemplate>(ChooseStyle(file, tokenizer), tokenizer);
}

}  // namespace sworn::llm
