#include "core/text/charset.h"

#include <array>
#include <memory>

#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include "core/error.h"

namespace sworn::text {
namespace {

constexpr std::size_t kConvertedUnits = std::size_t{32} * 1024;  // UTF-16 units per round
constexpr UChar kReplacement = 0xfffd;

struct ConverterCloser {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};

}  // namespace

std::optional<ConvertedText> ConvertToUtf8(std::string_view bytes, const std::string& charset,
                                           std::size_t max_bytes) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, ConverterCloser> converter(ucnv_open(charset.c_str(), &status));
  if (U_FAILURE(status) || charset.empty()) return std::nullopt;

  ConvertedText result;
  const auto buffer = std::make_unique<std::array<UChar, kConvertedUnits>>();
  // An astral character may be cut between two rounds: its first half waits here.
  icu::UnicodeString pending;
  const char* source = bytes.data();
  const char* const source_end = source + bytes.size();
  bool more = true;
  while (more) {
    UChar* target = buffer->data();
    status = U_ZERO_ERROR;
    ucnv_toUnicode(converter.get(), &target, buffer->data() + buffer->size(), &source, source_end,
                   nullptr, true, &status);
    more = status == U_BUFFER_OVERFLOW_ERROR;
    if (U_FAILURE(status) && !more) {
      throw Error(ErrorCode::kIntegrity, "the text cannot be converted from " + charset);
    }
    for (const UChar* unit = buffer->data(); unit != target; ++unit) {
      if (*unit == kReplacement) ++result.invalid;
    }
    pending.append(buffer->data(), static_cast<int32_t>(target - buffer->data()));
    UChar held = 0;
    if (more && !pending.isEmpty() && U16_IS_LEAD(pending[pending.length() - 1])) {
      held = pending[pending.length() - 1];
      pending.truncate(pending.length() - 1);
    }
    pending.toUTF8String(result.utf8);
    pending.remove();
    if (held != 0) pending.append(held);
    if (result.utf8.size() > max_bytes) {
      throw Error(ErrorCode::kTooLarge,
                  "the text is larger than " + std::to_string(max_bytes >> 20U) + " MiB");
    }
  }
  return result;
}

}  // namespace sworn::text
