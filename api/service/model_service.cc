#include "api/service/model_service.h"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "api/service/download.h"
#include "core/crypto.h"
#include "core/error.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kCopyBytes = std::size_t{1} << 20;
constexpr std::size_t kNameBytes = 16;  // of a digest, enough to tell addresses apart

// Models that can be pulled by name: where a mirror of their publisher has them, and their digest.
struct KnownModel {
  const char* id;
  const char* path;
  const char* sha256;
};
constexpr std::array kKnownModels = {KnownModel{
    "bitnet-b1.58-2b-4t", "microsoft/bitnet-b1.58-2B-4T-gguf/resolve/main/ggml-model-i2_s.gguf",
    "4221b252fdd5fd25e15847adfeb5ee88886506ba50b8a34548374492884c2162"}};

// A file that goes away unless it is taken.
class Staged {
 public:
  explicit Staged(fs::path path) : path_(std::move(path)) {}
  ~Staged() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void CheckNew(const ModelRegistry& registry, const std::string& id) {
  if (!IsModelId(id)) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + id + "' is no model id: 1 to 64 of a-z, 0-9, ., _ and -; --id gives one");
  }
  if (registry.Find(id)) {
    throw Error(ErrorCode::kConflict,
                "there is a model '" + id + "' already; --id gives another name");
  }
}

void CheckDigestText(const std::string& sha256) {
  if (!sha256.empty()) DigestFromHex(sha256);
}

void CopyFile(const fs::path& from, const fs::path& to, std::uint64_t max_bytes, FileOps& ops,
              const ProgressSink& progress, const CancelFlag& cancel) {
  const FileDescriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.valid()) throw SystemError(errno, "cannot read", from.native());
  const FileDescriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out.valid()) throw SystemError(errno, "cannot write", to.native());
  IndexProgress state;
  state.phase = "copying";
  state.total = fs::file_size(from);
  std::string buffer(kCopyBytes, '\0');
  for (;;) {
    cancel.ThrowIfCancelled();
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(errno, "cannot read", from.native());
    if (got == 0) break;
    state.done += static_cast<std::uint64_t>(got);
    if (state.done > max_bytes) {
      throw Error(ErrorCode::kTooLarge, "'" + from.native() + "' is larger than " +
                                            std::to_string(max_bytes) + " bytes (max_model_bytes)");
    }
    ops.Write(out.get(), {buffer.data(), static_cast<std::size_t>(got)}, to);
    progress(state);
  }
}

void CheckDigest(const Components& parts, const fs::path& path, const std::string& wanted) {
  if (wanted.empty()) return;
  const std::string found = parts.models.digest(path);
  if (found != wanted) {
    throw Error(ErrorCode::kIntegrity, "'" + path.native() + "' has sha256 " + found + ", not " +
                                           wanted + "; it was not taken");
  }
}

ModelEntry Take(Components& parts, audit::AuditLog& log, const Staged& staged, ModelEntry entry) {
  entry.architecture = parts.models.inspect(staged.path(), entry.id).architecture;
  entry = parts.registry->Add(staged.path(), std::move(entry), "");
  log.Append(audit::ConfigEvent({{"model_added",
                                  {{"id", entry.id},
                                   {"sha256", entry.sha256},
                                   {"bytes", entry.bytes},
                                   {"source", entry.source}}}}));
  return entry;
}

// Takes what `path` holds, in the engine's own layout.
ModelEntry Convert(Components& parts, audit::AuditLog& log, const fs::path& path, ModelEntry entry,
                   bool int8, const ProgressSink& progress, const CancelFlag& cancel) {
  const Staged converted(parts.registry->StagingFolder() / (RandomBase32Id() + ".gguf"));
  parts.models.convert(path, converted.path(), int8, progress, cancel);
  return Take(parts, log, converted, std::move(entry));
}

// What is known of an embedder's use, and what the request says instead.
std::optional<ModelEmbedding> EmbeddingOf(const Components& parts, const ModelFacts& facts,
                                          const ModelImportRequest& request) {
  const bool asked =
      request.query_prefix || request.passage_prefix || request.pooling || request.storage;
  if (!facts.embedding) {
    if (!asked && !request.int8) return std::nullopt;
    throw Error(ErrorCode::kInvalidArgument,
                "prefixes, pooling and the like are of embedding models; this " +
                    facts.architecture + " model writes text");
  }
  ModelEmbedding embedding = *facts.embedding;
  embedding.query_prefix = request.query_prefix.value_or(embedding.query_prefix);
  embedding.passage_prefix = request.passage_prefix.value_or(embedding.passage_prefix);
  embedding.pooling = request.pooling.value_or(embedding.pooling);
  embedding.storage = request.storage.value_or(embedding.storage);
  parts.models.check_embedding(facts, embedding);
  CheckEmbedding(embedding);
  return embedding;
}

}  // namespace

ModelEntry ImportModel(Components& parts, audit::AuditLog& log, const ModelImportRequest& request,
                       const ProgressSink& progress, const CancelFlag& cancel) {
  std::error_code absent;
  const fs::path path = fs::canonical(request.path, absent);
  if (absent) throw Error(ErrorCode::kNotFound, "there is no '" + request.path.native() + "'");
  ModelEntry entry;
  entry.id = request.id.empty() ? SuggestModelId(path.native()) : request.id;
  entry.source = path.native();
  CheckNew(*parts.registry, entry.id);
  CheckDigestText(request.sha256);
  // Before a gigabyte is copied.
  const ModelFacts facts = parts.models.inspect(path, path.filename().native());
  entry.embedding = EmbeddingOf(parts, facts, request);
  CheckDigest(parts, path, request.sha256);
  const bool is_gguf = fs::is_regular_file(path) && path.extension() != ".safetensors";
  if (facts.needs_conversion || request.pack || request.int8 || !is_gguf) {
    return Convert(parts, log, path, std::move(entry), request.int8, progress, cancel);
  }
  const Staged staged(parts.registry->StagingFolder() / (RandomBase32Id() + ".gguf"));
  CopyFile(path, staged.path(), parts.config.max_model_bytes, parts.files, progress, cancel);
  return Take(parts, log, staged, std::move(entry));
}

PullSource ResolvePull(const std::string& what, const std::string& base_url) {
  if (what.find("://") != std::string::npos) return {what, SuggestModelId(what), ""};
  if (base_url.empty()) {
    throw Error(ErrorCode::kNotConfigured,
                "'" + what +
                    "' is a name, and no address is configured to look for it: give --base-url, "
                    "set model_base_url, or give the whole address");
  }
  std::string base = base_url;
  while (base.ends_with('/')) base.pop_back();
  for (const KnownModel& known : kKnownModels) {
    if (what == known.id) return {base + '/' + known.path, what, known.sha256};
  }
  return {base + '/' + what + ".gguf", SuggestModelId(what), ""};
}

ModelEntry PullModel(Components& parts, audit::AuditLog& log, const ModelPullRequest& request,
                     const ProgressSink& progress, const CancelFlag& cancel) {
  if (!CanDownload()) Download({}, parts.files, {}, cancel);  // says so
  CheckDigestText(request.sha256);
  const PullSource source = ResolvePull(
      request.what, request.base_url.empty() ? parts.config.model_base_url : request.base_url);
  ModelEntry entry;
  entry.id = request.id.empty() ? source.id : request.id;
  entry.source = source.url;
  CheckNew(*parts.registry, entry.id);
  const std::string name = ToHex(Sha256(source.url)).substr(0, kNameBytes);
  DownloadRequest download;
  download.url = source.url;
  download.part = parts.registry->StagingFolder() / (name + ".part");
  download.max_bytes = parts.config.max_model_bytes;
  const auto lock = FileLock::TryAcquire(parts.registry->StagingFolder() / (name + ".lock"),
                                         FileLock::Mode::kExclusive, {});
  if (lock == nullptr) throw Error(ErrorCode::kBusy, "another process downloads this model");
  IndexProgress state;
  state.phase = "downloading";
  Download(
      download, parts.files,
      [&](std::uint64_t done, std::uint64_t total) {
        state.done = done;
        state.total = total;
        progress(state);
      },
      cancel);
  // From here on the part is of no more use, whatever it turns out to be.
  const Staged staged(download.part);
  CheckDigest(parts, staged.path(), request.sha256.empty() ? source.sha256 : request.sha256);
  const ModelFacts facts = parts.models.inspect(staged.path(), source.id);
  entry.embedding = facts.embedding;
  if (facts.needs_conversion) {
    return Convert(parts, log, staged.path(), std::move(entry), false, progress, cancel);
  }
  return Take(parts, log, staged, std::move(entry));
}

ModelEntry RemoveModel(Components& parts, audit::AuditLog& log, const std::string& id) {
  ModelEntry entry = parts.registry->Remove(id);
  log.Append(audit::ConfigEvent({{"model_removed", {{"id", id}, {"sha256", entry.sha256}}}}));
  return entry;
}

}  // namespace sworn::service
