#include "store/index_job.h"

#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

#include "core/crypto.h"
#include "core/error.h"
#include "core/text/analyzer.h"
#include "store/change_embedder.h"
#include "store/fitted.h"
#include "store/publish.h"
#include "store/refit.h"
#include "store/schema.h"
#include "store/segment_builder.h"
#include "store/staging.h"

namespace sworn::store {
namespace {

namespace fs = std::filesystem;

/// `dimension` is 0 where chunks come without vectors.
void CheckChunks(const NewContent& content, std::uint32_t dimension) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); };
  for (const NewChunk& chunk : content.chunks) {
    if (chunk.range.begin > chunk.range.end || chunk.range.end > content.text.size()) {
      refuse("a chunk lies outside its text");
    }
    if (chunk.vector.size() != dimension) refuse("a chunk's vector has another dimension");
    for (const float value : chunk.vector) {
      if (!std::isfinite(value)) refuse("a chunk's vector is not finite");
    }
  }
}

class IndexJobImpl : public IndexJob {
 public:
  IndexJobImpl(const StorePaths& paths, StoreContext context, std::unique_ptr<FileLock> lock,
               const std::string& collection, const VectorSource& source, const EmbeddingWork& work)
      : paths_(paths),
        context_(context),
        lock_(std::move(lock)),
        catalog_(paths_.catalog(), SqliteConnection::Mode::kReadWrite) {
    PrepareWriter(catalog_);
    if (const auto* factory = std::get_if<const TermEmbedderFactory*>(&source)) {
      context_.fitting = *factory;
    }
    EmptyTemporary(paths_);
    Reload(collection);
    if (PublishLeftovers(MakePublication(), collection_, state_.get())) Reload(collection);
    const std::string& known =
        collection_.base != 0 ? collection_.base_id : collection_.embedder_id;
    if (known != IdentityOf(source).Digest()) {
      ChangeEmbedder(MakePublication(), collection_, source, work);
      Reload(collection);
    }
    Tidy();
  }

  std::vector<DocumentInfo> DocumentsBelow(const std::string& root) override {
    return Guarded([&] {
      DocumentQuery query;
      query.collections = {collection_.id};
      query.pending = true;
      query.root = root;
      return LoadDocuments(catalog_, query);
    });
  }

  std::optional<ContentId> FindContent(const std::string& document_sha256,
                                       const std::string& media_type) override {
    return Guarded([&] { return MakeStaging().FindContent(document_sha256, media_type); });
  }

  PutResult Put(const NewVersion& version, std::variant<NewContent, ContentId> content) override {
    if (auto* fresh = std::get_if<NewContent>(&content)) {
      CheckChunks(*fresh, collection_.fitted ? 0 : collection_.dimension);
    } else if (!MakeStaging().IsUsable(std::get<ContentId>(content))) {
      throw Error(ErrorCode::kNotFound, "no such content in this collection");
    }
    return Staged([&] {
      const ContentId id = std::holds_alternative<ContentId>(content)
                               ? std::get<ContentId>(content)
                               : Store(std::move(std::get<NewContent>(content)));
      const bool replaced = MakeStaging().PutVersion(version, id, context_.clock.UtcMillis());
      return replaced ? PutResult::kReplaced : PutResult::kAdded;
    });
  }

  void PutUnreadable(const UnreadableFile& file, const FileFacts& facts) override {
    Staged([&] { MakeStaging().PutUnreadable(file, facts, context_.clock.UtcMillis()); });
  }

  void UpdateFacts(const std::string& document_id, const FileFacts& facts) override {
    Staged([&] { MakeStaging().UpdateFacts(document_id, facts); });
  }

  void Rename(const std::string& document_id, const SourceKey& key,
              const FileFacts& facts) override {
    Staged([&] { MakeStaging().Rename(document_id, key, facts, context_.clock.UtcMillis()); });
  }

  void Withdraw(const std::string& document_id) override {
    Staged([&] { MakeStaging().Withdraw(document_id); });
  }

  void RecordRoot(const std::string& root) override {
    Staged([&] { MakeStaging().RecordRoot(root); });
  }

  void Commit() override {
    Guarded([&] {
      if (!transaction_) return;
      CommitStep(context_.files, *transaction_, "commit");
      transaction_.reset();
    });
  }

  PublishResult Publish() override {
    Commit();
    return Guarded([&] {
      PublishResult result;
      if (MakeStaging().HasChanges()) {
        PublishPending(MakePublication(), collection_, FinishSegment());
        result.changed = true;
        Reload(collection_.name);
        Tidy();
      }
      result.generation = collection_.published;
      result.documents = CountLive();
      return result;
    });
  }

 private:
  /// Runs `work`; if it throws, the catalog and the segment under construction may differ, so the
  /// job ends here. The next one finds what was committed.
  template <typename Work>
  auto Guarded(Work&& work) -> decltype(work()) {
    if (failed_) throw Error(ErrorCode::kInternal, "this index job failed; start a new one");
    failed_ = true;
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      failed_ = false;
    } else {
      auto result = work();
      failed_ = false;
      return result;
    }
  }

  template <typename Work>
  auto Staged(Work&& work) -> decltype(work()) {
    return Guarded([&] {
      if (!transaction_) transaction_.emplace(catalog_);
      return work();
    });
  }

  ContentId Store(NewContent content) {
    const std::string text_sha256 = ToHex(Sha256(content.text));
    if (const auto equal = MakeStaging().FindEqualContent(content, text_sha256)) return *equal;
    const ContentRow row = MakeStaging().AddContent(content, text_sha256);
    BuildContent build;
    build.content_id = row.id;
    build.first_chunk = row.first_chunk;
    build.title = std::move(content.title);
    build.language = std::move(content.language);
    build.text = std::move(content.text);
    build.chunks.reserve(content.chunks.size());
    for (NewChunk& chunk : content.chunks) {
      build.chunks.push_back({chunk.range, std::move(chunk.heading), std::move(chunk.language),
                              std::move(chunk.vector)});
    }
    if (!builder_) {
      segment_ = {};
      segment_.name = RandomBase32Id();
      segment_.first_content = row.id;
      builder_ =
          std::make_unique<SegmentBuilder>(context_.files, paths_.temporary() / segment_.name,
                                           collection_.dimension, context_.build_threads);
    }
    segment_.last_content = row.id;
    builder_->Add(std::move(build));
    return row.id;
  }

  std::optional<SegmentRow> FinishSegment() {
    if (!builder_) return std::nullopt;
    builder_->Finish(state_.get());
    segment_.collection = collection_.id;
    segment_.embedder = collection_.embedder;
    segment_.chunks = builder_->chunks();
    segment_.analyzer_version = text::kAnalyzerVersion;
    segment_.format = kSegmentFormat;
    builder_.reset();
    segment_.files = DescribeFiles(paths_.temporary() / segment_.name);
    MoveIntoPlace(context_.files, paths_, collection_.collection_id, segment_.name);
    return segment_;
  }

  /// The generation is published whatever happens here, and the next job tries again.
  void Tidy() {
    try {
      MergeIfMany(MakePublication(), collection_);
      Reload(collection_.name);
      if (collection_.fitted && FitIsDue(catalog_, collection_)) {
        Refit(MakePublication(), collection_, *context_.fitting);
      }
    } catch (const Error&) {
      EmptyTemporary(paths_);
    }
    CollectGarbage(paths_, catalog_);
    Reload(collection_.name);
  }

  std::uint64_t CountLive() {
    SqliteStatement row = catalog_.Prepare(
        "SELECT count(*) FROM entry WHERE collection = ? AND content_id IS NOT NULL "
        "AND removed_generation IS NULL");
    row.Bind(1, collection_.id);
    row.Step();
    return static_cast<std::uint64_t>(row.Int(0));
  }

  void Reload(const std::string& name) {
    std::optional<CollectionRow> row = FindCollection(catalog_, name);
    if (!row) throw Error(ErrorCode::kNotFound, "no collection '" + name + "'");
    const bool known =
        row->embedder == collection_.embedder && (state_ == nullptr || fs::exists(state_->path()));
    collection_ = std::move(*row);
    if (known) return;
    state_ = FindState(paths_, catalog_, collection_, context_.fitting);
    if (collection_.base == 0 || state_ != nullptr) return;
    Unfit(MakePublication(), collection_);
    collection_ = *FindCollection(catalog_, name);
  }

  Staging MakeStaging() { return {catalog_, collection_, collection_.published + 1}; }
  Publication MakePublication() { return {paths_, context_, catalog_}; }

  StorePaths paths_;
  StoreContext context_;
  std::unique_ptr<FileLock> lock_;
  SqliteConnection catalog_;
  CollectionRow collection_;
  std::unique_ptr<const FittedState> state_;  // where the collection's embedder has one
  std::optional<SqliteTransaction> transaction_;
  SegmentRow segment_;  // the one under construction
  std::unique_ptr<SegmentBuilder> builder_;
  bool failed_ = false;
};

}  // namespace

void EmptyTemporary(const StorePaths& paths) {
  for (const auto& entry : fs::directory_iterator(paths.temporary())) {
    std::error_code error;
    fs::remove_all(entry.path(), error);
    if (error) throw SystemError(error.value(), "cannot delete", entry.path().native());
  }
}

void CommitStep(FileOps& files, SqliteTransaction& transaction, std::string_view step) {
  files.BeforeStep(step);
  transaction.Commit();
  files.AfterStep(step);
}

std::unique_ptr<IndexJob> StartIndexJob(const StorePaths& paths, StoreContext context,
                                        std::unique_ptr<FileLock> lock,
                                        const std::string& collection, const VectorSource& source,
                                        const EmbeddingWork& work) {
  return std::make_unique<IndexJobImpl>(paths, context, std::move(lock), collection, source, work);
}

}  // namespace sworn::store
