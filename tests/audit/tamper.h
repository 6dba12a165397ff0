// Ways to damage a log on disk, as somebody with write access to the folder would.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "audit/audit_store.h"
#include "audit/checkpoint.h"
#include "audit/merkle_tree.h"
#include "core/crypto.h"
#include "core/sqlite.h"

namespace sworn::audit::test {

/// A writing connection to log.db without its triggers.
class Tamperer {
 public:
  explicit Tamperer(const std::filesystem::path& folder)
      : paths_(folder), log_(paths_.log, SqliteConnection::Mode::kReadWrite) {
    std::vector<std::string> triggers;
    {
      SqliteStatement query = log_.Prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'");
      while (query.Step()) triggers.push_back(query.Text(0));
    }
    log_.Execute("PRAGMA synchronous = OFF");
    for (const std::string& trigger : triggers) log_.Execute("DROP TRIGGER " + trigger);
  }

  SqliteConnection& log() { return log_; }
  void Run(const std::string& sql) { log_.Execute(sql); }

  std::string Bytes(std::uint64_t index) {
    SqliteStatement query = log_.Prepare("SELECT bytes FROM entry WHERE idx = ?");
    query.Bind(1, static_cast<std::int64_t>(index));
    return query.Step() ? query.Text(0) : "";
  }
  void SetBytes(std::uint64_t index, const std::string& bytes) {
    log_.Prepare("UPDATE entry SET bytes = ? WHERE idx = ?")
        .BindBlob(1, bytes)
        .Bind(2, static_cast<std::int64_t>(index))
        .Run();
  }
  /// Exchanges what two entries hold, their derived columns too.
  void Swap(std::uint64_t a, std::uint64_t b) {
    const std::string first = std::to_string(a);
    const std::string second = std::to_string(b);
    Run("DROP INDEX entry_outcome");
    Run("UPDATE entry SET idx = -1 WHERE idx = " + first);
    Run("UPDATE entry SET idx = " + first + " WHERE idx = " + second);
    Run("UPDATE entry SET idx = " + second + " WHERE idx = -1");
  }
  /// Stores the tree that the entries have now: what a careful forger does.
  void RebuildNodes() {
    Run("DELETE FROM node");
    MerkleFrontier tree;
    SqliteStatement entries = log_.Prepare("SELECT bytes FROM entry ORDER BY idx");
    SqliteStatement add = log_.Prepare("INSERT INTO node VALUES(?, ?, ?)");
    while (entries.Step()) {
      for (const TreeNode& node : tree.Append(HashLeaf(entries.Bytes(0)))) {
        add.Bind(1, static_cast<std::int64_t>(node.level))
            .Bind(2, static_cast<std::int64_t>(node.position))
            .BindBlob(3, {reinterpret_cast<const char*>(node.hash.data()), node.hash.size()})
            .Run();
      }
    }
  }
  /// Signs every stored checkpoint again for the entries that are there.
  void SignAgain(const SigningKey& key, const std::string& origin) {
    AuditStore store(paths_.log, SqliteConnection::Mode::kReadOnly);
    std::vector<std::uint64_t> sizes;
    {
      SqliteStatement query = log_.Prepare("SELECT size FROM checkpoint ORDER BY size");
      while (query.Step()) sizes.push_back(static_cast<std::uint64_t>(query.Int(0)));
    }
    for (const std::uint64_t size : sizes) {
      const std::string note = SignCheckpoint({origin, size, RootAt(size, store.Nodes())}, key);
      log_.Prepare("UPDATE checkpoint SET note = ? WHERE size = ?")
          .Bind(1, std::string_view(note))
          .Bind(2, static_cast<std::int64_t>(size))
          .Run();
    }
  }

 private:
  LogPaths paths_;
  SqliteConnection log_;
};

}  // namespace sworn::audit::test
