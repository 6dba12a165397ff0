#include "store/fitted.h"

#include <algorithm>
#include <cmath>
#include <system_error>

#include "core/error.h"

namespace sworn::store {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kEmbedBatch = 4096;
constexpr float kFeedbackShare = 0.5F;

std::string_view TextOf(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

}  // namespace

FittedState::FittedState(const fs::path& path, const TermEmbedderFactory& factory)
    : file_(path), embedder_(factory.Load(TextOf(file_))) {}

bool IsStateOf(const CollectionRow& collection, const TermEmbedderFactory* factory) {
  return factory != nullptr && collection.base != 0 &&
         factory->identity().Digest() == collection.base_id;
}

std::unique_ptr<const FittedState> FindState(const StorePaths& paths, SqliteConnection& catalog,
                                             const CollectionRow& collection,
                                             const TermEmbedderFactory* factory) {
  if (!IsStateOf(collection, factory)) return nullptr;
  for (const SegmentRow& segment : LoadSegments(catalog, collection.id)) {
    const fs::path folder = paths.segments(collection.collection_id) / segment.name;
    for (const SegmentFile& file : segment.files) {
      if (file.path != kStateFile || FindFileDamage(folder, file)) continue;
      try {
        auto state = std::make_unique<const FittedState>(folder / kStateFile, *factory);
        if (state->embedder().identity().Digest() == collection.embedder_id) return state;
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kIntegrity) throw;
      }
    }
  }
  return nullptr;
}

std::vector<float> MovedQuery(const TermEmbedder& embedder, const TermRows& query,
                              const TermRows& feedback) {
  std::vector<float> target = embedder.Embed(query);
  if (std::all_of(target.begin(), target.end(), [](float x) { return x == 0; })) return {};
  if (feedback.size() > 0) {
    const std::vector<float> vectors = embedder.Embed(feedback);
    const float share = kFeedbackShare / static_cast<float>(feedback.size());
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      target[i % target.size()] += share * vectors[i];
    }
  }
  double norm = 0;
  for (const float x : target) norm += static_cast<double>(x) * x;
  if (norm == 0) return {};
  for (float& x : target) x = static_cast<float>(x / std::sqrt(norm));
  return target;
}

VectorRows EmbedRows(const TermFile& terms, const TermEmbedder& embedder) {
  VectorRows vectors;
  vectors.dimension = embedder.identity().dimension;
  vectors.ids.reserve(terms.rows());
  vectors.values.reserve(terms.rows() * vectors.dimension);
  for (std::size_t begin = 0; begin < terms.rows(); begin += kEmbedBatch) {
    TermRows batch;
    const std::size_t end = std::min(begin + kEmbedBatch, terms.rows());
    for (std::size_t row = begin; row < end; ++row) {
      vectors.ids.push_back(terms.IdOf(row));
      batch.Add(terms.Read(row));
    }
    const std::vector<float> values = embedder.Embed(batch);
    if (values.size() != batch.size() * vectors.dimension) {
      throw Error(ErrorCode::kInternal, "the embedder gave vectors of another shape");
    }
    vectors.values.insert(vectors.values.end(), values.begin(), values.end());
  }
  return vectors;
}

void LinkFile(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error) return;
  fs::copy_file(from, to, error);
  if (error) throw SystemError(error.value(), "cannot link or copy", from.native());
}

}  // namespace sworn::store
