#include "audit/checkpoint.h"

#include <gtest/gtest.h>

#include "audit/audit_entry.h"
#include "audit/merkle_tree.h"
#include "audit/tlog_proof.h"
#include "core/error.h"

namespace sworn::audit {
namespace {

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest()
      : key_(SigningKey::FromSeed(std::string(32, '\x07'))),
        public_key_{"sworn/k_test", key_.PublicKey()},
        note_(SignCheckpoint({"sworn/k_test", 5, HashLeaf("root")}, key_)) {}

  // A receipt of entry 2 of 4.
  TlogProof MakeProof() {
    AuditEntry entry;
    entry.fields.SetNumber(Tag::kUtcMs, 1);
    TlogProof proof;
    proof.entry = EncodeEntry(entry);
    proof.index = 2;
    const Sha256Digest other = HashLeaf("other");
    const Sha256Digest left = HashChildren(other, other);
    proof.hashes = {other, left};
    const Sha256Digest root = HashChildren(left, HashChildren(HashLeaf(proof.entry), other));
    proof.checkpoint = SignCheckpoint({"sworn/k_test", 4, root}, key_);
    return proof;
  }

  SigningKey key_;
  VerifierKey public_key_;
  std::string note_;
};

TEST_F(CheckpointTest, KeysHaveTheIdThatOtherToolsCompute) {
  // The example key of Go's golang.org/x/mod/sumdb/note.
  const std::string text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const VerifierKey key = ParseVerifierKey(text);
  EXPECT_EQ(key.origin, "PeterNeumann");
  EXPECT_EQ(FormatVerifierKey(key), text);
  EXPECT_EQ(ParseVerifierKey(text + "\n"), key);
  std::string wrong = text;
  wrong[13] = 'd';
  EXPECT_THROW(ParseVerifierKey(wrong), Error);
  for (const char* bad : {"", "a+b", "+c74f20a3+AA==", "PeterNeumann+c74f20a3+!!"}) {
    EXPECT_THROW(ParseVerifierKey(bad), Error) << bad;
  }
}

TEST_F(CheckpointTest, IsReadBackWithTheRightKeyOnly) {
  EXPECT_TRUE(note_.starts_with("sworn/k_test\n5\n"));
  const Checkpoint checkpoint = OpenCheckpoint(note_, public_key_);
  EXPECT_EQ(checkpoint.size, 5U);
  EXPECT_EQ(checkpoint.root, HashLeaf("root"));
  const SigningKey other = SigningKey::FromSeed(std::string(32, '\x08'));
  EXPECT_THROW(OpenCheckpoint(note_, {"sworn/k_test", other.PublicKey()}), Error);
  EXPECT_THROW(OpenCheckpoint(note_, {"sworn/k_other", key_.PublicKey()}), Error);
}

TEST_F(CheckpointTest, NoFlippedBitIsAccepted) {
  for (std::size_t at = 0; at < note_.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = note_;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      EXPECT_THROW(OpenCheckpoint(flipped, public_key_), Error) << at << ' ' << bit;
    }
    EXPECT_THROW(OpenCheckpoint(note_.substr(0, at), public_key_), Error) << at;
  }
}

TEST_F(CheckpointTest, ForeignSignaturesAreIgnoredAndOursMustBeThereOnce) {
  const std::string body = note_.substr(0, note_.find("\n\n") + 2);
  const std::string ours = note_.substr(body.size());
  const std::string foreign = "\xe2\x80\x94 witness AAAAAAAAAAAA\n";
  EXPECT_EQ(OpenCheckpoint(body + foreign + ours, public_key_).size, 5U);
  EXPECT_THROW(OpenCheckpoint(body + foreign, public_key_), Error);
  EXPECT_THROW(OpenCheckpoint(body + ours + ours, public_key_), Error);
  EXPECT_THROW(OpenCheckpoint(body, public_key_), Error);
  std::string many = note_;
  for (std::size_t i = 0; i < kMaxCheckpointSignatures; ++i) many += foreign;
  EXPECT_THROW(OpenCheckpoint(many, public_key_), Error);
}

TEST_F(CheckpointTest, ASignedTextThatIsNoCheckpointIsRefused) {
  const std::string root = ToBase64(HashLeaf("root"));
  for (const std::string& text :
       {"sworn/k_test\n05\n" + root + "\n", "sworn/k_test\n-5\n" + root + "\n",
        std::string("sworn/k_test\n5\nAAAA\n"), "sworn/k_test\n5\n" + root + "\nextension\n",
        std::string("sworn/k_test\n5\n"), "sworn/k_test\n5\n" + root + "\r\n",
        "sworn/k_test\n18446744073709551616\n" + root + "\n"}) {
    const std::string signature = KeyIdOf(public_key_) + key_.Sign(text);
    const std::string note =
        text + "\n\xe2\x80\x94 sworn/k_test " +
        ToBase64({reinterpret_cast<const std::uint8_t*>(signature.data()), signature.size()}) +
        "\n";
    EXPECT_THROW(OpenCheckpoint(note, public_key_), Error) << text;
  }
}

TEST_F(CheckpointTest, AReceiptProvesItsEntry) {
  const TlogProof proof = MakeProof();
  const std::string text = FormatTlogProof(proof);
  EXPECT_EQ(ParseTlogProof(text), proof);
  EXPECT_EQ(VerifyTlogProof(proof, public_key_).size, 4U);
}

TEST_F(CheckpointTest, NoFlippedBitOfAReceiptIsAccepted) {
  const std::string text = FormatTlogProof(MakeProof());
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      EXPECT_THROW(VerifyTlogProof(ParseTlogProof(flipped), public_key_), Error) << at;
    }
    EXPECT_THROW(VerifyTlogProof(ParseTlogProof(text.substr(0, at)), public_key_), Error) << at;
  }
}

TEST_F(CheckpointTest, AReceiptOfAnotherIndexOrEntryIsRefused) {
  TlogProof proof = MakeProof();
  proof.index = 3;
  EXPECT_THROW(VerifyTlogProof(proof, public_key_), Error);
  proof = MakeProof();
  proof.entry.clear();
  EXPECT_THROW(VerifyTlogProof(proof, public_key_), Error);
  EXPECT_THROW(ParseTlogProof(std::string(kMaxTlogProofBytes + 1, 'x')), Error);
}

}  // namespace
}  // namespace sworn::audit
