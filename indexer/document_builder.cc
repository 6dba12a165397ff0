#include "indexer/document_builder.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/text/language.h"

namespace sworn::indexer {
namespace {

constexpr std::size_t kEmbedBatch = 64;

// The document's own title, else its first top heading, else the name of its file.
std::string ChooseTitle(const DocumentOrigin& origin, const ExtractedText& extracted) {
  if (origin.title) return *origin.title;
  if (!extracted.title.empty()) return extracted.title;
  for (const Block& block : extracted.blocks) {
    if (block.kind == BlockKind::kHeading && block.heading_level == 1) {
      return extracted.text.substr(block.range.begin, block.range.end - block.range.begin);
    }
  }
  return text::Normalize(std::filesystem::path(origin.file_name).stem().native()).text;
}

std::string FlagsOf(const ExtractedText& extracted) {
  const text::RemovedCharacters& removed = extracted.removed;
  std::string flags;
  const auto add = [&](bool present, std::string_view name) {
    if (!present) return;
    if (!flags.empty()) flags.push_back(',');
    flags.append(name);
  };
  add(removed.zero_width + removed.bidi + removed.tag > 0, "hidden_characters");
  add(extracted.metadata.contains("hidden_elements"), "hidden_elements");
  add(removed.invalid > 0, "invalid_characters");
  add(std::any_of(extracted.blocks.begin(), extracted.blocks.end(),
                  [](const Block& block) { return block.ocr; }),
      "ocr");
  return flags;
}

void EmbedChunks(store::NewContent& content, const Embedder& embedder) {
  const std::size_t dimension = embedder.identity().dimension;
  std::vector<std::string> passages;
  std::vector<std::string_view> views;
  for (std::size_t begin = 0; begin < content.chunks.size(); begin += kEmbedBatch) {
    const std::size_t end = std::min(begin + kEmbedBatch, content.chunks.size());
    passages.clear();
    for (std::size_t i = begin; i < end; ++i) {
      const store::NewChunk& chunk = content.chunks[i];
      passages.push_back(
          EmbeddingText(content.title, chunk.heading,
                        std::string_view(content.text)
                            .substr(chunk.range.begin, chunk.range.end - chunk.range.begin)));
    }
    views.assign(passages.begin(), passages.end());
    const std::vector<float> vectors = embedder.EmbedPassages(views);
    for (std::size_t i = begin; i < end; ++i) {
      const auto row = vectors.begin() + static_cast<std::ptrdiff_t>((i - begin) * dimension);
      content.chunks[i].vector.assign(row, row + static_cast<std::ptrdiff_t>(dimension));
    }
  }
}

}  // namespace

store::NewContent BuildContent(const DocumentOrigin& origin, ExtractedText extracted,
                               const ChunkOptions& options, const Embedder* embedder) {
  store::NewContent content;
  content.document_sha256 = origin.document_sha256;
  content.media_type = origin.media_type;
  content.extractor = extracted.extractor;
  content.normalization_version = text::kNormalizationVersion;
  content.title = ChooseTitle(origin, extracted);
  content.language = text::DetectLanguage(extracted.text);
  content.flags = FlagsOf(extracted);  // before anything is moved out
  content.metadata = std::move(extracted.metadata);
  content.warnings = std::move(extracted.warnings);
  content.page_count = extracted.page_count;
  for (Chunk& chunk : MakeChunks(extracted, content.language, options)) {
    store::NewChunk made;
    made.range = chunk.range;
    made.heading = std::move(chunk.heading);
    made.location = std::move(chunk.location);
    made.language = content.language;
    made.ocr = chunk.ocr;
    content.chunks.push_back(std::move(made));
  }
  content.text = std::move(extracted.text);
  if (embedder != nullptr) EmbedChunks(content, *embedder);
  return content;
}

void AssignLanguage(store::NewContent& content, const std::string& language) {
  if (content.language == text::kUnknownLanguage) content.language = language;
  for (store::NewChunk& chunk : content.chunks) {
    if (chunk.language == text::kUnknownLanguage) chunk.language = language;
  }
}

std::int64_t DocumentDate(const store::NewContent& content, std::int64_t fallback_ms) {
  const auto date = content.metadata.find("date");
  if (date == content.metadata.end()) return fallback_ms;
  try {
    return ParseRfc3339(date->second);
  } catch (const Error&) {
    return fallback_ms;  // a document may claim any date; one we cannot read is none
  }
}

}  // namespace sworn::indexer
