#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/analyzer.h"
#include "core/text/language.h"
#include "core/text/unicode.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sworn::test::Require;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string text = sworn::text::Normalize(bytes).text;
  sworn::text::Analyzer analyzer;
  const std::vector<std::string> languages = {sworn::text::DetectLanguage(text), "en", "de", "fr"};
  for (const std::string& language : languages) {
    const auto postings = analyzer.AnalyzePassage({"title", "", text, language});
    for (std::size_t i = 0; i < postings.size(); ++i) {
      const sworn::text::Posting& posting = postings[i];
      Require(!posting.term.empty() && posting.term.size() <= 240 && posting.wdf > 0);
      Require(sworn::text::IsValidUtf8(posting.term));
      Require(i == 0 || postings[i - 1].term < posting.term);
      Require(posting.positions.empty() || posting.positions.size() == posting.wdf);
    }
    std::size_t at = 0;
    for (const sworn::text::Token& token : analyzer.Tokenize(text, language)) {
      Require(token.byte_begin >= at && token.byte_begin < token.byte_end);
      at = token.byte_end;
    }
    Require(at <= text.size());
  }
  for (const auto& phrase : analyzer.AnalyzeQuestion(bytes, languages).phrases) {
    Require(!phrase.words.empty() && phrase.window >= phrase.words.size());
  }
  return 0;
}
