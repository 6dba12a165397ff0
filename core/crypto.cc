#include "core/crypto.h"

#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"

namespace sworn {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

void Check(bool ok, const char* what) {
  if (!ok) throw Error(ErrorCode::kInternal, std::string("OpenSSL failed: ") + what);
}

const std::uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeKey>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigestContext>;

// Fetched once: EVP_sha256() alone makes OpenSSL 3 look the implementation up at each use.
const EVP_MD* Sha256Algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Check(algorithm != nullptr, "SHA-256 is missing");
  return algorithm;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Sha256Digest Sha256(std::string_view bytes) {
  Sha256Digest digest;
  Check(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, Sha256Algorithm(),
                   nullptr) == 1,
        "digest");
  return digest;
}

struct Sha256Hasher::Impl {
  DigestContext context{EVP_MD_CTX_new()};
};

Sha256Hasher::Sha256Hasher() : impl_(std::make_unique<Impl>()) {
  Check(EVP_DigestInit_ex(impl_->context.get(), Sha256Algorithm(), nullptr) == 1, "digest init");
}
Sha256Hasher::~Sha256Hasher() = default;
Sha256Hasher::Sha256Hasher(Sha256Hasher&&) noexcept = default;
Sha256Hasher& Sha256Hasher::operator=(Sha256Hasher&&) noexcept = default;

void Sha256Hasher::Update(std::string_view bytes) {
  Check(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1, "digest update");
}

Sha256Digest Sha256Hasher::Finish() {
  Sha256Digest digest;
  Check(EVP_DigestFinal_ex(impl_->context.get(), digest.data(), nullptr) == 1, "digest end");
  Check(EVP_DigestInit_ex(impl_->context.get(), Sha256Algorithm(), nullptr) == 1, "digest init");
  return digest;
}

Sha256Digest Sha256OfFile(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) throw SystemError(errno, "cannot read", path);
  Sha256Hasher hasher;
  std::vector<char> buffer(1 << 18);
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(errno, "cannot read", path);
    if (got == 0) return hasher.Finish();
    hasher.Update({buffer.data(), static_cast<std::size_t>(got)});
  }
}

Sha256Digest HmacSha256(std::string_view key, std::string_view bytes) {
  Sha256Digest digest;
  Check(HMAC(Sha256Algorithm(), key.data(), static_cast<int>(key.size()), Bytes(bytes),
             bytes.size(), digest.data(), nullptr) != nullptr,
        "hmac");
  return digest;
}

std::string ToHex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

Sha256Digest DigestFromHex(std::string_view hex) {
  Sha256Digest digest;
  bool valid = hex.size() == digest.size() * 2;
  for (std::size_t i = 0; valid && i < digest.size(); ++i) {
    const int high = HexValue(hex[2 * i]);
    const int low = HexValue(hex[2 * i + 1]);
    valid = high >= 0 && low >= 0;
    digest[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (!valid) throw Error(ErrorCode::kInvalidArgument, "not a SHA-256 digest in hexadecimal");
  return digest;
}

std::string ToBase64(std::span<const std::uint8_t> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<std::uint8_t*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string FromBase64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<std::uint8_t*>(bytes.data()), Bytes(text),
                                     static_cast<int>(text.size()));
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const bool valid =
      length >= 0 && text.size() % 4 == 0 && static_cast<std::size_t>(length) == bytes.size();
  if (valid) bytes.resize(bytes.size() - padding);
  // OpenSSL skips white space and accepts stray bits: only the one canonical form is ours.
  if (!valid ||
      ToBase64({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}) != text) {
    throw Error(ErrorCode::kInvalidArgument, "not base64");
  }
  return bytes;
}

std::string RandomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  Check(RAND_bytes(reinterpret_cast<std::uint8_t*>(bytes.data()), static_cast<int>(count)) == 1,
        "random bytes");
  return bytes;
}

std::string RandomBase32Id() {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const std::string bytes = RandomBytes(16);
  std::string id;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<std::uint8_t>(byte);
    for (held += 8; held >= 5; held -= 5) id.push_back(kAlphabet[(bits >> (held - 5)) & 31]);
  }
  id.push_back(kAlphabet[(bits << (5 - held)) & 31]);
  return id;
}

bool EqualConstantTime(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

struct SigningKey::Impl {
  KeyPointer key;
};

SigningKey::SigningKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

SigningKey SigningKey::Generate() { return FromSeed(RandomBytes(kKeyBytes)); }

SigningKey SigningKey::FromSeed(std::string_view seed) {
  if (seed.size() != kKeyBytes) {
    throw Error(ErrorCode::kInvalidArgument, "an Ed25519 seed has 32 bytes");
  }
  auto impl = std::make_unique<Impl>();
  impl->key.reset(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(seed), seed.size()));
  Check(impl->key != nullptr, "private key");
  return SigningKey(std::move(impl));
}

std::string SigningKey::Seed() const {
  std::string seed(kKeyBytes, '\0');
  std::size_t length = seed.size();
  Check(EVP_PKEY_get_raw_private_key(impl_->key.get(), reinterpret_cast<std::uint8_t*>(seed.data()),
                                     &length) == 1,
        "private key bytes");
  return seed;
}

std::string SigningKey::PublicKey() const {
  std::string bytes(kKeyBytes, '\0');
  std::size_t length = bytes.size();
  Check(EVP_PKEY_get_raw_public_key(impl_->key.get(), reinterpret_cast<std::uint8_t*>(bytes.data()),
                                    &length) == 1,
        "public key bytes");
  return bytes;
}

std::string SigningKey::Sign(std::string_view message) const {
  const DigestContext context(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  std::size_t length = signature.size();
  Check(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, impl_->key.get()) == 1 &&
            EVP_DigestSign(context.get(), reinterpret_cast<std::uint8_t*>(signature.data()),
                           &length, Bytes(message), message.size()) == 1,
        "sign");
  return signature;
}

bool VerifySignature(std::string_view public_key, std::string_view message,
                     std::string_view signature) {
  if (public_key.size() != kKeyBytes || signature.size() != kSignatureBytes) return false;
  const KeyPointer key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(public_key), kKeyBytes));
  const DigestContext context(EVP_MD_CTX_new());
  return key != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(message),
                          message.size()) == 1;
}

}  // namespace sworn
