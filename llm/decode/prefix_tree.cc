#include "llm/decode/prefix_tree.h"

#include <algorithm>
#include <utility>

namespace sworn::llm {

struct PrefixTree::Node {
  std::string partition;
  Node* parent = nullptr;
  std::shared_ptr<const KvPage> page;
  Children children;
  Children::const_iterator self;        // in the parent's children
  std::list<Node*>::iterator position;  // in by_use_
};

PrefixTree::PrefixTree(std::size_t budget_bytes) : budget_bytes_(budget_bytes) {}

// From the leaves on: destroying a long branch from its root would recurse once per page.
PrefixTree::~PrefixTree() {
  while (!by_use_.empty()) DropOldest();
}

PrefixTree::Children& PrefixTree::ChildrenOf(Node* parent, const std::string& partition) {
  return parent != nullptr ? parent->children : roots_[partition];
}

// The deepest first, so that every node ends up behind its parent.
void PrefixTree::Touch(Node* deepest) {
  for (Node* node = deepest; node != nullptr; node = node->parent) {
    by_use_.splice(by_use_.begin(), by_use_, node->position);
  }
}

void PrefixTree::DropOldest() {
  Node* node = by_use_.back();
  by_use_.pop_back();
  bytes_ -= node->page->bytes();
  if (node->parent != nullptr) {
    node->parent->children.erase(node->self);
    return;
  }
  const auto root = roots_.find(node->partition);
  root->second.erase(node->self);
  if (root->second.empty()) roots_.erase(root);
}

PrefixTree::Pages PrefixTree::Find(std::string_view partition, std::span<const Token> tokens) {
  Pages pages;
  const std::lock_guard lock(mutex_);
  const auto root = roots_.find(std::string(partition));
  if (root == roots_.end()) return pages;
  const Children* children = &root->second;
  Node* deepest = nullptr;
  Key key;
  while (tokens.size() >= kPagePositions) {
    std::copy_n(tokens.begin(), kPagePositions, key.begin());
    const auto found = children->find(key);
    if (found == children->end()) break;
    deepest = found->second.get();
    pages.push_back(deepest->page);
    children = &deepest->children;
    tokens = tokens.subspan(kPagePositions);
  }
  Touch(deepest);
  return pages;
}

void PrefixTree::Insert(std::string_view partition, std::span<const Token> tokens,
                        const Pages& pages) {
  const std::string name(partition);
  const std::lock_guard lock(mutex_);
  Node* parent = nullptr;
  Key key;
  for (const auto& page : pages) {
    std::copy_n(tokens.begin(), kPagePositions, key.begin());
    tokens = tokens.subspan(kPagePositions);
    if (const auto root = roots_.find(name); parent != nullptr || root != roots_.end()) {
      Children& siblings = ChildrenOf(parent, name);
      if (const auto found = siblings.find(key); found != siblings.end()) {
        parent = found->second.get();
        continue;
      }
    }
    Touch(parent);
    while (bytes_ + page->bytes() > budget_bytes_ && !by_use_.empty() && by_use_.back() != parent) {
      DropOldest();
    }
    if (bytes_ + page->bytes() > budget_bytes_) break;
    auto node = std::make_unique<Node>();
    node->partition = name;
    node->parent = parent;
    node->page = page;
    by_use_.push_front(node.get());
    node->position = by_use_.begin();
    bytes_ += page->bytes();
    Node* added = node.get();
    added->self = ChildrenOf(parent, name).emplace(key, std::move(node)).first;
    parent = added;
    Touch(parent);
  }
  Touch(parent);
}

std::size_t PrefixTree::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace sworn::llm
