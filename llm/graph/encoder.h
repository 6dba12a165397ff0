// Encoders of BERT's family: token ids of whole texts to hidden states
// (Devlin et al. 2019; the post-norm graph of BertModel and XLMRobertaModel, no pooler).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/cancel.h"
#include "kernels/kernels.h"
#include "llm/files/encoder_config.h"
#include "llm/files/model_file.h"
#include "llm/graph/thread_team.h"
#include "llm/text/tokenizer.h"

namespace sworn::llm {

struct EncoderWeights;  // llm/graph/encoder_weights.h, internal to llm/

/// Immutable after loading.
class EncoderModel {
 public:
  /// Throws what OpenModelFile, ReadEncoderConfig, LoadTokenizer and LoadEncoderWeights throw, and
  /// kIntegrity for a tokenizer that does not fit the model. `kernels` lives as long as the
  /// program.
  static std::shared_ptr<const EncoderModel> Load(std::unique_ptr<ModelFile> file,
                                                  const kernels::KernelTable& kernels,
                                                  ThreadTeam& team);
  ~EncoderModel();

  [[nodiscard]] const EncoderConfig& config() const noexcept { return config_; }
  [[nodiscard]] const kernels::KernelTable& kernels() const noexcept { return *kernels_; }
  [[nodiscard]] const ModelFile& file() const noexcept { return *file_; }
  [[nodiscard]] const Tokenizer& tokenizer() const noexcept { return *tokenizer_; }
  [[nodiscard]] const EncoderWeights& weights() const noexcept { return *weights_; }

  /// [CLS] or <s>, the tokens of `text` as far as config().positions allows, [SEP] or </s>.
  [[nodiscard]] std::vector<Token> Encode(std::string_view text) const;

 private:
  EncoderModel();

  EncoderConfig config_;
  const kernels::KernelTable* kernels_ = nullptr;
  std::unique_ptr<ModelFile> file_;
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::unique_ptr<const EncoderWeights> weights_;
  Token first_ = 0;
  Token last_ = 0;
};

/// The scratch of one caller: one call at a time. The model and the team outlive it.
///
/// A hidden state depends on the tokens of its own text alone: the same bits whatever texts are
/// packed with it, on any number of threads and on every kernel table.
class Encoder {
 public:
  Encoder(const EncoderModel& model, ThreadTeam& team);
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  /// The hidden states [tokens.size(), hidden] of texts that stand one after another; `ends` are
  /// where they end, ascending, the last one tokens.size(). Each has 1 to config().positions tokens
  /// (else kInvalidArgument). The view holds until the next call. Looks at `cancel` at each layer.
  std::span<const float> Run(std::span<const Token> tokens, std::span<const std::size_t> ends,
                             const CancelFlag& cancel);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::llm
