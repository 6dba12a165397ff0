#include "llm/decode/model_generator.h"

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/error.h"
#include "llm/decode/gate.h"
#include "llm/decode/generation.h"
#include "llm/decode/prefix_tree.h"
#include "llm/decode/vocabulary_index.h"

namespace sworn::llm {

struct ModelGenerator::Shared {
  Shared(const Model& model, ThreadTeam& team, const Clock& clock,
         const ModelGeneratorOptions& options)
      : gate(options.concurrent, options.waiting),
        prefixes(options.prefix_bytes),
        workshop{model, team, clock, prefixes} {}

  // Sorted when the first constraint asks for it.
  const VocabularyIndex* Index() {
    std::call_once(indexed, [this] { index.emplace(workshop.model.tokenizer()); });
    return &*index;
  }

  Gate gate;
  PrefixTree prefixes;
  Workshop workshop;
  std::once_flag indexed;
  std::optional<VocabularyIndex> index;
};

ModelGenerator::ModelGenerator(std::string id, std::string sha256,
                               std::shared_ptr<const Model> model, ThreadTeam& team,
                               const Clock& clock, const ModelGeneratorOptions& options)
    : model_(std::move(model)) {
  const std::size_t trained = model_->config().context;
  if (options.context > trained) {
    throw Error(ErrorCode::kInvalidArgument, "a context of " + std::to_string(options.context) +
                                                 " tokens; the model has " +
                                                 std::to_string(trained));
  }
  if (options.concurrent == 0) {
    throw Error(ErrorCode::kInvalidArgument, "no generation may run at a time");
  }
  identity_ = {std::move(id), std::move(sha256), std::string(model_->kernels().name),
               options.context > 0 ? options.context : trained};
  shared_ = std::make_unique<Shared>(*model_, team, clock, options);
}

ModelGenerator::~ModelGenerator() = default;

std::size_t ModelGenerator::CountTokens(std::string_view text) const {
  return model_->tokenizer().Encode(text).size();
}

std::size_t ModelGenerator::CountTokens(const Prompt& prompt) const {
  return Render(prompt).size();
}

std::vector<Token> ModelGenerator::Render(const Prompt& prompt) const {
  if (prompt.turns.empty() || !prompt.turns.back().from_user) {
    throw Error(ErrorCode::kInvalidArgument, "the last turn of a prompt must be the user's");
  }
  std::vector<Message> messages;
  if (!prompt.system.empty()) messages.push_back({Role::kSystem, prompt.system});
  for (const PromptTurn& turn : prompt.turns) {
    messages.push_back({turn.from_user ? Role::kUser : Role::kAssistant, turn.text});
  }
  return model_->chat().Render(messages);
}

Completion ModelGenerator::Generate(const Prompt& prompt, const GenerationOptions& options,
                                    const CancelFlag& cancel, const TextSink& on_text) const {
  const std::vector<Token> tokens = Render(prompt);
  if (options.max_tokens == 0) {
    throw Error(ErrorCode::kInvalidArgument, "max_tokens must be at least 1");
  }
  if (tokens.size() > identity_.context || options.max_tokens > identity_.context - tokens.size()) {
    throw Error(ErrorCode::kTooLarge,
                "the prompt of " + std::to_string(tokens.size()) + " tokens and an answer of " +
                    std::to_string(options.max_tokens) + " exceed the context of " +
                    std::to_string(identity_.context));
  }
  std::optional<Gate::Pass> pass;
  try {
    pass.emplace(shared_->gate, cancel);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    Completion completion;
    completion.stop = StopReason::kCancelled;
    completion.prompt_tokens = tokens.size();
    return completion;
  }
  const VocabularyIndex* index =
      options.constraint == TextConstraint::kFree ? nullptr : shared_->Index();
  return Generation(shared_->workshop, index, prompt, tokens, options, cancel, on_text).Run();
}

}  // namespace sworn::llm
