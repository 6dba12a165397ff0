#include "core/sqlite.h"

#include <utility>

#include <sqlite3.h>

#include "core/error.h"

namespace sworn {
namespace {

// Readers may meet a writer that is switching the WAL; that lasts milliseconds.
constexpr int kBusyTimeoutMs = 2000;

ErrorCode CodeOf(int result) {
  switch (result & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::kNoSpace;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kBusy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kIntegrity;
    case SQLITE_AUTH:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return ErrorCode::kDenied;
    default:
      return ErrorCode::kInternal;
  }
}

[[noreturn]] void Throw(sqlite3* handle, int result, const std::string& file) {
  throw Error(CodeOf(result),
              file + ": " + (handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(result)));
}

int AllowAppendOnly(void* /*context*/, int action, const char* /*first*/, const char* /*second*/,
                    const char* /*database*/, const char* /*trigger*/) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_RECURSIVE:
    case SQLITE_FUNCTION:
      return SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

}  // namespace

SqliteConnection::SqliteConnection(const std::filesystem::path& path, Mode mode) : path_(path) {
  const int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int result = sqlite3_open_v2(path.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (result != SQLITE_OK) {
    const std::string reason = sqlite3_errstr(result);
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    throw Error(CodeOf(result), "cannot open '" + path.native() + "': " + reason);
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  if (mode == Mode::kReadOnly) {
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_wal_autocheckpoint(handle_, 0);
  }
}

SqliteConnection::~SqliteConnection() { sqlite3_close_v2(handle_); }

void SqliteConnection::Execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) Throw(handle_, result, path_.native());
}

SqliteStatement SqliteConnection::Prepare(std::string_view sql) { return {*this, sql}; }

std::int64_t SqliteConnection::LastInsertId() const { return sqlite3_last_insert_rowid(handle_); }

std::int64_t SqliteConnection::Changes() const { return sqlite3_changes64(handle_); }

void SqliteConnection::RestrictToAppend() {
  sqlite3_set_authorizer(handle_, AllowAppendOnly, nullptr);
}

std::optional<std::string> SqliteConnection::FindDamage() {
  SqliteStatement check = Prepare("PRAGMA quick_check(1)");
  if (check.Step() && check.Bytes(0) != "ok") return check.Text(0);
  SqliteStatement keys = Prepare("PRAGMA foreign_key_check");
  if (keys.Step()) return "a row of table " + keys.Text(0) + " refers to nothing";
  return std::nullopt;
}

void SqliteConnection::BackupTo(const std::filesystem::path& path) {
  SqliteConnection target(path, Mode::kReadWrite);
  sqlite3_backup* backup = sqlite3_backup_init(target.handle_, "main", handle_, "main");
  if (backup == nullptr) Throw(target.handle_, sqlite3_errcode(target.handle_), path.native());
  const int result = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (result != SQLITE_DONE) Throw(target.handle_, result, path.native());
}

SqliteStatement::SqliteStatement(SqliteConnection& connection, std::string_view sql)
    : connection_(&connection) {
  const int result =
      sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (result != SQLITE_OK) Throw(connection.handle(), result, connection.path().native());
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(handle_); }

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : connection_(other.connection_), handle_(std::exchange(other.handle_, nullptr)) {}

namespace {

void CheckBind(int result, const SqliteConnection& connection) {
  if (result != SQLITE_OK) Throw(connection.handle(), result, connection.path().native());
}

}  // namespace

SqliteStatement& SqliteStatement::Bind(int index, std::int64_t value) {
  CheckBind(sqlite3_bind_int64(handle_, index, value), *connection_);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int index, double value) {
  CheckBind(sqlite3_bind_double(handle_, index, value), *connection_);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int index, std::string_view text) {
  CheckBind(sqlite3_bind_text64(handle_, index, text.data() == nullptr ? "" : text.data(),
                                text.size(), SQLITE_TRANSIENT, SQLITE_UTF8),
            *connection_);
  return *this;
}

SqliteStatement& SqliteStatement::BindBlob(int index, std::string_view bytes) {
  CheckBind(sqlite3_bind_blob64(handle_, index, bytes.data() == nullptr ? "" : bytes.data(),
                                bytes.size(), SQLITE_TRANSIENT),
            *connection_);
  return *this;
}

SqliteStatement& SqliteStatement::BindNull(int index) {
  CheckBind(sqlite3_bind_null(handle_, index), *connection_);
  return *this;
}

bool SqliteStatement::Step() {
  const int result = sqlite3_step(handle_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  Throw(connection_->handle(), result, connection_->path().native());
}

void SqliteStatement::Run() {
  while (Step()) {
  }
  Reset();
}

void SqliteStatement::Reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

std::int64_t SqliteStatement::Int(int column) const {
  return sqlite3_column_int64(handle_, column);
}

double SqliteStatement::Real(int column) const { return sqlite3_column_double(handle_, column); }

std::string_view SqliteStatement::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

SqliteTransaction::SqliteTransaction(SqliteConnection& connection, Kind kind)
    : connection_(connection) {
  connection_.Execute(kind == Kind::kImmediate ? "BEGIN IMMEDIATE" : "BEGIN");
}

SqliteTransaction::~SqliteTransaction() {
  if (open_) sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void SqliteTransaction::Commit() {
  connection_.Execute("COMMIT");
  open_ = false;
}

}  // namespace sworn
