#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/text/sentences.h"
#include "core/text/unicode.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sworn::test::Require;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string text = sworn::text::Normalize(bytes).text;
  for (const std::string_view language : {"en", "de", "el", "und"}) {
    std::uint64_t at = 0;
    for (const sworn::ByteRange& sentence : sworn::text::SplitSentences(text, language)) {
      Require(sentence.begin >= at && sentence.begin < sentence.end && sentence.end <= text.size());
      Require(sworn::text::IsValidUtf8(
          std::string_view(text).substr(sentence.begin, sentence.end - sentence.begin)));
      at = sentence.end;
    }
  }
  return 0;
}
