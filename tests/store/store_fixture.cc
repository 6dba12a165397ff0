#include "tests/store/store_fixture.h"

#include <cmath>

#include "core/text/analyzer.h"

namespace sworn::store {

LetterEmbedder::LetterEmbedder(std::string version, std::uint32_t dimension) {
  identity_.name = "letters";
  identity_.version = std::move(version);
  identity_.dimension = dimension;
}

std::vector<float> LetterEmbedder::EmbedQuery(std::string_view text) const {
  std::vector<float> vector(identity_.dimension);
  for (const char c : text) {
    vector[(static_cast<unsigned char>(c) * 2654435761U >> 7U) % vector.size()] += 1;
  }
  double norm = 0;
  for (const float value : vector) norm += static_cast<double>(value) * value;
  for (float& value : vector) {
    if (norm > 0) value = static_cast<float>(value / std::sqrt(norm));
  }
  return vector;
}

std::vector<float> LetterEmbedder::EmbedPassages(std::span<const std::string_view> texts) const {
  std::vector<float> rows;
  for (const std::string_view text : texts) {
    const std::vector<float> row = EmbedQuery(text);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

NewContent MakeContent(std::string_view text, const Embedder& embedder, std::string_view language) {
  NewContent content = MakePlainContent(text, language);
  for (NewChunk& chunk : content.chunks) {
    chunk.vector =
        embedder.EmbedQuery(text.substr(chunk.range.begin, chunk.range.end - chunk.range.begin));
  }
  return content;
}

NewContent MakePlainContent(std::string_view text, std::string_view language) {
  NewContent content;
  content.document_sha256 = ToHex(Sha256(text));
  content.media_type = "text/plain";
  content.extractor = "plain 1";
  content.normalization_version = 1;
  content.language = language;
  content.text = text;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    NewChunk chunk;
    chunk.range = {begin, end};
    chunk.language = language;
    chunk.location.line_begin = static_cast<std::uint32_t>(content.chunks.size() + 1);
    content.chunks.push_back(std::move(chunk));
    begin = end + 1;
  }
  return content;
}

NewVersion MakeVersion(const std::string& path, const std::string& root) {
  NewVersion version;
  version.key = {root, path};
  version.facts = {10, 20, 30};
  version.document_date_ms = 1000;
  return version;
}

std::string EnglishTerm(std::string_view word) {
  text::Analyzer analyzer;
  const auto tokens = analyzer.Tokenize(word, "en");
  return tokens.empty() ? std::string(word) : tokens.front().term;
}

text::KeywordQuery Words(const std::vector<std::string>& words) {
  text::KeywordQuery query;
  for (const std::string& word : words) query.words.push_back({{EnglishTerm(word)}, 1});
  return query;
}

PublishResult StoreTest::PutAndPublish(const std::string& path, std::string_view text,
                                       const std::string& collection) {
  const auto job = Begin(collection);
  job->Put(MakeVersion(path), MakeContent(text, embedder));
  return job->Publish();
}

std::vector<std::string> StoreTest::PathsOf(const Snapshot& snapshot,
                                            const std::vector<KeywordHit>& hits) {
  std::vector<ChunkId> ids;
  for (const KeywordHit& hit : hits) ids.push_back(hit.chunk_id);
  std::vector<std::string> paths;
  for (const StoredChunk& chunk : snapshot.LoadChunks(ids)) paths.push_back(chunk.path);
  return paths;
}

std::vector<std::string> StoreTest::Search(const std::vector<std::string>& words,
                                           const std::vector<std::string>& collections) {
  const auto snapshot = Open(collections);
  return PathsOf(*snapshot, snapshot->SearchChunks(Words(words), {}, 100, nullptr));
}

}  // namespace sworn::store
