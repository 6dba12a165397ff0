// The small file beside a vector file: its shape, what was measured, and a digest of itself and of
// everything in the FAISS file but the codes and ids. FAISS takes sizes from its file on trust, so
// it never sees one that differs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/faiss_index.h"

namespace sworn::store {

struct VectorManifest {
  VectorFileFacts facts;
  std::uint64_t header_bytes = 0;  // of the FAISS file before its lists
  std::string sha256;              // hex, see ManifestDigest
};

/// The bytes of all of it but `sha256`, which the digest begins with.
std::string ManifestHead(const VectorManifest& manifest);

std::string WriteManifest(const VectorManifest& manifest);

/// Throws kIntegrity unless `text` is what WriteManifest gives. The digest is left to the caller.
VectorManifest ParseManifest(std::string_view text);

inline constexpr std::uint64_t kMaxManifestBytes = 4'096;

/// The files beside "vectors.faiss".
std::filesystem::path ManifestPath(const std::filesystem::path& path);
std::filesystem::path ExactRowsPath(const std::filesystem::path& path);

}  // namespace sworn::store
