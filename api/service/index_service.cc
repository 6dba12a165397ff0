#include "api/service/index_service.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/service/embedder_choice.h"
#include "api/service/evidence.h"
#include "api/service/json.h"
#include "core/error.h"
#include "indexer/folder_source.h"
#include "indexer/indexer.h"
#include "indexer/watcher.h"

namespace sworn::service {
namespace {

using store::CollectionInfo;
using store::DocumentInfo;

constexpr std::chrono::milliseconds kWatchQuiet{2000};  // a burst of changes is one run

std::optional<CollectionInfo> FindCollection(Components& parts, const std::string& name) {
  for (CollectionInfo& collection : parts.store->Collections()) {
    if (collection.name == name) return std::move(collection);
  }
  return std::nullopt;
}

indexer::FolderSource MakeSource(const Components& parts, const IndexRequest& request,
                                 const std::vector<std::string>& known_roots) {
  indexer::FolderSourceOptions options;
  options.paths = request.paths;
  options.include = request.include;
  options.exclude = request.exclude;
  options.known_roots = known_roots;
  options.never_enter = std::filesystem::weakly_canonical(parts.config.kb);
  return indexer::FolderSource(std::move(options));
}

indexer::IndexOptions OptionsOf(const Components& parts, const IndexRequest& request) {
  indexer::IndexOptions options;
  options.max_file_bytes = parts.config.max_file_bytes;
  // A chunk may outgrow its target by as much as the defaults allow.
  constexpr indexer::ChunkOptions kDefaults;
  options.chunks.target_bytes = parts.config.chunk_bytes;
  options.chunks.max_bytes =
      parts.config.chunk_bytes * kDefaults.max_bytes / kDefaults.target_bytes;
  options.chunks.overlap_bytes =
      parts.config.chunk_bytes * kDefaults.overlap_bytes / kDefaults.target_bytes;
  options.threads = WorkerCount(parts.config);
  options.publish_every = std::chrono::seconds(parts.config.publish_seconds);
  options.allow_mass_remove = request.allow_mass_remove;
  options.user_meta = request.meta;
  return options;
}

IndexReport DryRun(Components& parts, const IndexRequest& request) {
  const auto collection = FindCollection(parts, request.collection);
  std::vector<std::string> roots;
  std::vector<DocumentInfo> known;
  if (collection) {
    roots = collection->roots;
    store::KnowledgeStore::ListOptions options;
    options.collections = {request.collection};
    known = parts.store->List(options);
  }
  indexer::FolderSource source = MakeSource(parts, request, roots);
  return indexer::DryRunIndex(source, known, OptionsOf(parts, request));
}

// The model where there is one, else what is fitted to the collection.
VectorSource SourceOf(const Components& parts, const std::shared_ptr<const Embedder>& model) {
  if (model) return model.get();
  return parts.fitting.get();
}

void RecordRun(audit::AuditLog& log, const IndexRequest& request, const IndexReport& report,
               const CollectionInfo& collection) {
  nlohmann::json payload = {{"collection", collection.name}, {"paths", nlohmann::json::array()}};
  for (const auto& path : request.paths) payload["paths"].push_back(path.native());
  log.Append(audit::IndexRunEvent({collection.collection_id, report.generation},
                                  {report.added, report.updated, report.unchanged, report.removed,
                                   report.failed, report.skipped},
                                  collection.embedder_id, std::move(payload)));
}

}  // namespace

IndexReport IndexSource(Components& parts, indexer::Source& source, const IndexRequest& request,
                        const ProgressSink& progress, const CancelFlag& cancel) {
  const auto collection = FindCollection(parts, request.collection);
  const auto model = ModelForJob(parts, request.embedder, collection);
  const auto extraction = ComposeExtraction(parts.config, cancel);
  IndexProgress state;
  state.phase = "embedding";
  const store::EmbeddingWork work{.progress =
                                      [&](std::uint64_t done, std::uint64_t total) {
                                        state.done = done;
                                        state.total = total;
                                        progress(state);
                                      },
                                  .cancel = &cancel};
  const auto job = parts.store->BeginJob(request.collection, SourceOf(parts, model), work);
  indexer::IndexEnvironment environment{.job = *job,
                                        .extraction = *extraction,
                                        .clock = parts.clock,
                                        .progress = progress,
                                        .cancel = cancel,
                                        .embedder = model.get()};
  if (collection && !collection->languages.empty()) {
    environment.usual_language = collection->languages.front();
  }
  IndexReport report = indexer::RunIndex(source, OptionsOf(parts, request), environment);
  report.collection = request.collection;
  return report;
}

IndexReport RunIndexRequest(Components& parts, audit::AuditLog& log, const IndexRequest& request,
                            const ProgressSink& progress, const CancelFlag& cancel) {
  if (request.dry_run) {
    IndexReport report = DryRun(parts, request);
    report.collection = request.collection;
    return report;
  }
  const auto before = FindCollection(parts, request.collection);
  ModelForJob(parts, request.embedder, before);  // before anything is made
  indexer::FolderSource source =
      MakeSource(parts, request, before ? before->roots : std::vector<std::string>{});
  if (!before) {
    parts.store->CreateCollection(request.collection);
    const auto created = FindCollection(parts, request.collection);
    log.Append(audit::CollectionEvent(audit::EntryType::kCollectionCreated, created->collection_id,
                                      {{"name", request.collection}}));
  }
  IndexReport report = IndexSource(parts, source, request, progress, cancel);
  RecordRun(log, request, report, *FindCollection(parts, request.collection));
  return report;
}

void RunWatch(Components& parts, audit::AuditLog& log, const IndexRequest& request,
              const ProgressSink& progress, const std::function<void(const IndexReport&)>& report,
              const CancelFlag& cancel) {
  // Watching starts before the first run, so that nothing falls between the two.
  indexer::FolderWatcher watcher(request.paths, std::filesystem::weakly_canonical(parts.config.kb));
  do {
    report(RunIndexRequest(parts, log, request, progress, cancel));
  } while (watcher.WaitForChange(kWatchQuiet, cancel));
}

RemoveReport RunRemove(Components& parts, audit::AuditLog& log, const std::string& id_or_path) {
  std::map<std::string, std::vector<DocumentInfo>> by_collection;
  for (DocumentInfo& document : parts.store->Find(id_or_path)) {
    if (document.state == store::DocumentState::kWithdrawn) continue;
    by_collection[document.collection].push_back(std::move(document));
  }
  if (by_collection.empty()) {
    throw Error(ErrorCode::kNotFound, "no document '" + id_or_path + "'");
  }
  RemoveReport report;
  for (auto& [name, documents] : by_collection) {
    std::uint64_t generation = 0;
    {
      const auto model = ModelForJob(parts, "", FindCollection(parts, name));
      const auto job = parts.store->BeginJob(name, SourceOf(parts, model));
      for (const DocumentInfo& document : documents) job->Withdraw(document.document_id);
      generation = job->Publish().generation;
    }
    report.generations[name] = generation;
    const std::string collection_id = FindCollection(parts, name)->collection_id;
    for (DocumentInfo& document : documents) {
      log.Append(audit::DocumentWithdrawnEvent({collection_id, generation}, document.document_id,
                                               document.version, {{"path", document.path}}));
      document.state = store::DocumentState::kWithdrawn;
      report.removed.push_back(std::move(document));
    }
  }
  return report;
}

}  // namespace sworn::service
