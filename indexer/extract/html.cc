#include <string>
#include <utility>

#include "indexer/extract/charset.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/html_text.h"

namespace sworn::indexer {

Extraction ExtractHtml(std::string_view bytes, const ExtractRequest& /*request*/) {
  const DecodedText decoded = DecodeText(bytes, DeclaredHtmlCharset(bytes));
  TextBuilder builder("html/gumbo-0.10");
  builder.AddInvalid(decoded.invalid);
  AddHtml(decoded.utf8, {}, builder);
  return {std::move(builder).Finish(), {}};
}

}  // namespace sworn::indexer
