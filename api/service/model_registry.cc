#include "api/service/model_registry.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "core/crypto.h"
#include "core/error.h"
#include "core/text/unicode.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kManifestFormat = 1;
constexpr std::array<std::string_view, 3> kReservedIds = {"extractive", "lsa", "hashing"};
constexpr std::chrono::milliseconds kLockWait{2000};
constexpr mode_t kPrivateMode = 0600;

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

Error Damaged(const fs::path& manifest, const std::string& what) {
  return {ErrorCode::kIntegrity, "'" + manifest.native() + "' is damaged: " + what};
}

json ToJson(const ModelEntry& entry) {
  json value = {{"file", entry.file},
                {"sha256", entry.sha256},
                {"bytes", entry.bytes},
                {"architecture", entry.architecture},
                {"imported_at", FormatRfc3339(entry.imported_ms)},
                {"source", entry.source}};
  if (entry.embedding) {
    value["embedding"] = {{"query_prefix", entry.embedding->query_prefix},
                          {"passage_prefix", entry.embedding->passage_prefix},
                          {"pooling", entry.embedding->pooling},
                          {"storage", entry.embedding->storage}};
  }
  return value;
}

ModelEntry EntryOf(const std::string& id, const json& value) {
  ModelEntry entry;
  entry.id = id;
  entry.file = value.at("file").get<std::string>();
  entry.sha256 = value.at("sha256").get<std::string>();
  entry.bytes = value.at("bytes").get<std::uint64_t>();
  entry.architecture = value.at("architecture").get<std::string>();
  entry.imported_ms = ParseRfc3339(value.at("imported_at").get<std::string>());
  entry.source = value.at("source").get<std::string>();
  if (const auto found = value.find("embedding"); found != value.end()) {
    entry.embedding = {found->at("query_prefix").get<std::string>(),
                       found->at("passage_prefix").get<std::string>(),
                       found->at("pooling").get<std::string>(),
                       found->at("storage").get<std::string>()};
    CheckEmbedding(*entry.embedding);
  }
  return entry;
}

// A manifest names files beside it and nothing else.
bool IsPlainName(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

void SyncAndProtect(FileOps& ops, const fs::path& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) throw SystemError(errno, "cannot read", file.native());
  if (::fchmod(fd.get(), kPrivateMode) != 0) {
    throw SystemError(errno, "cannot protect", file.native());
  }
  ops.SyncFile(fd.get(), file);
}

}  // namespace

bool IsModelId(std::string_view id) noexcept {
  if (id.empty() || id.size() > kMaxModelIdBytes) return false;
  if (std::find(kReservedIds.begin(), kReservedIds.end(), id) != kReservedIds.end()) return false;
  return IsLetterOrDigit(id.front()) && std::all_of(id.begin(), id.end(), [](char c) {
           return IsLetterOrDigit(c) || c == '.' || c == '_' || c == '-';
         });
}

void CheckEmbedding(const ModelEmbedding& embedding) {
  for (const std::string& prefix : {embedding.query_prefix, embedding.passage_prefix}) {
    if (prefix.size() > kMaxPrefixBytes || !text::IsValidUtf8(prefix)) {
      throw Error(ErrorCode::kInvalidArgument, "a prefix of texts is UTF-8 of at most " +
                                                   std::to_string(kMaxPrefixBytes) + " bytes");
    }
  }
}

std::string SuggestModelId(std::string_view name) {
  name = name.substr(0, name.find_first_of("?#"));
  while (!name.empty() && name.back() == '/') name.remove_suffix(1);
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  for (const std::string_view extension : {".gguf", ".safetensors"}) {
    if (name.ends_with(extension)) name.remove_suffix(extension.size());
  }
  std::string id;
  for (const char c : name.substr(0, kMaxModelIdBytes)) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool keep = IsLetterOrDigit(lower) || lower == '.' || lower == '_';
    if (keep || (!id.empty() && id.back() != '-')) id.push_back(keep ? lower : '-');
  }
  while (!id.empty() && !IsLetterOrDigit(id.front())) id.erase(0, 1);
  while (!id.empty() && !IsLetterOrDigit(id.back())) id.pop_back();
  return id;
}

ModelRegistry::ModelRegistry(const fs::path& kb, FileOps& ops, const Clock& clock)
    : folder_(kb / "models"), ops_(ops), clock_(clock) {}

std::map<std::string, ModelEntry> ModelRegistry::Read() const {
  const fs::path manifest = folder_ / "manifest.json";
  std::map<std::string, ModelEntry> models;
  if (!fs::exists(manifest)) return models;
  const json parsed = json::parse(ReadFile(manifest, kMaxManifestBytes), nullptr, false);
  try {
    const int format = parsed.at("format").get<int>();
    if (format > kManifestFormat) {
      throw Error(ErrorCode::kNotConfigured,
                  "'" + manifest.native() + "' was made by a newer Sworn");
    }
    for (const auto& [id, value] : parsed.at("models").items()) {
      ModelEntry entry = EntryOf(id, value);
      if (!IsModelId(id)) throw Damaged(manifest, "bad id");
      if (!IsPlainName(entry.file)) throw Damaged(manifest, "bad file name of '" + id + "'");
      DigestFromHex(entry.sha256);
      models.emplace(id, std::move(entry));
    }
  } catch (const json::exception& error) {
    throw Damaged(manifest, error.what());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) throw;
    throw Damaged(manifest, error.what());
  }
  return models;
}

void ModelRegistry::Write(const std::map<std::string, ModelEntry>& models) const {
  json list = json::object();
  for (const auto& [id, entry] : models) list[id] = ToJson(entry);
  const json manifest = {{"format", kManifestFormat}, {"models", list}};
  // A source may be a path, which need not be UTF-8.
  WriteFileDurably(ops_, folder_ / "manifest.json",
                   manifest.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

std::unique_ptr<FileLock> ModelRegistry::Lock() const {
  CreatePrivateFolder(folder_);
  auto lock = FileLock::TryAcquire(folder_ / "lock", FileLock::Mode::kExclusive, kLockWait);
  if (lock == nullptr) throw Error(ErrorCode::kBusy, "another process changes the models");
  return lock;
}

std::vector<ModelEntry> ModelRegistry::List() const {
  std::vector<ModelEntry> entries;
  for (auto& [id, entry] : Read()) entries.push_back(entry);
  return entries;
}

std::optional<ModelEntry> ModelRegistry::Find(const std::string& id) const {
  const auto models = Read();
  const auto found = models.find(id);
  if (found == models.end()) return std::nullopt;
  return found->second;
}

ModelEntry ModelRegistry::Get(const std::string& id) const {
  std::optional<ModelEntry> entry = Find(id);
  if (!entry) {
    throw Error(ErrorCode::kNotConfigured,
                "model '" + id + "' is not installed; `sworn model list` shows those that are");
  }
  return std::move(*entry);
}

fs::path ModelRegistry::PathOf(const ModelEntry& entry) const { return folder_ / entry.file; }

fs::path ModelRegistry::StagingFolder() const {
  fs::path staging = folder_ / "staging";
  CreatePrivateFolder(staging);
  return staging;
}

ModelEntry ModelRegistry::Add(const fs::path& staged, ModelEntry entry,
                              const std::string& wanted_sha256) {
  if (!IsModelId(entry.id)) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + entry.id + "' is no model id: 1 to 64 of a-z, 0-9, ., _ and -");
  }
  entry.sha256 = ToHex(Sha256OfFile(staged.native()));
  if (!wanted_sha256.empty() && entry.sha256 != wanted_sha256) {
    throw Error(ErrorCode::kIntegrity, "the file has sha256 " + entry.sha256 + ", not " +
                                           wanted_sha256 + "; it was not taken");
  }
  entry.bytes = fs::file_size(staged);
  entry.file = entry.id + ".gguf";
  entry.imported_ms = clock_.UtcMillis();
  const auto lock = Lock();
  auto models = Read();
  if (models.contains(entry.id)) {
    throw Error(ErrorCode::kConflict,
                "there is a model '" + entry.id + "' already; --id gives another name");
  }
  if (models.size() >= kMaxModels) throw Error(ErrorCode::kTooLarge, "too many models");
  SyncAndProtect(ops_, staged);
  ops_.Rename(staged, PathOf(entry));
  ops_.SyncFolder(folder_);
  models[entry.id] = entry;
  Write(models);
  return entry;
}

ModelEntry ModelRegistry::Remove(const std::string& id) {
  ModelEntry entry = Get(id);
  const auto lock = Lock();
  auto models = Read();
  models.erase(id);
  Write(models);
  std::error_code ignored;
  fs::remove(PathOf(entry), ignored);  // nobody names it any more
  return entry;
}

void ModelRegistry::Verify(const ModelEntry& entry) const {
  const fs::path file = PathOf(entry);
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(file, error);
  if (error) {
    throw Error(ErrorCode::kIntegrity,
                "model '" + entry.id + "': its file '" + file.native() + "' is missing");
  }
  if (bytes != entry.bytes) {
    throw Error(ErrorCode::kIntegrity, "model '" + entry.id + "' has " + std::to_string(bytes) +
                                           " bytes, not " + std::to_string(entry.bytes));
  }
  const std::string found = ToHex(Sha256OfFile(file.native()));
  if (found != entry.sha256) {
    throw Error(ErrorCode::kIntegrity, "model '" + entry.id + "' has sha256 " + found +
                                           ", not the pinned " + entry.sha256);
  }
}

}  // namespace sworn::service
