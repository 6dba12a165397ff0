// What the engine does with model files, for compose.cc.
#include <memory>

#include "api/service/components.h"
#include "core/error.h"
#include "llm/model_config.h"
#include "llm/model_file.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;

std::string Inspect(const fs::path& file) {
  const std::unique_ptr<llm::ModelFile> model = llm::OpenModelFile(file);
  return llm::ReadModelConfig(*model).architecture;
}

}  // namespace

ModelTools ComposeModelTools(const Config& /*config*/) {
  ModelTools tools;
  tools.inspect = Inspect;
  tools.convert = [](const fs::path& from, const fs::path& /*to*/, const ProgressSink& /*progress*/,
                     const CancelFlag& /*cancel*/) {
    throw Error(ErrorCode::kUnsupportedMedia,
                "'" + from.native() + "' is no GGUF file; safetensors are not read yet");
  };
  return tools;
}

}  // namespace sworn::service
