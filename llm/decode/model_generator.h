// The Generator that runs a model of this machine.
//
// Several threads may call it at once. Each call has a cache, buffers and a sampler of its own; the
// model and the prefix tree are shared. A gate lets `concurrent` of them work at a time, the others
// wait in their order; those inside take turns with the thread team, one parallel step each, so a
// second one makes both slower and neither wrong.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/generator.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"

namespace sworn::llm {

struct ModelGeneratorOptions {
  std::size_t context = 0;  // tokens of prompt and answer together; 0: all that the model has
  std::size_t prefix_bytes = std::size_t{256} * 1024 * 1024;  // of keys and values kept
  std::size_t concurrent = 1;                                 // at least 1
  std::size_t waiting = 64;                                   // calls beyond these throw kBusy
};

class ModelGenerator : public Generator {
 public:
  /// `id` and `sha256` become the identity. `team` and `clock` must outlive it. Throws
  /// kInvalidArgument for a context that is longer than the model's or no concurrent calls.
  ModelGenerator(std::string id, std::string sha256, std::shared_ptr<const Model> model,
                 ThreadTeam& team, const Clock& clock, const ModelGeneratorOptions& options);
  ~ModelGenerator() override;

  [[nodiscard]] const GeneratorIdentity& identity() const override { return identity_; }
  [[nodiscard]] std::size_t CountTokens(std::string_view text) const override;
  [[nodiscard]] std::size_t CountTokens(const Prompt& prompt) const override;

  /// As the port says; and throws kBusy if too many calls wait. A call that is cancelled while it
  /// waits returns without a token.
  [[nodiscard]] Completion Generate(const Prompt& prompt, const GenerationOptions& options,
                                    const CancelFlag& cancel,
                                    const TextSink& on_text) const override;

 private:
  struct Shared;

  [[nodiscard]] std::vector<Token> Render(const Prompt& prompt) const;

  GeneratorIdentity identity_;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace sworn::llm
