#include <algorithm>
#include <memory>
#include <thread>

#include <omp.h>

#include "api/service/components.h"
#include "core/crypto.h"
#include "core/error.h"
#include "indexer/extract/ocr.h"
#include "llm/embed/lsa.h"

namespace sworn::service {
namespace {

constexpr std::size_t kMaxDefaultWorkers = 8;

}  // namespace

std::unique_ptr<Components> Compose(const Config& config, bool create) {
  ValidateConfig(config);
  omp_set_num_threads(1);
  auto parts = std::make_unique<Components>();
  parts->config = config;
  parts->identity = OpenKbFolder(config.kb, create, parts->files);
  parts->fitting = std::make_unique<llm::LsaFactory>(WorkerCount(config));
  parts->store = store::KnowledgeStore::Open(
      config.kb, {parts->files, parts->clock, WorkerCount(config), parts->fitting.get()});
  parts->snapshots = std::make_unique<SnapshotCache>(*parts->store);
  parts->registry = std::make_unique<ModelRegistry>(config.kb, parts->files, parts->clock);
  parts->models = ComposeModelTools(parts->config, parts->files, parts->clock);
  parts->generators = std::make_unique<GeneratorCache>(*parts->registry, parts->models);
  parts->embedders = std::make_unique<EmbedderCache>(*parts->registry, parts->models);
  parts->prompt_nonce = RandomBase32Id();
  return parts;
}

std::shared_ptr<const store::Snapshot> SnapshotCache::Get(
    const std::vector<std::string>& collections) {
  const std::lock_guard lock(mutex_);
  const bool usable = snapshot_ != nullptr && collections_ == collections &&
                      store_.IsCurrent(*snapshot_, collections);
  if (!usable) {
    snapshot_ = nullptr;  // its files may be what the new one must replace
    snapshot_ = store_.OpenSnapshot(collections);
    collections_ = collections;
  }
  return snapshot_;
}

std::shared_ptr<const Generator> GeneratorCache::Get(const ModelEntry& entry) {
  const std::lock_guard lock(mutex_);
  if (generator_ == nullptr || sha256_ != entry.sha256) {
    generator_ = nullptr;  // two models may be more than the memory holds
    registry_.Verify(entry);
    generator_ = tools_.open(registry_.PathOf(entry), entry.id, entry.sha256);
    sha256_ = entry.sha256;
  }
  return generator_;
}

std::shared_ptr<const Embedder> EmbedderCache::Get(const ModelEntry& entry) {
  if (!entry.embedding) {
    throw Error(ErrorCode::kInvalidArgument,
                "model '" + entry.id + "' writes text; it is no embedder");
  }
  const std::lock_guard lock(mutex_);
  if (embedder_ == nullptr || id_ != entry.id || sha256_ != entry.sha256) {
    embedder_ = nullptr;  // as above
    registry_.Verify(entry);
    embedder_ = tools_.open_embedder(registry_.PathOf(entry), entry);
    id_ = entry.id;
    sha256_ = entry.sha256;
  }
  return embedder_;
}

std::size_t WorkerCount(const Config& config) {
  if (config.workers != 0) return config.workers;
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::min(cores, kMaxDefaultWorkers);
}

std::unique_ptr<indexer::ExtractionPool> ComposeExtraction(const Config& config,
                                                           const CancelFlag& cancel) {
  indexer::ExtractionPoolOptions options;
  options.workers = WorkerCount(config);
  options.program = config.program;
  options.cancel = &cancel;
  options.ocr = indexer::OcrCommand();
  options.limits.max_file_bytes = config.max_file_bytes;
  options.limits.max_pages = config.max_pages;
  options.limits.max_inflated_bytes = config.max_inflated_bytes;
  options.limits.max_seconds = config.extract_seconds;
  options.limits.max_worker_memory_bytes = config.worker_memory_bytes;
  return std::make_unique<indexer::ExtractionPool>(options);
}

}  // namespace sworn::service
