// Reading of vector files.
#include "store/faiss_index.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <faiss/IndexFlat.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/impl/FaissException.h>
#include <faiss/index_io.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/error.h"
#include "store/vector_manifest.h"

namespace sworn::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigestBlock = std::size_t{1} << 20;

[[noreturn]] void Refuse(const fs::path& path, const std::string& why) {
  throw Error(ErrorCode::kIntegrity, path.native() + ": " + why);
}

VectorManifest ReadManifest(const fs::path& path) {
  const fs::path file = ManifestPath(path);
  std::error_code error;
  if (!fs::exists(file, error)) Refuse(path, "has another format: nothing stands beside it");
  try {
    return ParseManifest(ReadFile(file, kMaxManifestBytes));
  } catch (const Error& failure) {
    if (failure.code() != ErrorCode::kIntegrity && failure.code() != ErrorCode::kTooLarge) throw;
    Refuse(file, failure.what());
  }
}

std::uint64_t SizeOf(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(path, error);
  if (error) Refuse(path, error.message());
  return bytes;
}

FileDescriptor OpenToRead(const fs::path& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) throw SystemError(errno, "cannot read", path.native());
  return fd;
}

/// Reads exactly `bytes`; throws kIntegrity if the file ends before.
void ReadAt(const FileDescriptor& fd, const fs::path& path, std::uint64_t offset, char* to,
            std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = ::pread(fd.get(), to, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(errno, "cannot read", path.native());
    if (got == 0) Refuse(path, "ends too early");
    to += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
}

std::string DigestOf(const VectorManifest& manifest, const fs::path& path) {
  Sha256Hasher digest;
  digest.Update(ManifestHead(manifest));
  const FileDescriptor fd = OpenToRead(path);
  std::string block(kDigestBlock, '\0');
  for (std::uint64_t at = 0; at < manifest.header_bytes; at += block.size()) {
    block.resize(std::min<std::uint64_t>(kDigestBlock, manifest.header_bytes - at));
    ReadAt(fd, path, at, block.data(), block.size());
    digest.Update(block);
  }
  return ToHex(digest.Finish());
}

/// Everything that FAISS takes on trust: sizes and the header.
VectorManifest CheckFiles(const fs::path& path, std::uint32_t dimension) {
  VectorManifest manifest = ReadManifest(path);
  const VectorFileFacts& facts = manifest.facts;
  if (facts.dimension != dimension || facts.rows > UINT32_MAX) {
    Refuse(path, "has another shape than the catalog says");
  }
  const std::uint64_t entry = dimension + sizeof(faiss::Index::idx_t);
  const std::uint64_t bytes = SizeOf(path);
  if (bytes < manifest.header_bytes || bytes - manifest.header_bytes != facts.rows * entry) {
    Refuse(path, "has another size than its manifest says");
  }
  if (SizeOf(ExactRowsPath(path)) != facts.rows * dimension * sizeof(float)) {
    Refuse(ExactRowsPath(path), "has another size than the manifest says");
  }
  if (DigestOf(manifest, path) != manifest.sha256) Refuse(path, "the digest differs");
  return manifest;
}

bool HasShape(const faiss::IndexIVFScalarQuantizer& index, const VectorFileFacts& facts) {
  const auto* const centroids = dynamic_cast<const faiss::IndexFlat*>(index.quantizer);
  return index.d == static_cast<int>(facts.dimension) && index.nlist == facts.lists &&
         index.ntotal == static_cast<faiss::Index::idx_t>(facts.rows) &&
         index.metric_type == faiss::METRIC_INNER_PRODUCT && !index.by_residual &&
         index.sq.qtype == faiss::ScalarQuantizer::QT_8bit && index.code_size == facts.dimension &&
         index.sq.trained.size() == 2 * std::size_t{facts.dimension} && centroids != nullptr &&
         centroids->d == index.d &&
         centroids->ntotal == static_cast<faiss::Index::idx_t>(facts.lists) &&
         index.invlists != nullptr && index.invlists->compute_ntotal() == facts.rows;
}

}  // namespace

std::optional<VectorFileFacts> ReadVectorFacts(const fs::path& path) {
  try {
    return ReadManifest(path).facts;
  } catch (const Error&) {
    return std::nullopt;
  }
}

struct VectorReader::Impl {
  VectorFileFacts facts;
  std::unique_ptr<faiss::Index> owner;
  const faiss::IndexIVFScalarQuantizer* index = nullptr;
  std::vector<ChunkId> ids;             // by row
  std::vector<std::size_t> first_rows;  // of each list
  fs::path exact_path;
  FileDescriptor exact;
};

VectorReader::VectorReader(const fs::path& path, std::uint32_t dimension)
    : impl_(std::make_unique<Impl>()) {
  impl_->facts = CheckFiles(path, dimension).facts;
  try {
    impl_->owner.reset(faiss::read_index(path.c_str(), faiss::IO_FLAG_MMAP));
  } catch (const faiss::FaissException& error) {
    Refuse(path, error.what());
  }
  impl_->index = dynamic_cast<const faiss::IndexIVFScalarQuantizer*>(impl_->owner.get());
  if (impl_->index == nullptr || !HasShape(*impl_->index, impl_->facts)) {
    Refuse(path, "is no vector index of ours");
  }
  impl_->ids.reserve(impl_->facts.rows);
  for (std::size_t list = 0; list < impl_->facts.lists; ++list) {
    impl_->first_rows.push_back(impl_->ids.size());
    // As bytes: they follow the codes and need not be aligned.
    const auto* const ids = reinterpret_cast<const char*>(impl_->index->invlists->get_ids(list));
    for (std::size_t i = 0; i < impl_->index->invlists->list_size(list); ++i) {
      faiss::Index::idx_t id = 0;
      std::memcpy(&id, ids + i * sizeof id, sizeof id);
      if (id <= 0 || id > static_cast<faiss::Index::idx_t>(UINT32_MAX)) {
        Refuse(path, "holds an id out of range");
      }
      impl_->ids.push_back(static_cast<ChunkId>(id));
    }
  }
  impl_->exact_path = ExactRowsPath(path);
  impl_->exact = OpenToRead(impl_->exact_path);
}

VectorReader::~VectorReader() = default;
VectorReader::VectorReader(VectorReader&&) noexcept = default;

std::uint32_t VectorReader::dimension() const { return impl_->facts.dimension; }
std::size_t VectorReader::size() const { return impl_->ids.size(); }
ChunkId VectorReader::IdOf(std::size_t row) const { return impl_->ids[row]; }
const VectorFileFacts& VectorReader::facts() const { return impl_->facts; }
const faiss::IndexIVFScalarQuantizer& VectorReader::index() const { return *impl_->index; }
std::size_t VectorReader::FirstRow(std::size_t list) const { return impl_->first_rows[list]; }

void VectorReader::ReadRow(std::size_t row, std::span<float> to) const {
  ReadAt(impl_->exact, impl_->exact_path, row * to.size_bytes(), reinterpret_cast<char*>(to.data()),
         to.size_bytes());
}

}  // namespace sworn::store
