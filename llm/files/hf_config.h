// config.json of a Hugging Face folder as GGUF's keys. Internal to llm/.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "llm/files/hf_json.h"

namespace sworn::llm {

/// How the linear layers of such a model are stored.
enum class HfLinear {
  kDense,
  kMaster,           // floats that `import` makes ternary
  kScaleMultiplies,  // packed, weight = weight_scale * t
  kScaleDivides      // packed, weight = t / weight_scale
};

/// Writes "general.architecture", the architecture's keys and "sworn.rope.pairs" to `metadata`.
/// `where` names the file in errors: kUnsupportedMedia for a model that is not built, kIntegrity
/// for a member of the wrong kind. Bounds are ReadModelConfig's matter.
HfLinear TranslateConfig(const nlohmann::json& config, const std::string& where,
                         Metadata& metadata);

}  // namespace sworn::llm
