// The Merkle tree of RFC 6962 section 2.1 (RFC 9162 sections 2.1.1 to 2.1.4) over SHA-256.
//
// A node is named by its level (0: leaves) and its position on that level; it covers the leaves
// [position << level, (position + 1) << level). Only nodes of complete subtrees are stored: they
// never change. All functions are pure and thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "core/crypto.h"

namespace sworn::audit {

/// Hashes of a proof: no tree of 2^64 leaves needs more.
inline constexpr std::size_t kMaxProofHashes = 128;

struct TreeNode {
  unsigned level = 0;
  std::uint64_t position = 0;
  Sha256Digest hash{};

  friend bool operator==(const TreeNode&, const TreeNode&) = default;
};

/// Returns the stored node of a complete subtree; throws if it is missing.
using NodeReader = std::function<Sha256Digest(unsigned level, std::uint64_t position)>;

/// SHA-256(0x00 || entry).
Sha256Digest HashLeaf(std::string_view entry);
/// SHA-256(0x01 || left || right).
Sha256Digest HashChildren(const Sha256Digest& left, const Sha256Digest& right);

/// The tree's right edge: enough to append and to know the root, O(log n) memory.
class MerkleFrontier {
 public:
  /// The empty tree.
  MerkleFrontier() = default;
  /// A tree of `size` leaves whose nodes are stored.
  MerkleFrontier(std::uint64_t size, const NodeReader& nodes);

  /// Adds a leaf and returns the nodes that became complete with it, the leaf's own first.
  std::vector<TreeNode> Append(const Sha256Digest& leaf);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// SHA-256 of nothing for the empty tree.
  [[nodiscard]] Sha256Digest Root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<TreeNode> peaks_;  // complete subtrees from left to right, descending levels
};

/// The root over the first `size` leaves.
Sha256Digest RootAt(std::uint64_t size, const NodeReader& nodes);

/// PATH(index, D[size]), from the leaf's sibling up; throws kInvalidArgument unless index < size.
std::vector<Sha256Digest> InclusionProof(std::uint64_t index, std::uint64_t size,
                                         const NodeReader& nodes);

/// PROOF(old_size, D[new_size]); throws kInvalidArgument unless old_size <= new_size. Empty when
/// old_size is 0 or equals new_size.
std::vector<Sha256Digest> ConsistencyProof(std::uint64_t old_size, std::uint64_t new_size,
                                           const NodeReader& nodes);

/// RFC 9162 section 2.1.3.2.
bool VerifyInclusion(const Sha256Digest& leaf, std::uint64_t index, std::uint64_t size,
                     const std::vector<Sha256Digest>& proof, const Sha256Digest& root);

/// RFC 9162 section 2.1.4.2, extended to old_size 0 (any tree extends the empty one).
bool VerifyConsistency(std::uint64_t old_size, const Sha256Digest& old_root, std::uint64_t new_size,
                       const Sha256Digest& new_root, const std::vector<Sha256Digest>& proof);

}  // namespace sworn::audit
