// What the engine does with model files, for compose.cc.
#include <memory>
#include <string>
#include <utility>

#include "api/service/components.h"
#include "api/service/kernel_choice.h"
#include "kernels/kernels.h"
#include "llm/decode/model_generator.h"
#include "llm/files/import.h"
#include "llm/files/model_config.h"
#include "llm/files/model_file.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;

ModelFacts Inspect(const fs::path& path) {
  const std::unique_ptr<llm::ModelFile> model = llm::OpenModelFile(path);
  return {llm::ReadModelConfig(*model).architecture, llm::NeedsImport(*model)};
}

// A generator with the threads that it works on.
struct LoadedModel {
  LoadedModel(const fs::path& file, const std::string& id, const std::string& sha256,
              const kernels::KernelTable& kernels, std::size_t threads, const Clock& clock)
      : team(threads),
        generator(id, sha256, llm::Model::Load(llm::OpenModelFile(file), kernels, team), team,
                  clock, llm::ModelGeneratorOptions{}) {}

  llm::ThreadTeam team;
  llm::ModelGenerator generator;
};

}  // namespace

ModelTools ComposeModelTools(const Config& config, FileOps& files, const Clock& clock) {
  ModelTools tools;
  tools.inspect = Inspect;
  tools.digest = [](const fs::path& path) { return llm::OpenModelFile(path)->Sha256(); };
  tools.convert = [&files](const fs::path& from, const fs::path& to, const ProgressSink& progress,
                           const CancelFlag& cancel) {
    IndexProgress state;
    state.phase = "converting";
    llm::ImportModel(
        from, to, {}, files,
        [&](std::uint64_t done, std::uint64_t total) {
          state.done = done;
          state.total = total;
          progress(state);
        },
        cancel);
  };
  tools.threads = ChooseThreads(config);
  tools.open = [&config, &clock, threads = tools.threads](
                   const fs::path& file, const std::string& id,
                   const std::string& sha256) -> std::shared_ptr<const Generator> {
    const auto loaded =
        std::make_shared<LoadedModel>(file, id, sha256, ChooseKernels(config), threads, clock);
    return {loaded, &loaded->generator};
  };
  return tools;
}

}  // namespace sworn::service
