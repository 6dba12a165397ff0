#include "audit/merkle_tree.h"

#include <cstdlib>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn::audit {
namespace {

constexpr std::uint64_t kSizes = 130;
constexpr std::uint64_t kFullSizes = 1025;  // with SWORN_FULL_TESTS set

std::vector<Sha256Digest> Leaves(std::uint64_t count) {
  std::vector<Sha256Digest> leaves;
  for (std::uint64_t i = 0; i < count; ++i) leaves.push_back(HashLeaf("leaf " + std::to_string(i)));
  return leaves;
}

std::uint64_t LargestPowerBelow(std::uint64_t count) {
  std::uint64_t power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

// The definitions of RFC 6962 section 2.1 word for word, with remembered subtrees.
class NaiveTree {
 public:
  explicit NaiveTree(std::vector<Sha256Digest> leaves) : leaves_(std::move(leaves)) {}

  Sha256Digest Mth(std::uint64_t begin, std::uint64_t end) {
    if (begin == end) return Sha256("");
    if (end - begin == 1) return leaves_[begin];
    const auto key = std::pair(begin, end);
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    const std::uint64_t k = LargestPowerBelow(end - begin);
    return known_[key] = HashChildren(Mth(begin, begin + k), Mth(begin + k, end));
  }

  std::vector<Sha256Digest> Path(std::uint64_t m, std::uint64_t begin, std::uint64_t end) {
    if (end - begin == 1) return {};
    const std::uint64_t k = LargestPowerBelow(end - begin);
    const bool left = m < k;
    auto path = left ? Path(m, begin, begin + k) : Path(m - k, begin + k, end);
    path.push_back(left ? Mth(begin + k, end) : Mth(begin, begin + k));
    return path;
  }

  std::vector<Sha256Digest> Subproof(std::uint64_t m, std::uint64_t begin, std::uint64_t end,
                                     bool whole) {
    const std::uint64_t n = end - begin;
    if (m == n) return whole ? std::vector<Sha256Digest>() : std::vector{Mth(begin, end)};
    const std::uint64_t k = LargestPowerBelow(n);
    const bool left = m <= k;
    auto proof =
        left ? Subproof(m, begin, begin + k, whole) : Subproof(m - k, begin + k, end, false);
    proof.push_back(left ? Mth(begin + k, end) : Mth(begin, begin + k));
    return proof;
  }

 private:
  std::vector<Sha256Digest> leaves_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Sha256Digest> known_;
};

class MerkleTreeTest : public testing::Test {
 protected:
  void Grow(std::uint64_t size) {
    leaves_ = Leaves(size);
    for (const Sha256Digest& leaf : leaves_) {
      for (const TreeNode& node : frontier_.Append(leaf)) {
        EXPECT_TRUE(nodes_.emplace(std::pair(node.level, node.position), node.hash).second);
      }
    }
    reader_ = [this](unsigned level, std::uint64_t position) {
      return nodes_.at({level, position});
    };
  }

  void CheckAllProofs(std::uint64_t sizes) {
    Grow(sizes);
    NaiveTree naive(leaves_);
    for (std::uint64_t size = 0; size <= sizes; ++size) {
      const Sha256Digest root = naive.Mth(0, size);
      ASSERT_EQ(RootAt(size, reader_), root);
      for (std::uint64_t index = 0; index < size; ++index) {
        const auto proof = InclusionProof(index, size, reader_);
        ASSERT_EQ(proof, naive.Path(index, 0, size)) << index << " of " << size;
        ASSERT_TRUE(VerifyInclusion(leaves_[index], index, size, proof, root));
      }
      for (std::uint64_t old_size = 0; old_size <= size; ++old_size) {
        const auto proof = ConsistencyProof(old_size, size, reader_);
        if (old_size > 0) {
          ASSERT_EQ(proof, naive.Subproof(old_size, 0, size, true)) << old_size << " of " << size;
        }
        ASSERT_TRUE(VerifyConsistency(old_size, naive.Mth(0, old_size), size, root, proof));
      }
    }
  }

  std::vector<Sha256Digest> leaves_;
  MerkleFrontier frontier_;
  std::map<std::pair<unsigned, std::uint64_t>, Sha256Digest> nodes_;
  NodeReader reader_;
};

TEST_F(MerkleTreeTest, HashesAsTheRfcSays) {
  EXPECT_EQ(ToHex(MerkleFrontier().Root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // SHA-256 of one zero byte: the leaf of an empty entry.
  EXPECT_EQ(ToHex(HashLeaf("")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  const Sha256Digest a = HashLeaf("a");
  const Sha256Digest b = HashLeaf("b");
  std::string bytes(1, '\1');
  bytes.append(a.begin(), a.end()).append(b.begin(), b.end());
  EXPECT_EQ(HashChildren(a, b), Sha256(bytes));
}

TEST_F(MerkleTreeTest, ProvesWhatTheDefinitionsProveForEverySize) { CheckAllProofs(kSizes); }

TEST_F(MerkleTreeTest, ProvesWhatTheDefinitionsProveUpTo1025) {
  if (std::getenv("SWORN_FULL_TESTS") == nullptr) {
    GTEST_SKIP() << "set SWORN_FULL_TESTS to run all sizes";
  }
  CheckAllProofs(kFullSizes);
}

TEST_F(MerkleTreeTest, AFrontierFromStoredNodesGoesOnAsTheOldOne) {
  Grow(kSizes);
  for (std::uint64_t size = 0; size < kSizes; ++size) {
    MerkleFrontier resumed(size, reader_);
    EXPECT_EQ(resumed.Root(), RootAt(size, reader_));
    resumed.Append(leaves_[size]);
    EXPECT_EQ(resumed.Root(), RootAt(size + 1, reader_));
  }
  EXPECT_EQ(frontier_.Root(), RootAt(kSizes, reader_));
}

TEST_F(MerkleTreeTest, NoDamagedProofIsAccepted) {
  constexpr std::uint64_t kSize = 23;
  Grow(kSize);
  const Sha256Digest root = RootAt(kSize, reader_);
  for (std::uint64_t index = 0; index < kSize; ++index) {
    const auto proof = InclusionProof(index, kSize, reader_);
    for (std::uint64_t other = 0; other < kSize; ++other) {
      if (other == index) continue;
      EXPECT_FALSE(VerifyInclusion(leaves_[other], index, kSize, proof, root));
      EXPECT_FALSE(VerifyInclusion(leaves_[index], other, kSize, proof, root));
    }
    for (std::size_t i = 0; i < proof.size(); ++i) {
      auto flipped = proof;
      flipped[i][index % 32] ^= 1;
      EXPECT_FALSE(VerifyInclusion(leaves_[index], index, kSize, flipped, root));
      auto shorter = proof;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_FALSE(VerifyInclusion(leaves_[index], index, kSize, shorter, root));
    }
    auto longer = proof;
    longer.push_back(root);
    EXPECT_FALSE(VerifyInclusion(leaves_[index], index, kSize, longer, root));
  }
  for (std::uint64_t old_size = 1; old_size < kSize; ++old_size) {
    const Sha256Digest old_root = RootAt(old_size, reader_);
    auto proof = ConsistencyProof(old_size, kSize, reader_);
    for (std::size_t i = 0; i < proof.size(); ++i) {
      proof[i][0] ^= 1;
      EXPECT_FALSE(VerifyConsistency(old_size, old_root, kSize, root, proof));
      proof[i][0] ^= 1;
    }
    EXPECT_FALSE(VerifyConsistency(old_size, root, kSize, root, proof));
    EXPECT_FALSE(VerifyConsistency(old_size, old_root, kSize, old_root, proof));
    proof.push_back(root);
    EXPECT_FALSE(VerifyConsistency(old_size, old_root, kSize, root, proof));
  }
}

TEST_F(MerkleTreeTest, RefusesProofsBeyondTheTree) {
  Grow(3);
  EXPECT_THROW(InclusionProof(3, 3, reader_), Error);
  EXPECT_THROW(ConsistencyProof(4, 3, reader_), Error);
}

}  // namespace
}  // namespace sworn::audit
