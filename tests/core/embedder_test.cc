#include "core/embedder.h"

#include <set>

#include <gtest/gtest.h>

namespace sworn {
namespace {

TEST(EmbedderIdentity, EveryFieldChangesTheDigest) {
  EmbedderIdentity base;
  base.name = "hashing";
  base.dimension = 256;
  std::set<std::string> digests{base.Digest()};
  const auto add = [&](auto change) {
    EmbedderIdentity other = base;
    change(other);
    digests.insert(other.Digest());
  };
  add([](auto& id) { id.name = "x"; });
  add([](auto& id) { id.version = "x"; });
  add([](auto& id) { id.dimension = 257; });
  add([](auto& id) { id.state_sha256 = "x"; });
  add([](auto& id) { id.query_prefix = "x"; });
  add([](auto& id) { id.passage_prefix = "x"; });
  add([](auto& id) { id.pooling = "x"; });
  add([](auto& id) { id.storage = "x"; });
  add([](auto& id) { id.fusion_weight = .5; });
  EXPECT_EQ(digests.size(), 10U);
  EXPECT_EQ(base.Digest(), EmbedderIdentity(base).Digest());
  EXPECT_EQ(base.Digest().size(), 64U);
}

TEST(EmbedderIdentity, MovingTextBetweenFieldsChangesTheDigest) {
  EmbedderIdentity one;
  one.name = "ab";
  EmbedderIdentity two;
  two.name = "a";
  two.version = "b";
  EXPECT_NE(one.Digest(), two.Digest());
}

TEST(EmbeddingTextTest, JoinsWhatIsThere) {
  EXPECT_EQ(EmbeddingText("Title", "A > B", "text"), "Title\nA > B\ntext");
  EXPECT_EQ(EmbeddingText("", "", "text"), "text");
  EXPECT_EQ(EmbeddingText("Title", "", "text"), "Title\ntext");
}

}  // namespace
}  // namespace sworn
