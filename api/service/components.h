// The concrete parts of one open knowledge base. compose.cc alone chooses them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
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

/// What the engine does with model files, behind functions: compose.cc alone names its classes.
struct ModelTools {
  /// The architecture of a file that the engine can run; throws what makes it unreadable.
  std::function<std::string(const std::filesystem::path& file)> inspect;
  /// Writes the GGUF file `to` from a safetensors file or folder.
  std::function<void(const std::filesystem::path& from, const std::filesystem::path& to,
                     const ProgressSink& progress, const CancelFlag& cancel)>
      convert;
};

struct Components {
  Config config;
  FileOps files;
  SystemClock clock;
  KbIdentity identity;
  std::unique_ptr<Embedder> embedder;
  std::unique_ptr<store::KnowledgeStore> store;
  std::unique_ptr<SnapshotCache> snapshots;
  std::unique_ptr<ModelRegistry> registry;
  ModelTools models;
};

/// Opens the folder, creates it when asked to, and puts the parts together. Sets the process's
/// number of OpenMP threads, which FAISS uses, to one: parallelism is between requests.
std::unique_ptr<Components> Compose(const Config& config, bool create);

/// Extraction processes as `config` wants them; `cancel` outlives the pool.
std::unique_ptr<indexer::ExtractionPool> ComposeExtraction(const Config& config,
                                                           const CancelFlag& cancel);

/// Functions that refer to `config`, which outlives them.
ModelTools ComposeModelTools(const Config& config);

/// Threads (and extraction processes) of an index job.
std::size_t WorkerCount(const Config& config);

}  // namespace sworn::service
