#include "audit/text_lines.h"

#include "core/crypto.h"
#include "core/error.h"

namespace sworn::audit {

std::string_view TextLines::Take() {
  const std::size_t end = rest_.find('\n');
  if (end == std::string_view::npos) Bad("a line without an end");
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return line;
}

std::string TextLines::Decode(std::string_view base64) const {
  try {
    return FromBase64(base64);
  } catch (const Error&) {
    Bad("invalid base64");
  }
}

void TextLines::Bad(const std::string& why) const {
  throw Error(ErrorCode::kIntegrity, std::string(subject_) + ": " + why);
}

}  // namespace sworn::audit
