// A loaded model: configuration, weights in the layout of the kernels, tokenizer and chat template.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "kernels/kernels.h"
#include "llm/files/model_config.h"
#include "llm/files/model_file.h"
#include "llm/graph/output_head.h"
#include "llm/graph/thread_team.h"
#include "llm/text/chat_template.h"
#include "llm/text/tokenizer.h"

namespace sworn::llm {

struct Weights;  // llm/graph/weights.h, internal to llm/

/// What a model is loaded for.
enum class Purpose { kGenerate, kEmbed };

/// Immutable after loading; shared by any number of generations.
class Model {
 public:
  /// Packs or maps the weights on the threads of `team`. Throws what OpenModelFile, ReadModelConfig
  /// and LoadTokenizer throw, and kIntegrity for a tensor that is missing or has a wrong shape or
  /// type (its name, what was wanted and found). A model that embeds cannot generate, nor the
  /// reverse: kInvalidArgument. `kernels` lives as long as the program.
  static std::shared_ptr<const Model> Load(std::unique_ptr<ModelFile> file,
                                           const kernels::KernelTable& kernels, ThreadTeam& team,
                                           Purpose purpose = Purpose::kGenerate);
  ~Model();

  [[nodiscard]] const ModelConfig& config() const noexcept { return config_; }
  [[nodiscard]] const kernels::KernelTable& kernels() const noexcept { return *kernels_; }
  [[nodiscard]] const ModelFile& file() const noexcept { return *file_; }
  [[nodiscard]] const Tokenizer& tokenizer() const noexcept { return *tokenizer_; }
  [[nodiscard]] const Weights& weights() const noexcept { return *weights_; }

  // Of models that generate.
  [[nodiscard]] const ChatTemplate& chat() const noexcept { return *chat_; }
  [[nodiscard]] const OutputHead& head() const noexcept { return *head_; }

 private:
  Model();

  ModelConfig config_;
  const kernels::KernelTable* kernels_ = nullptr;
  std::unique_ptr<ModelFile> file_;
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<const ChatTemplate> chat_;
  std::unique_ptr<const Weights> weights_;
  std::unique_ptr<const OutputHead> head_;
};

}  // namespace sworn::llm
