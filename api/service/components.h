// The concrete parts of one open knowledge base. compose.cc alone chooses them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/service/config.h"
#include "api/service/kb_folder.h"
#include "api/service/model_registry.h"
#include "api/service/requests.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/embedder.h"
#include "core/file.h"
#include "core/generator.h"
#include "indexer/extract/extraction_pool.h"
#include "store/knowledge_store.h"

namespace sworn::service {

/// The snapshot of the last request, kept for the next one: opening one verifies every file of the
/// index. Thread-safe.
class SnapshotCache {
 public:
  explicit SnapshotCache(store::KnowledgeStore& store) : store_(store) {}

  /// What store.OpenSnapshot(collections) gives.
  std::shared_ptr<const store::Snapshot> Get(const std::vector<std::string>& collections);

 private:
  store::KnowledgeStore& store_;
  std::mutex mutex_;  // guards both
  std::vector<std::string> collections_;
  std::shared_ptr<const store::Snapshot> snapshot_;
};

struct ModelFacts {
  std::string architecture;
  bool needs_conversion = false;            // before the engine can run it
  std::optional<ModelEmbedding> embedding;  // of an embedder: what is known of its use
};

/// What the engine does with model files, behind functions: compose.cc alone names its classes.
struct ModelTools {
  /// Throws what makes a file or folder unreadable for the engine. `name` may be that of a
  /// well-known model.
  std::function<ModelFacts(const std::filesystem::path& path, const std::string& name)> inspect;
  /// SHA-256 of a file, or of the weights in a folder, hexadecimal.
  std::function<std::string(const std::filesystem::path& path)> digest;
  /// Writes the GGUF file `to` in the engine's own layout, linear layers as int8 if `int8` says so.
  std::function<void(const std::filesystem::path& from, const std::filesystem::path& to, bool int8,
                     const ProgressSink& progress, const CancelFlag& cancel)>
      convert;
  /// Loads a model, which takes seconds and a gigabyte.
  std::function<std::shared_ptr<const Generator>(const std::filesystem::path& file,
                                                 const std::string& id, const std::string& sha256)>
      open;
  /// Throws kInvalidArgument unless a model with `facts` can be used as `embedding` says.
  std::function<void(const ModelFacts& facts, const ModelEmbedding& embedding)> check_embedding;
  /// Loads a model that has an `embedding`.
  std::function<std::shared_ptr<const Embedder>(const std::filesystem::path& file,
                                                const ModelEntry& entry)>
      open_embedder;
  std::size_t threads = 1;  // that a model works on
};

/// The model of the last request, kept for the next one. Thread-safe.
class GeneratorCache {
 public:
  /// Both outlive it.
  GeneratorCache(const ModelRegistry& registry, const ModelTools& tools)
      : registry_(registry), tools_(tools) {}

  /// Compares the file with its pinned digest (kIntegrity) and loads it, unless it is there.
  std::shared_ptr<const Generator> Get(const ModelEntry& entry);

 private:
  const ModelRegistry& registry_;
  const ModelTools& tools_;
  std::mutex mutex_;  // guards both
  std::string sha256_;
  std::shared_ptr<const Generator> generator_;
};

/// The embedding model of the last request, kept for the next one. Thread-safe.
class EmbedderCache {
 public:
  /// Both outlive it.
  EmbedderCache(const ModelRegistry& registry, const ModelTools& tools)
      : registry_(registry), tools_(tools) {}

  /// Compares the file with its pinned digest (kIntegrity) and loads it, unless it is there. Throws
  /// kInvalidArgument for a model that writes text.
  std::shared_ptr<const Embedder> Get(const ModelEntry& entry);

 private:
  const ModelRegistry& registry_;
  const ModelTools& tools_;
  std::mutex mutex_;  // guards the others
  std::string id_;
  std::string sha256_;
  std::shared_ptr<const Embedder> embedder_;
};

struct Components {
  Config config;
  FileOps files;
  SystemClock clock;
  KbIdentity identity;
  std::unique_ptr<TermEmbedderFactory> fitting;  // makes the vectors of collections by default
  std::unique_ptr<store::KnowledgeStore> store;
  std::unique_ptr<SnapshotCache> snapshots;
  std::unique_ptr<ModelRegistry> registry;
  ModelTools models;
  std::unique_ptr<GeneratorCache> generators;
  std::unique_ptr<EmbedderCache> embedders;
  /// Fences of prompts are derived from it: the same for all requests of a process, so that what
  /// was computed for a passage can be used again; unknown to whoever writes a document.
  std::string prompt_nonce;
};

/// Opens the folder, creates it when asked to, and puts the parts together. Sets the process's
/// number of OpenMP threads, which FAISS uses, to one: parallelism is between requests.
std::unique_ptr<Components> Compose(const Config& config, bool create);

/// Extraction processes as `config` wants them; `cancel` outlives the pool.
std::unique_ptr<indexer::ExtractionPool> ComposeExtraction(const Config& config,
                                                           const CancelFlag& cancel);

/// Functions that refer to what is given, which outlives them.
ModelTools ComposeModelTools(const Config& config, FileOps& files, const Clock& clock);

/// Threads (and extraction processes) of an index job.
std::size_t WorkerCount(const Config& config);

}  // namespace sworn::service
