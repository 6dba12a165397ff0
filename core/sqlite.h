// SQLite behind RAII: connection, statement, transaction. Used by store/ and audit/ only.
//
// Every failure throws Error; SQLITE_FULL becomes kNoSpace, SQLITE_BUSY kBusy, SQLITE_CORRUPT and
// SQLITE_NOTADB kIntegrity. A connection and its statements belong to one thread at a time.
//
// SQLite 3.7.0 to 3.51.2 can lose a WAL reset when two connections write and checkpoint at once
// (Debian ships 3.40.1). So each file has one writing connection at a time, guarded by an flock of
// its owner, and readers (kReadOnly) never checkpoint, not even on close.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sworn {

class SqliteStatement;

class SqliteConnection {
 public:
  enum class Mode {
    kReadOnly,
    kReadWrite,  // creates the file when missing
  };
  SqliteConnection(const std::filesystem::path& path, Mode mode);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  /// One or more statements without parameters or results.
  void Execute(const std::string& sql);

  /// Prepares a statement once; keep it for repeated use.
  SqliteStatement Prepare(std::string_view sql);

  [[nodiscard]] std::int64_t LastInsertId() const;
  /// Rows that the last statement changed.
  [[nodiscard]] std::int64_t Changes() const;

  /// From here on an authorizer refuses everything but SELECT, INSERT and transactions, with
  /// Error(kDenied). SQLite does not ask it about the row that INSERT OR REPLACE displaces: a table
  /// that must keep its rows needs a BEFORE INSERT trigger too (audit/ has them).
  void RestrictToAppend();

  /// "PRAGMA quick_check" and foreign keys: nothing when clean, else the first fault in words.
  std::optional<std::string> FindDamage();

  /// Copies the whole database into a new file with SQLite's online backup.
  void BackupTo(const std::filesystem::path& path);

  [[nodiscard]] sqlite3* handle() const noexcept { return handle_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

/// A prepared statement. Bind 1-based parameters, Step while it returns true, read 0-based columns.
class SqliteStatement {
 public:
  SqliteStatement(SqliteConnection& connection, std::string_view sql);
  ~SqliteStatement();
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  SqliteStatement(const SqliteStatement&) = delete;

  SqliteStatement& Bind(int index, std::int64_t value);
  SqliteStatement& Bind(int index, double value);
  SqliteStatement& Bind(int index, std::string_view text);
  SqliteStatement& BindBlob(int index, std::string_view bytes);
  SqliteStatement& BindNull(int index);
  template <typename T>
  SqliteStatement& BindOptional(int index, const std::optional<T>& value) {
    return value ? Bind(index, static_cast<std::int64_t>(*value)) : BindNull(index);
  }

  /// True while there is a row.
  bool Step();
  /// Step for statements without rows, then Reset.
  void Run();
  /// Ready for new parameters.
  void Reset();

  [[nodiscard]] std::int64_t Int(int column) const;
  [[nodiscard]] double Real(int column) const;
  /// Text or blob; valid until the next Step or Reset.
  [[nodiscard]] std::string_view Bytes(int column) const;
  [[nodiscard]] std::string Text(int column) const { return std::string(Bytes(column)); }
  [[nodiscard]] bool IsNull(int column) const;
  template <typename T>
  [[nodiscard]] std::optional<T> OptionalInt(int column) const {
    if (IsNull(column)) return std::nullopt;
    return static_cast<T>(Int(column));
  }

 private:
  SqliteConnection* connection_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Rolls back unless Commit was called.
class SqliteTransaction {
 public:
  enum class Kind { kDeferred, kImmediate };
  explicit SqliteTransaction(SqliteConnection& connection, Kind kind = Kind::kImmediate);
  ~SqliteTransaction();
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;

  void Commit();

 private:
  SqliteConnection& connection_;
  bool open_ = true;
};

}  // namespace sworn
