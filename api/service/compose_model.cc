// What the engine does with model files, for compose.cc.
#include <memory>
#include <string>
#include <utility>

#include "api/service/components.h"
#include "api/service/kernel_choice.h"
#include "core/error.h"
#include "kernels/kernels.h"
#include "llm/decode/model_generator.h"
#include "llm/embed/decoder_embedder.h"
#include "llm/embed/embedding_settings.h"
#include "llm/embed/encoder_embedder.h"
#include "llm/files/encoder_config.h"
#include "llm/files/import.h"
#include "llm/files/model_config.h"
#include "llm/files/model_file.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;

ModelFacts Inspect(const fs::path& path, const std::string& name) {
  const std::unique_ptr<llm::ModelFile> model = llm::OpenModelFile(path);
  ModelFacts facts;
  facts.needs_conversion = llm::NeedsImport(*model);
  bool embeds = llm::IsEncoder(*model);
  if (embeds) {
    facts.architecture = llm::ReadEncoderConfig(*model).architecture;
  } else {
    const llm::ModelConfig config = llm::ReadModelConfig(*model);
    facts.architecture = config.architecture;
    embeds = config.embeds;
  }
  if (embeds) {
    const llm::EmbeddingSettings settings = llm::SuggestSettings(*model, name);
    facts.embedding = ModelEmbedding{.query_prefix = settings.query_prefix,
                                     .passage_prefix = settings.passage_prefix,
                                     .pooling = settings.pooling};
  }
  return facts;
}

// What a decoder's vectors are pooled by, always.
constexpr const char* kLastToken = "last";

void CheckUse(const ModelFacts& facts, const ModelEmbedding& embedding) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); };
  if (facts.embedding->pooling == kLastToken) {
    if (embedding.pooling != kLastToken) refuse("this model pools the last token and nothing else");
    if (!llm::StorageByName(embedding.storage)) {
      refuse("vectors are stored as f32, f16, i8, i4, i2 or i1, not '" + embedding.storage + "'");
    }
    return;
  }
  if (!llm::PoolingByName(embedding.pooling)) {
    refuse("the pooling is mean or cls, not '" + embedding.pooling + "'");
  }
  if (embedding.storage != "f32") refuse("the vectors of this model are stored as f32");
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

// A decoder as an embedder with the threads that it works on.
struct LoadedDecoder {
  LoadedDecoder(const fs::path& file, const ModelEntry& entry, const kernels::KernelTable& kernels,
                std::size_t threads)
      : team(threads),
        embedder(
            llm::Model::Load(llm::OpenModelFile(file), kernels, team, llm::Purpose::kEmbed), team,
            {.id = entry.id,
             .sha256 = entry.sha256,
             .query_prefix = entry.embedding->query_prefix,
             .passage_prefix = entry.embedding->passage_prefix,
             .storage =
                 llm::StorageByName(entry.embedding->storage).value_or(llm::VectorStorage::kF32)}) {
  }

  llm::ThreadTeam team;
  llm::DecoderEmbedder embedder;
};

// Likewise an encoder.
struct LoadedEncoder {
  LoadedEncoder(const fs::path& file, const ModelEntry& entry, const kernels::KernelTable& kernels,
                std::size_t threads)
      : team(threads),
        embedder(entry.id, entry.sha256,
                 llm::EncoderModel::Load(llm::OpenModelFile(file), kernels, team), team,
                 {entry.embedding->query_prefix, entry.embedding->passage_prefix,
                  entry.embedding->pooling}) {}

  llm::ThreadTeam team;
  llm::EncoderEmbedder embedder;
};

}  // namespace

ModelTools ComposeModelTools(const Config& config, FileOps& files, const Clock& clock) {
  ModelTools tools;
  tools.inspect = Inspect;
  tools.digest = [](const fs::path& path) { return llm::OpenModelFile(path)->Sha256(); };
  tools.convert = [&files](const fs::path& from, const fs::path& to, bool int8,
                           const ProgressSink& progress, const CancelFlag& cancel) {
    IndexProgress state;
    state.phase = "converting";
    llm::ImportModel(
        from, to, {.pre_tokenizer = {}, .int8 = int8}, files,
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
  tools.open_embedder = [&config, threads = tools.threads](
                            const fs::path& file,
                            const ModelEntry& entry) -> std::shared_ptr<const Embedder> {
    const kernels::KernelTable& table = ChooseKernels(config);
    if (entry.embedding->pooling == kLastToken) {
      const auto decoder = std::make_shared<LoadedDecoder>(file, entry, table, threads);
      return {decoder, &decoder->embedder};
    }
    const auto encoder = std::make_shared<LoadedEncoder>(file, entry, table, threads);
    return {encoder, &encoder->embedder};
  };
  tools.check_embedding = CheckUse;
  return tools;
}

}  // namespace sworn::service
