// Keys and values of the beginnings of earlier prompts, kept so that a prompt that begins in the
// same way need not compute them again.
//
// A tree over full pages: a node is 64 tokens behind those of its parent. Nodes are found by
// comparing the tokens themselves, so what is handed out was computed from exactly these tokens.
#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/graph/kv_cache.h"
#include "llm/text/tokenizer.h"

namespace sworn::llm {

/// Thread-safe. Belongs to one model and one kernel table. Prompts of one partition never see what
/// those of another have stored: how long a prompt takes would tell what others have read.
class PrefixTree {
 public:
  using Pages = std::vector<std::shared_ptr<const KvPage>>;

  /// Pages of at most `budget_bytes` are kept, those longest unused dropped first; 0 keeps none.
  /// A page that a generation still uses lives on with it.
  explicit PrefixTree(std::size_t budget_bytes);
  ~PrefixTree();

  /// The stored pages that begin `tokens`, without a gap from position 0; perhaps none.
  [[nodiscard]] Pages Find(std::string_view partition, std::span<const Token> tokens);

  /// Stores pages[i], which holds positions 64i to 64i + 63 of `tokens` and will not change. Pages
  /// that are there already are kept as they are; what the budget does not hold is left out from
  /// the end. `tokens` has at least 64 * pages.size().
  void Insert(std::string_view partition, std::span<const Token> tokens, const Pages& pages);

  [[nodiscard]] std::size_t bytes() const;

 private:
  using Key = std::array<Token, kPagePositions>;
  struct Node;
  using Children = std::map<Key, std::unique_ptr<Node>>;

  Children& ChildrenOf(Node* parent, const std::string& partition);
  void Touch(Node* deepest);
  void DropOldest();

  const std::size_t budget_bytes_;
  mutable std::mutex mutex_;               // guards what follows
  std::map<std::string, Children> roots_;  // by partition; never an empty one
  // Latest first. A node is never before its parent: so the last one has no children.
  std::list<Node*> by_use_;
  std::size_t bytes_ = 0;
};

}  // namespace sworn::llm
