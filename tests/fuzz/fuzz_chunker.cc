// The first byte chooses the sizes; the rest is text, a block for each of its lines. A line's first
// byte chooses its kind.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/text/sentences.h"
#include "core/text/unicode.h"
#include "indexer/chunker.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sworn::test::Require;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  const std::size_t target = 16 + data[0];
  const sworn::indexer::ChunkOptions options = {target, target * 2, target / 4};
  sworn::indexer::ExtractedText extracted;
  extracted.text = sworn::text::Normalize(bytes.substr(1)).text;
  const std::string& text = extracted.text;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    sworn::indexer::Block block;
    block.range = {at, end};
    block.kind = static_cast<sworn::indexer::BlockKind>(static_cast<std::uint8_t>(text[at]) % 7);
    block.heading_level = block.kind == sworn::indexer::BlockKind::kHeading ? 1 : 0;
    if (end > at) extracted.blocks.push_back(block);
    at = end + 1;
  }
  std::uint64_t covered = 0;
  for (const sworn::indexer::Chunk& chunk : sworn::indexer::MakeChunks(extracted, "en", options)) {
    const sworn::ByteRange& range = chunk.range;
    Require(range.begin < range.end && range.end <= text.size() && range.end > covered);
    Require(range.end - range.begin <= options.max_bytes);
    Require(sworn::text::IsValidUtf8(
        std::string_view(text).substr(range.begin, range.end - range.begin)));
    if (covered < range.begin) {  // only white space, which holds no sentence
      Require(sworn::text::SplitSentences(
                  std::string_view(text).substr(covered, range.begin - covered), "en")
                  .empty());
    }
    covered = range.end;
  }
  return 0;
}
