// Writing of vector files: codes and lists by FAISS, exact rows and the manifest by us.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <numeric>
#include <string>

#include <faiss/IndexFlat.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/impl/FaissException.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
#include <fcntl.h>

#include "core/crypto.h"
#include "core/error.h"
#include "store/faiss_index.h"
#include "store/vector_lists.h"
#include "store/vector_manifest.h"

namespace sworn::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWriteBuffer = std::size_t{1} << 20;
constexpr std::size_t kRowsOfList = 8;  // at least, on average

static_assert(std::endian::native == std::endian::little);

/// A new file, written in large pieces.
class NewFile {
 public:
  NewFile(FileOps& ops, fs::path path)
      : ops_(ops),
        path_(std::move(path)),
        fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
    if (!fd_.valid()) throw SystemError(errno, "cannot write", path_.native());
  }

  void Write(std::string_view bytes) {
    buffer_.append(bytes);
    if (buffer_.size() >= kWriteBuffer) Flush();
  }

  void Finish() {
    Flush();
    ops_.SyncFile(fd_.get(), path_);
  }

 private:
  void Flush() {
    ops_.Write(fd_.get(), buffer_, path_);
    buffer_.clear();
  }

  FileOps& ops_;
  fs::path path_;
  FileDescriptor fd_;
  std::string buffer_;
};

/// FAISS's own writers ignore a full disk; this one throws. The first bytes go to a digest too.
class CheckedWriter : public faiss::IOWriter {
 public:
  CheckedWriter(NewFile& file, Sha256Hasher& digest, std::uint64_t header_bytes)
      : file_(file), digest_(digest), header_left_(header_bytes) {}

  size_t operator()(const void* bytes, size_t size, size_t count) override {
    const std::string_view piece(static_cast<const char*>(bytes), size * count);
    const std::size_t hashed = std::min<std::uint64_t>(header_left_, piece.size());
    digest_.Update(piece.substr(0, hashed));
    header_left_ -= hashed;
    file_.Write(piece);
    return count;
  }

 private:
  NewFile& file_;
  Sha256Hasher& digest_;
  std::uint64_t header_left_;
};

class CountingWriter : public faiss::IOWriter {
 public:
  size_t operator()(const void* /*bytes*/, size_t size, size_t count) override {
    bytes_ += size * count;
    return count;
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
};

void CheckRows(const VectorRows& rows) {
  if (rows.dimension == 0 || rows.dimension > kMaxDimension ||
      rows.values.size() != rows.ids.size() * rows.dimension) {
    throw Error(ErrorCode::kInternal, "vectors do not have the shape announced");
  }
  for (std::size_t i = 0; i < rows.values.size(); ++i) {
    if (!(std::abs(rows.values[i]) <= kMaxComponent)) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the vector of chunk " + std::to_string(rows.ids[i / rows.dimension]) +
                      " has a component that is no number or too large");
    }
  }
}

struct Lists {
  std::vector<float> centroids;      // [lists, dimension]
  std::vector<std::uint32_t> order;  // rows by list, then as given
  std::vector<std::size_t> begins;   // [lists + 1], into order
};

Lists CutIntoLists(const VectorRows& rows, std::size_t max_scanned_rows, VectorFileFacts& facts) {
  const std::size_t count = rows.ids.size();
  Lists lists;
  lists.order.resize(count);
  std::iota(lists.order.begin(), lists.order.end(), 0U);
  const double wanted = 4 * std::sqrt(static_cast<double>(count));
  const std::size_t most = std::min(static_cast<std::size_t>(wanted), count / kRowsOfList);
  if (count <= max_scanned_rows || most < 2) {
    lists.centroids.assign(rows.dimension, 0);
    lists.begins = {0, count};
    return lists;
  }
  facts.lists = static_cast<std::uint32_t>(most);
  lists.centroids = TrainCentroids(rows, most);
  const std::vector<std::uint32_t> list_of_row = AssignRows(rows, lists.centroids);
  MeasureProbes(rows, lists.centroids, list_of_row, facts);
  std::stable_sort(lists.order.begin(), lists.order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return list_of_row[a] < list_of_row[b];
  });
  lists.begins.assign(most + 1, 0);
  for (const std::uint32_t list : list_of_row) ++lists.begins[list + 1];
  std::partial_sum(lists.begins.begin(), lists.begins.end(), lists.begins.begin());
  return lists;
}

/// Codes the rows of every list. The range of each component is that of the rows, so nothing is
/// cut off.
void FillIndex(const VectorRows& rows, const Lists& lists, faiss::IndexIVFScalarQuantizer& index) {
  constexpr std::size_t kBlock = 4'096;
  if (rows.ids.empty()) {
    index.sq.trained.assign(2 * std::size_t{rows.dimension}, 0);
  } else {
    index.sq.train(rows.ids.size(), rows.values.data());
  }
  index.is_trained = true;
  index.ntotal = static_cast<faiss::Index::idx_t>(rows.ids.size());
  // Row by row: FAISS codes many rows on OpenMP's threads, which a forked process lacks.
  const std::unique_ptr<const faiss::ScalarQuantizer::SQuantizer> quantizer(
      index.sq.select_quantizer());
  std::vector<float> values;
  std::vector<std::uint8_t> codes;
  std::vector<faiss::Index::idx_t> ids;
  for (std::size_t list = 0; list + 1 < lists.begins.size(); ++list) {
    for (std::size_t begin = lists.begins[list]; begin < lists.begins[list + 1]; begin += kBlock) {
      const std::size_t end = std::min(begin + kBlock, lists.begins[list + 1]);
      values.clear();
      ids.clear();
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t row = lists.order[i];
        const float* const from = rows.values.data() + row * rows.dimension;
        values.insert(values.end(), from, from + rows.dimension);
        ids.push_back(rows.ids[row]);
      }
      codes.assign(values.size(), 0);
      for (std::size_t at = 0; at < values.size(); at += rows.dimension) {
        quantizer->encode_vector(values.data() + at, codes.data() + at);
      }
      index.invlists->add_entries(list, end - begin, ids.data(), codes.data());
    }
  }
}

void WriteIndex(FileOps& ops, const fs::path& path, const faiss::Index& index,
                VectorManifest& manifest) {
  CountingWriter counter;
  faiss::write_index(&index, &counter);
  const std::uint64_t entry = manifest.facts.dimension + sizeof(faiss::Index::idx_t);
  manifest.header_bytes = counter.bytes() - manifest.facts.rows * entry;
  Sha256Hasher digest;
  digest.Update(ManifestHead(manifest));
  NewFile file(ops, path);
  CheckedWriter writer(file, digest, manifest.header_bytes);
  faiss::write_index(&index, &writer);
  file.Finish();
  manifest.sha256 = ToHex(digest.Finish());
}

void WriteExactRows(FileOps& ops, const fs::path& path, const VectorRows& rows,
                    std::span<const std::uint32_t> order) {
  NewFile file(ops, path);
  const std::size_t bytes = rows.dimension * sizeof(float);
  for (const std::uint32_t row : order) {
    const float* const from = rows.values.data() + std::size_t{row} * rows.dimension;
    file.Write({reinterpret_cast<const char*>(from), bytes});
  }
  file.Finish();
}

}  // namespace

void WriteVectorFile(FileOps& ops, const fs::path& path, const VectorRows& rows,
                     std::size_t max_scanned_rows) {
  CheckRows(rows);
  VectorManifest manifest;
  manifest.facts.dimension = rows.dimension;
  manifest.facts.rows = rows.ids.size();
  try {
    const Lists lists = CutIntoLists(rows, max_scanned_rows, manifest.facts);
    faiss::IndexFlatIP centroids(rows.dimension);
    centroids.add(static_cast<faiss::Index::idx_t>(manifest.facts.lists), lists.centroids.data());
    faiss::IndexIVFScalarQuantizer index(&centroids, rows.dimension, manifest.facts.lists,
                                         faiss::ScalarQuantizer::QT_8bit,
                                         faiss::METRIC_INNER_PRODUCT, false);
    index.nprobe = manifest.facts.probes;
    FillIndex(rows, lists, index);
    WriteIndex(ops, path, index, manifest);
    WriteExactRows(ops, ExactRowsPath(path), rows, lists.order);
  } catch (const faiss::FaissException& error) {
    throw Error(ErrorCode::kInternal, path.native() + ": " + error.what());
  }
  NewFile file(ops, ManifestPath(path));
  file.Write(WriteManifest(manifest));
  file.Finish();
}

}  // namespace sworn::store
