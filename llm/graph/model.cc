#include "llm/graph/model.h"

#include <string>
#include <utility>

#include "core/error.h"
#include "llm/graph/weights.h"

namespace sworn::llm {

Model::Model() = default;
Model::~Model() = default;

std::shared_ptr<const Model> Model::Load(std::unique_ptr<ModelFile> file,
                                         const kernels::KernelTable& kernels, ThreadTeam& team,
                                         Purpose purpose) {
  const std::shared_ptr<Model> model(new Model);
  model->kernels_ = &kernels;
  model->config_ = ReadModelConfig(*file);
  if (model->config_.embeds != (purpose == Purpose::kEmbed)) {
    throw Error(ErrorCode::kInvalidArgument,
                model->config_.embeds
                    ? "this is an embedding model: it turns texts into vectors and cannot write"
                    : "this model writes texts; it is not an embedding model");
  }
  model->tokenizer_ = LoadTokenizer(*file);
  if (model->tokenizer_->vocabulary() > model->config_.vocabulary) {
    throw Error(ErrorCode::kIntegrity,
                "the tokenizer has " + std::to_string(model->tokenizer_->vocabulary()) +
                    " tokens, the model only " + std::to_string(model->config_.vocabulary));
  }
  model->weights_ = LoadWeights(*file, model->config_, kernels, team);
  if (purpose == Purpose::kGenerate) {
    model->chat_ = ChooseChatTemplate(*file, *model->tokenizer_);
    model->head_ =
        std::make_unique<OutputHead>(*file, *model->weights_->output_matrix, kernels, team);
  }
  model->file_ = std::move(file);
  return model;
}

}  // namespace sworn::llm
