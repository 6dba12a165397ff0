#include "audit/audit_store.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

#include "core/error.h"

namespace sworn::audit {
namespace {

// Rows are only ever added: the authorizer of the writing connection refuses UPDATE and DELETE, the
// triggers refuse them for every other connection, and also the silent DELETE of INSERT OR REPLACE,
// which no authorizer is asked about.
constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS entry(
  idx INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  outcome_of INTEGER,
  first_open INTEGER NOT NULL,
  bytes BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS entry_outcome ON entry(outcome_of) WHERE outcome_of IS NOT NULL;
CREATE TABLE IF NOT EXISTS node(
  level INTEGER NOT NULL,
  position INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY(level, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoint(
  size INTEGER PRIMARY KEY,
  note TEXT NOT NULL);

CREATE TRIGGER IF NOT EXISTS entry_in_order BEFORE INSERT ON entry
  WHEN NEW.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM entry)
  BEGIN SELECT RAISE(ABORT, 'entries are appended in order'); END;
CREATE TRIGGER IF NOT EXISTS node_once BEFORE INSERT ON node
  WHEN EXISTS(SELECT 1 FROM node WHERE level = NEW.level AND position = NEW.position)
  BEGIN SELECT RAISE(ABORT, 'a node is written once'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_in_order BEFORE INSERT ON checkpoint
  WHEN NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoint)
  BEGIN SELECT RAISE(ABORT, 'checkpoints are appended in order'); END;
CREATE TRIGGER IF NOT EXISTS entry_no_update BEFORE UPDATE ON entry
  BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entry_no_delete BEFORE DELETE ON entry
  BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS node_no_update BEFORE UPDATE ON node
  BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS node_no_delete BEFORE DELETE ON node
  BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_no_update BEFORE UPDATE ON checkpoint
  BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_no_delete BEFORE DELETE ON checkpoint
  BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
)sql";

std::int64_t Signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t Unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::string_view View(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

LogPaths::LogPaths(const std::filesystem::path& folder)
    : audit(folder / "audit"),
      log(audit / "log.db"),
      payload(audit / "payload.db"),
      head(audit / "head"),
      append_lock(audit / "append.lock"),
      signing_key(folder / "keys" / "audit.ed25519"),
      verifier_key(folder / "keys" / "audit.pub"),
      run(folder / "run") {}

std::filesystem::path LogPaths::IntentLock(std::uint64_t index) const {
  return run / ("intent-" + std::to_string(index) + ".lock");
}

void CreatePrivateFile(const std::filesystem::path& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) throw SystemError(errno, "cannot create", file.native());
}

AuditStore::AuditStore(const std::filesystem::path& file, SqliteConnection::Mode mode)
    : connection_(file, mode) {
  if (mode == SqliteConnection::Mode::kReadOnly) return;
  {
    SqliteStatement journal = connection_.Prepare("PRAGMA journal_mode = WAL");
    if (!journal.Step() || journal.Bytes(0) != "wal") {
      throw Error(ErrorCode::kAuditUnavailable,
                  "the file system of '" + file.native() + "' does not allow a write-ahead log");
    }
  }
  connection_.Execute("PRAGMA synchronous = FULL");
  connection_.Execute(kSchema);
  connection_.RestrictToAppend();
}

std::uint64_t AuditStore::Size() {
  SqliteStatement query = connection_.Prepare("SELECT coalesce(max(idx) + 1, 0) FROM entry");
  query.Step();
  return Unsigned(query.Int(0));
}

EntryRow AuditStore::Entry(std::uint64_t index) {
  SqliteStatement query =
      connection_.Prepare("SELECT bytes, outcome_of, first_open FROM entry WHERE idx = ?");
  query.Bind(1, Signed(index));
  if (!query.Step()) {
    throw Error(ErrorCode::kNotFound, "the audit log has no entry " + std::to_string(index));
  }
  return {index, query.Text(0), query.OptionalInt<std::uint64_t>(1), Unsigned(query.Int(2))};
}

std::optional<Sha256Digest> AuditStore::FindNode(unsigned level, std::uint64_t position) {
  if (!node_) {
    node_.emplace(connection_.Prepare("SELECT hash FROM node WHERE level = ? AND position = ?"));
  }
  node_->Bind(1, static_cast<std::int64_t>(level)).Bind(2, Signed(position));
  std::optional<Sha256Digest> hash;
  if (node_->Step() && node_->Bytes(0).size() == Sha256Digest().size()) {
    const std::string_view bytes = node_->Bytes(0);
    std::copy(bytes.begin(), bytes.end(), hash.emplace().begin());
  }
  node_->Reset();
  return hash;
}

Sha256Digest AuditStore::Node(unsigned level, std::uint64_t position) {
  const auto hash = FindNode(level, position);
  if (!hash) {
    throw Error(ErrorCode::kIntegrity, "the audit log lacks node " + std::to_string(position) +
                                           " of level " + std::to_string(level));
  }
  return *hash;
}

NodeReader AuditStore::Nodes() {
  return [this](unsigned level, std::uint64_t position) { return Node(level, position); };
}

std::optional<StoredCheckpoint> AuditStore::NewestCheckpoint() {
  SqliteStatement query =
      connection_.Prepare("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1");
  if (!query.Step()) return std::nullopt;
  return StoredCheckpoint{Unsigned(query.Int(0)), query.Text(1)};
}

std::optional<std::uint64_t> AuditStore::NextOpenIntent(std::uint64_t from,
                                                        std::optional<std::uint64_t> settled) {
  SqliteStatement query = connection_.Prepare(
      "SELECT idx FROM entry AS intent WHERE idx >= ?1 AND type = ?2 AND idx IS NOT ?3 AND NOT "
      "EXISTS(SELECT 1 FROM entry WHERE outcome_of = intent.idx) ORDER BY idx LIMIT 1");
  query.Bind(1, Signed(from)).Bind(2, static_cast<std::int64_t>(EntryType::kIntent));
  query.BindOptional(3, settled);
  if (!query.Step()) return std::nullopt;
  return Unsigned(query.Int(0));
}

bool AuditStore::HasOutcome(std::uint64_t intent) {
  SqliteStatement query = connection_.Prepare("SELECT 1 FROM entry WHERE outcome_of = ?");
  query.Bind(1, Signed(intent));
  return query.Step();
}

std::uint64_t AuditStore::NodeCount() {
  SqliteStatement query = connection_.Prepare("SELECT count(*) FROM node");
  query.Step();
  return Unsigned(query.Int(0));
}

void AuditStore::AddEntry(const EntryRow& row, EntryType type) {
  SqliteStatement add = connection_.Prepare(
      "INSERT INTO entry(idx, type, outcome_of, first_open, bytes) VALUES(?, ?, ?, ?, ?)");
  add.Bind(1, Signed(row.index)).Bind(2, static_cast<std::int64_t>(type));
  add.BindOptional(3, row.outcome_of).Bind(4, Signed(row.first_open)).BindBlob(5, row.bytes).Run();
}

void AuditStore::AddNode(const TreeNode& node) {
  if (!add_node_) {
    add_node_.emplace(
        connection_.Prepare("INSERT INTO node(level, position, hash) VALUES(?, ?, ?)"));
  }
  add_node_->Bind(1, static_cast<std::int64_t>(node.level)).Bind(2, Signed(node.position));
  add_node_->BindBlob(3, View(node.hash)).Run();
}

void AuditStore::AddCheckpoint(const StoredCheckpoint& checkpoint) {
  SqliteStatement add = connection_.Prepare("INSERT INTO checkpoint(size, note) VALUES(?, ?)");
  add.Bind(1, Signed(checkpoint.size)).Bind(2, std::string_view(checkpoint.note)).Run();
}

}  // namespace sworn::audit
