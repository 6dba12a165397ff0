#include "retriever/context.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/text/unicode.h"

namespace sworn::retriever {
namespace {

bool SameDocument(const store::StoredChunk& a, const store::StoredChunk& b) {
  return a.document_id == b.document_id && a.version == b.version;
}

/// Overlapping, or one directly after the other.
bool Touch(const Passage& a, const Passage& b) {
  if (!SameDocument(a.chunks.front(), b.chunks.front())) return false;
  if (a.range.begin < b.range.end && b.range.begin < a.range.end) return true;
  return a.chunks.back().ordinal + 1 == b.chunks.front().ordinal ||
         b.chunks.back().ordinal + 1 == a.chunks.front().ordinal;
}

/// Builds passages from one snapshot; keeps the texts of documents whose chunks were joined.
class Builder {
 public:
  Builder(const store::Snapshot& snapshot, const ContextOptions& options)
      : snapshot_(snapshot), options_(options) {}

  void Add(const Hit& hit) {
    Passage passage;
    passage.score = hit.place.score;
    passage.chunks = {hit.chunk};
    passage.range = hit.chunk.range;
    passage.text = hit.chunk.text;
    for (std::size_t i = 0; i < passages_.size(); ++i) {
      if (Touch(passages_[i], passage)) {
        Join(i, passage);
        return;
      }
    }
    if (passages_.size() == options_.max_passages) return;
    if (used_ + Measure(passage.text) > options_.budget) {
      if (!passages_.empty()) return;
      CutToBudget(passage);
    }
    used_ += Measure(passage.text);
    passages_.push_back(std::move(passage));
  }

  Context Finish() && {
    Context context{std::move(passages_)};
    for (std::size_t i = 0; i < context.passages.size(); ++i) {
      context.passages[i].number = static_cast<std::uint32_t>(i + 1);
    }
    return context;
  }

 private:
  std::size_t Measure(std::string_view text) const {
    return options_.measure ? options_.measure(text) : text.size();
  }

  void CutToBudget(Passage& passage) const {
    const std::string_view text = passage.text;
    std::size_t bytes = text.size();
    while (bytes > 0) {
      const std::size_t size = Measure(text.substr(0, bytes));
      if (size <= options_.budget) break;
      bytes = std::min(bytes - 1, bytes * options_.budget / size);
      bytes = text::CutAtCodePoint(text, bytes);
    }
    passage.text.resize(bytes);
    passage.range.end = passage.range.begin + bytes;
  }

  const std::string& DocumentText(const store::StoredChunk& chunk) {
    const auto key = std::make_pair(chunk.document_id, chunk.version);
    auto found = texts_.find(key);
    if (found == texts_.end()) {
      auto text = snapshot_.LoadText(chunk.document_id, chunk.version);
      if (!text) {
        throw Error(ErrorCode::kIntegrity, "document " + chunk.document_id + " has no stored text");
      }
      found = texts_.emplace(key, std::move(*text)).first;
    }
    return found->second;
  }

  Passage Joined(const Passage& first, const Passage& second) {
    Passage joined = first;  // the better one: its score and best hit stay
    const ChunkId best = first.chunks[first.best].chunk_id;
    for (const store::StoredChunk& chunk : second.chunks) {
      const bool known = std::any_of(
          first.chunks.begin(), first.chunks.end(),
          [&chunk](const store::StoredChunk& other) { return other.chunk_id == chunk.chunk_id; });
      if (!known) joined.chunks.push_back(chunk);
    }
    std::sort(joined.chunks.begin(), joined.chunks.end(),
              [](const store::StoredChunk& a, const store::StoredChunk& b) {
                return a.ordinal < b.ordinal;
              });
    for (std::size_t i = 0; i < joined.chunks.size(); ++i) {
      if (joined.chunks[i].chunk_id == best) joined.best = i;
    }
    joined.range = {std::min(first.range.begin, second.range.begin),
                    std::max(first.range.end, second.range.end)};
    const std::string& text = DocumentText(first.chunks.front());
    if (joined.range.end > text.size()) {
      throw Error(ErrorCode::kIntegrity,
                  "document " + first.chunks.front().document_id + " is shorter than its chunks");
    }
    joined.text = text.substr(joined.range.begin, joined.range.end - joined.range.begin);
    return joined;
  }

  /// Joins `added` to passage `index`, then whatever the longer passage now touches.
  void Join(std::size_t index, const Passage& added) {
    Passage joined = Joined(passages_[index], added);
    const std::size_t without = used_ - Measure(passages_[index].text);
    if (without + Measure(joined.text) > options_.budget) return;
    used_ = without + Measure(joined.text);
    passages_[index] = std::move(joined);
    for (std::size_t other = index + 1; other < passages_.size(); ++other) {
      if (!Touch(passages_[index], passages_[other])) continue;
      Passage both = Joined(passages_[index], passages_[other]);
      const std::size_t rest =
          used_ - Measure(passages_[index].text) - Measure(passages_[other].text);
      if (rest + Measure(both.text) > options_.budget) continue;
      used_ = rest + Measure(both.text);
      passages_[index] = std::move(both);
      passages_.erase(passages_.begin() + static_cast<std::ptrdiff_t>(other));
      break;  // a chunk has two neighbours: one was `index`, the other is joined now
    }
  }

  const store::Snapshot& snapshot_;
  const ContextOptions& options_;
  std::vector<Passage> passages_;
  std::size_t used_ = 0;
  std::map<std::pair<std::string, std::uint32_t>, std::string> texts_;
};

std::uint32_t CountOf(std::string_view text, char wanted) {
  return static_cast<std::uint32_t>(std::count(text.begin(), text.end(), wanted));
}

}  // namespace

const store::StoredChunk& ChunkAt(const Passage& passage, std::uint64_t offset) {
  for (auto chunk = passage.chunks.rbegin(); chunk != passage.chunks.rend(); ++chunk) {
    if (chunk->range.begin <= offset && offset < chunk->range.end) return *chunk;
  }
  return passage.chunks[passage.best];
}

Location LocateSpan(const Passage& passage, const ByteRange& span) {
  const store::StoredChunk& chunk = ChunkAt(passage, span.begin);
  Location location = chunk.location;
  if (span.begin < chunk.range.begin || span.begin >= chunk.range.end || span.end < span.begin) {
    return location;
  }
  const std::string_view text = chunk.text;
  const std::string_view before = text.substr(0, span.begin - chunk.range.begin);
  const std::string_view inside =
      text.substr(before.size(), std::min<std::uint64_t>(span.end, chunk.range.end) - span.begin);
  if (location.page) {
    const std::uint32_t turned = CountOf(before, '\f');
    if (turned > 0) location.page_label.clear();  // it belongs to the chunk's first page
    location.page = *location.page + turned;
    location.page_end = *location.page + CountOf(inside, '\f');
  }
  if (location.line_begin) {
    location.line_begin = *location.line_begin + CountOf(before, '\n');
    location.line_end = *location.line_begin + CountOf(inside, '\n');
  }
  return location;
}

Context BuildContext(const store::Snapshot& snapshot, std::span<const Hit> hits,
                     const ContextOptions& options) {
  Builder builder(snapshot, options);
  for (const Hit& hit : hits) builder.Add(hit);
  return std::move(builder).Finish();
}

}  // namespace sworn::retriever
