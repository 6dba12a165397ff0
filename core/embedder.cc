#include "core/embedder.h"

#include <bit>

#include "core/crypto.h"

namespace sworn {
namespace {

void AddNumber(Sha256Hasher& hasher, std::uint64_t value) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>((value >> (56 - 8 * i)) & 0xFFU);
  }
  hasher.Update(bytes);
}

/// Length first, so that no two lists of fields give the same bytes.
void AddText(Sha256Hasher& hasher, std::string_view text) {
  AddNumber(hasher, text.size());
  hasher.Update(text);
}

}  // namespace

std::string EmbedderIdentity::Digest() const {
  Sha256Hasher hasher;
  AddText(hasher, "sworn embedder identity 1");
  AddText(hasher, name);
  AddText(hasher, version);
  AddNumber(hasher, dimension);
  AddText(hasher, state_sha256);
  AddText(hasher, query_prefix);
  AddText(hasher, passage_prefix);
  AddText(hasher, pooling);
  AddText(hasher, storage);
  AddNumber(hasher, std::bit_cast<std::uint64_t>(fusion_weight));
  return ToHex(hasher.Finish());
}

std::string EmbeddingText(std::string_view title, std::string_view heading, std::string_view text) {
  std::string joined(title);
  for (const std::string_view part : {heading, text}) {
    if (!joined.empty() && !part.empty()) joined.push_back('\n');
    joined.append(part);
  }
  return joined;
}

const EmbedderIdentity& IdentityOf(const VectorSource& source) {
  return std::visit([](const auto* port) -> const EmbedderIdentity& { return port->identity(); },
                    source);
}

}  // namespace sworn
