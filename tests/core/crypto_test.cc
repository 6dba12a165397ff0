#include "core/crypto.h"

#include <set>

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace sworn {
namespace {

// FIPS 180-4 example.
TEST(CryptoTest, Sha256MatchesThePublishedExample) {
  EXPECT_EQ(ToHex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(CryptoTest, HashingInPiecesGivesTheSame) {
  Sha256Hasher hasher;
  hasher.Update("a");
  hasher.Update("bc");
  EXPECT_EQ(hasher.Finish(), Sha256("abc"));
  hasher.Update("x");
  EXPECT_EQ(hasher.Finish(), Sha256("x"));
}

TEST(CryptoTest, HashesAFile) {
  const test::TempFolder folder;
  const std::string bytes(700'000, 'q');
  EXPECT_EQ(Sha256OfFile(folder.Write("f", bytes).native()), Sha256(bytes));
  EXPECT_THROW(Sha256OfFile((folder.path() / "none").native()), Error);
}

// RFC 4231, test case 2.
TEST(CryptoTest, HmacMatchesThePublishedExample) {
  EXPECT_EQ(ToHex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// RFC 8032, section 7.1, test 2.
TEST(CryptoTest, Ed25519MatchesThePublishedExample) {
  const Sha256Digest seed =
      DigestFromHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const SigningKey key =
      SigningKey::FromSeed({reinterpret_cast<const char*>(seed.data()), seed.size()});
  const std::string public_key = key.PublicKey();
  EXPECT_EQ(ToHex({reinterpret_cast<const std::uint8_t*>(public_key.data()), public_key.size()}),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const std::string signature = key.Sign("\x72");
  EXPECT_EQ(ToHex({reinterpret_cast<const std::uint8_t*>(signature.data()), signature.size()}),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(VerifySignature(public_key, "\x72", signature));
  EXPECT_FALSE(VerifySignature(public_key, "\x73", signature));
  EXPECT_FALSE(VerifySignature(public_key, "\x72", signature.substr(1)));
  EXPECT_FALSE(VerifySignature("", "\x72", signature));
}

TEST(CryptoTest, Base64IsStrict) {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob"}) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    EXPECT_EQ(FromBase64(ToBase64({data, bytes.size()})), bytes);
  }
  for (const char* text : {"Zg=", "Zh==", "Zg==\n", "!!!!", "====", "Zg"}) {
    EXPECT_THROW(FromBase64(text), Error) << text;
  }
}

TEST(CryptoTest, HexRefusesAnythingElse) {
  EXPECT_EQ(ToHex(DigestFromHex(std::string(64, 'a'))), std::string(64, 'a'));
  EXPECT_THROW(DigestFromHex(std::string(63, 'a')), Error);
  EXPECT_THROW(DigestFromHex(std::string(64, 'A')), Error);
}

TEST(CryptoTest, IdsAreLongAndDistinct) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(RandomBase32Id());
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_EQ(ids.begin()->size(), 26U);
}

}  // namespace
}  // namespace sworn
