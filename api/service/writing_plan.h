// Who writes an answer, settled before anything is logged or read.
#pragma once

#include <optional>
#include <string>

#include "api/service/components.h"
#include "api/service/model_registry.h"
#include "api/service/requests.h"

namespace sworn::service {

struct WritingPlan {
  std::optional<ModelEntry> model;  // nothing: quotations alone, without a model
  std::string answer_id;            // "a_..."
  std::string prompt_nonce;
};

/// Throws kNotConfigured for a model that is not installed and what CheckWriting throws.
WritingPlan PlanWriting(const Components& parts, const WritingOptions& options);

/// As PlanWriting; kNotConfigured too if no model is configured: `verb` needs one.
WritingPlan PlanModelWriting(const Components& parts, const WritingOptions& options,
                             const std::string& verb);

}  // namespace sworn::service
