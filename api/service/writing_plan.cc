#include "api/service/writing_plan.h"

#include "api/service/model_answer.h"
#include "core/crypto.h"
#include "core/error.h"
#include "retriever/extractive.h"

namespace sworn::service {

WritingPlan PlanWriting(const Components& parts, const WritingOptions& options) {
  CheckWriting(options);
  WritingPlan plan;
  const std::string& id = options.model.empty() ? parts.config.model : options.model;
  if (id != "extractive" && id != retriever::kExtractiveModelId) {
    if (const auto entry = parts.registry->Find(id)) {
      if (entry->embedding) {
        throw Error(ErrorCode::kInvalidArgument,
                    "model '" + id + "' is an embedder; it writes no text");
      }
      plan.model = *entry;
    } else {
      throw Error(ErrorCode::kNotConfigured,
                  "model '" + id +
                      "' is not installed (`sworn model list`); 'extractive' needs "
                      "none");
    }
  }
  plan.answer_id = options.replay ? options.replay->answer_id : "a_" + RandomBase32Id();
  plan.prompt_nonce = options.replay ? options.replay->prompt_nonce : parts.prompt_nonce;
  return plan;
}

WritingPlan PlanModelWriting(const Components& parts, const WritingOptions& options,
                             const std::string& verb) {
  WritingPlan plan = PlanWriting(parts, options);
  if (!plan.model) {
    throw Error(ErrorCode::kNotConfigured,
                verb + " needs a model: --model ID, or `model` in the settings");
  }
  return plan;
}

}  // namespace sworn::service
