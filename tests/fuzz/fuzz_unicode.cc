#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/text/unicode.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sworn::test::Require;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const sworn::text::NormalizedText once = sworn::text::Normalize(bytes);
  Require(sworn::text::IsValidUtf8(once.text));
  Require(sworn::text::IsValidUtf8(bytes) == (once.removed.invalid == 0));
  Require(sworn::text::Normalize(once.text).text == once.text);
  const std::string folded = sworn::text::FoldCase(once.text);
  Require(sworn::text::IsValidUtf8(folded));
  const std::string shown = sworn::text::ForTerminal(bytes);
  Require(sworn::text::IsValidUtf8(shown));
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    Require((byte >= 0x20 && byte != 0x7F) || c == '\n' || c == '\t');
  }
  Require(sworn::text::IsValidUtf8(
      std::string_view(once.text).substr(0, sworn::text::CutAtCodePoint(once.text, size / 2))));
  return 0;
}
