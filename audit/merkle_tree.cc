#include "audit/merkle_tree.h"

#include <algorithm>
#include <bit>
#include <string>

#include "core/error.h"

namespace sworn::audit {
namespace {

std::string_view View(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// The largest power of two below `count` (> 1), as RFC 6962 splits a tree.
std::uint64_t SplitPoint(std::uint64_t count) { return std::bit_floor(count - 1); }

// MTH over the leaves [begin, begin + count), where begin is a multiple of the subtree's size.
Sha256Digest SubtreeRoot(std::uint64_t begin, std::uint64_t count, const NodeReader& nodes) {
  if (std::has_single_bit(count)) {
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    return nodes(level, begin >> level);
  }
  const std::uint64_t left = SplitPoint(count);
  return HashChildren(SubtreeRoot(begin, left, nodes),
                      SubtreeRoot(begin + left, count - left, nodes));
}

// Leaves begin to begin + count - 1.
struct Subtree {
  std::uint64_t begin;
  std::uint64_t count;  // more than one to descend
};

// One step down to the child that holds `leaf`; the root of the other one joins the proof.
void Descend(std::uint64_t leaf, const NodeReader& nodes, Subtree& at,
             std::vector<Sha256Digest>& proof) {
  const std::uint64_t left = SplitPoint(at.count);
  if (leaf - at.begin < left) {
    proof.push_back(SubtreeRoot(at.begin + left, at.count - left, nodes));
    at.count = left;
  } else {
    proof.push_back(SubtreeRoot(at.begin, left, nodes));
    at = {at.begin + left, at.count - left};
  }
}

}  // namespace

Sha256Digest HashLeaf(std::string_view entry) {
  std::string bytes(1, '\0');
  bytes += entry;
  return Sha256(bytes);
}

Sha256Digest HashChildren(const Sha256Digest& left, const Sha256Digest& right) {
  std::string bytes(1, '\1');
  bytes += View(left);
  bytes += View(right);
  return Sha256(bytes);
}

MerkleFrontier::MerkleFrontier(std::uint64_t size, const NodeReader& nodes) : size_(size) {
  std::uint64_t begin = 0;
  for (std::uint64_t rest = size; rest > 0;) {
    const std::uint64_t count = std::bit_floor(rest);
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    peaks_.push_back({level, begin >> level, nodes(level, begin >> level)});
    begin += count;
    rest -= count;
  }
}

std::vector<TreeNode> MerkleFrontier::Append(const Sha256Digest& leaf) {
  std::vector<TreeNode> completed = {{0, size_, leaf}};
  while (!peaks_.empty() && peaks_.back().level == completed.back().level) {
    const TreeNode& right = completed.back();
    completed.push_back(
        {right.level + 1, right.position >> 1U, HashChildren(peaks_.back().hash, right.hash)});
    peaks_.pop_back();
  }
  peaks_.push_back(completed.back());
  ++size_;
  return completed;
}

Sha256Digest MerkleFrontier::Root() const {
  if (peaks_.empty()) return Sha256("");
  Sha256Digest root = peaks_.back().hash;
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) root = HashChildren(peaks_[i].hash, root);
  return root;
}

Sha256Digest RootAt(std::uint64_t size, const NodeReader& nodes) {
  return size == 0 ? Sha256("") : SubtreeRoot(0, size, nodes);
}

std::vector<Sha256Digest> InclusionProof(std::uint64_t index, std::uint64_t size,
                                         const NodeReader& nodes) {
  if (index >= size) {
    throw Error(ErrorCode::kInvalidArgument,
                "entry " + std::to_string(index) + " is not in a tree of " + std::to_string(size));
  }
  std::vector<Sha256Digest> proof;
  for (Subtree at{0, size}; at.count > 1;) Descend(index, nodes, at, proof);
  std::reverse(proof.begin(), proof.end());
  return proof;
}

std::vector<Sha256Digest> ConsistencyProof(std::uint64_t old_size, std::uint64_t new_size,
                                           const NodeReader& nodes) {
  if (old_size > new_size) {
    throw Error(ErrorCode::kInvalidArgument, "a tree of " + std::to_string(old_size) +
                                                 " cannot be a prefix of one of " +
                                                 std::to_string(new_size));
  }
  std::vector<Sha256Digest> proof;
  if (old_size == 0 || old_size == new_size) return proof;
  // SUBPROOF of RFC 6962 section 2.1.2, from the root down.
  Subtree at{0, new_size};
  while (old_size - at.begin != at.count) Descend(old_size - 1, nodes, at, proof);
  // Whoever checks the proof of a whole old tree knows its root already.
  if (at.begin != 0) proof.push_back(SubtreeRoot(at.begin, at.count, nodes));
  std::reverse(proof.begin(), proof.end());
  return proof;
}

bool VerifyInclusion(const Sha256Digest& leaf, std::uint64_t index, std::uint64_t size,
                     const std::vector<Sha256Digest>& proof, const Sha256Digest& root) {
  if (index >= size) return false;
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Sha256Digest hash = leaf;
  for (const Sha256Digest& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1U) != 0 || node == last) {
      hash = HashChildren(sibling, hash);
      while ((node & 1U) == 0 && node != 0) {
        node >>= 1U;
        last >>= 1U;
      }
    } else {
      hash = HashChildren(hash, sibling);
    }
    node >>= 1U;
    last >>= 1U;
  }
  return last == 0 && hash == root;
}

bool VerifyConsistency(std::uint64_t old_size, const Sha256Digest& old_root, std::uint64_t new_size,
                       const Sha256Digest& new_root, const std::vector<Sha256Digest>& proof) {
  if (old_size > new_size) return false;
  if (old_size == new_size) return proof.empty() && old_root == new_root;
  if (old_size == 0) return proof.empty() && old_root == Sha256("");
  const bool starts_with_old_root = std::has_single_bit(old_size);
  if (!starts_with_old_root && proof.empty()) return false;
  std::uint64_t node = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((node & 1U) != 0) {
    node >>= 1U;
    last >>= 1U;
  }
  const Sha256Digest& seed = starts_with_old_root ? old_root : proof.front();
  Sha256Digest old_hash = seed;
  Sha256Digest new_hash = seed;
  for (std::size_t i = starts_with_old_root ? 0 : 1; i < proof.size(); ++i) {
    if (last == 0) return false;
    if ((node & 1U) != 0 || node == last) {
      old_hash = HashChildren(proof[i], old_hash);
      new_hash = HashChildren(proof[i], new_hash);
      while ((node & 1U) == 0 && node != 0) {
        node >>= 1U;
        last >>= 1U;
      }
    } else {
      new_hash = HashChildren(new_hash, proof[i]);
    }
    node >>= 1U;
    last >>= 1U;
  }
  return last == 0 && old_hash == old_root && new_hash == new_root;
}

}  // namespace sworn::audit
