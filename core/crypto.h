// Hashes, signatures and random bytes over OpenSSL's EVP interface.
//
// Sources: SHA-256 FIPS 180-4, HMAC RFC 2104, Ed25519 RFC 8032. All functions throw
// Error(kInternal) if OpenSSL fails and are thread-safe unless said otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sworn {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest Sha256(std::string_view bytes);

/// Incremental SHA-256. One thread at a time.
class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(Sha256Hasher&&) noexcept;
  Sha256Hasher& operator=(Sha256Hasher&&) noexcept;

  void Update(std::string_view bytes);
  /// The digest of everything so far; the hasher starts anew afterwards.
  Sha256Digest Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// SHA-256 of a whole file, read in blocks; throws SystemError if it cannot be read.
Sha256Digest Sha256OfFile(const std::string& path);

Sha256Digest HmacSha256(std::string_view key, std::string_view bytes);

/// Lower-case hexadecimal.
std::string ToHex(std::span<const std::uint8_t> bytes);
/// The digest that ToHex wrote; throws kInvalidArgument for anything else.
Sha256Digest DigestFromHex(std::string_view hex);

/// RFC 4648 base64 with padding.
std::string ToBase64(std::span<const std::uint8_t> bytes);
/// Strict inverse; throws kInvalidArgument.
std::string FromBase64(std::string_view text);

/// From the system's generator.
std::string RandomBytes(std::size_t count);
/// 128 random bits as 26 characters of lower-case RFC 4648 base32 without padding.
std::string RandomBase32Id();

/// Equal length and equal bytes, in time that depends on the length alone.
bool EqualConstantTime(std::string_view a, std::string_view b) noexcept;

/// An Ed25519 private key.
class SigningKey {
 public:
  static SigningKey Generate();
  /// From the 32-byte seed of RFC 8032.
  static SigningKey FromSeed(std::string_view seed);

  /// The 32-byte seed: secret.
  [[nodiscard]] std::string Seed() const;
  /// 32 bytes.
  [[nodiscard]] std::string PublicKey() const;
  /// 64 bytes; deterministic.
  [[nodiscard]] std::string Sign(std::string_view message) const;

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

 private:
  struct Impl;
  explicit SigningKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// False for a wrong signature, and for a key or signature of the wrong length.
bool VerifySignature(std::string_view public_key, std::string_view message,
                     std::string_view signature);

}  // namespace sworn
