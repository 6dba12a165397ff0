#include "indexer/extract/charset.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <uchardet/uchardet.h>

#include "core/error.h"
#include "core/text/charset.h"
#include "core/text/unicode.h"
#include "indexer/extract/limits.h"

namespace sworn::indexer {
namespace {

constexpr std::size_t kGuessedFromBytes = std::size_t{256} * 1024;
constexpr std::size_t kMaxDecodedBytes = 4 * kMaxTextBytes;
constexpr std::size_t kLookedAtForZeros = 4096;
constexpr std::size_t kFewestUtf16Bytes = 8;
constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";

struct DetectorCloser {
  void operator()(uchardet_t detector) const { uchardet_delete(detector); }
};

std::string CharsetOfMark(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\xff\xfe\0\0"sv)) return "UTF-32LE";
  if (bytes.starts_with("\0\0\xfe\xff"sv)) return "UTF-32BE";
  if (bytes.starts_with("\xff\xfe"sv)) return "UTF-16LE";
  if (bytes.starts_with("\xfe\xff"sv)) return "UTF-16BE";
  return {};
}

// Latin text in UTF-16 has a zero in every second byte.
std::string CharsetOfZeros(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, kLookedAtForZeros);
  std::array<std::size_t, 2> zeros{};
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\0') ++zeros[i % 2];
  }
  const std::size_t many = head.size() * 2 / 5;
  if (head.size() < kFewestUtf16Bytes || bytes.size() % 2 != 0) return {};
  if (zeros[0] == 0 && zeros[1] >= many) return "UTF-16LE";
  if (zeros[1] == 0 && zeros[0] >= many) return "UTF-16BE";
  return {};
}

std::string GuessCharset(std::string_view bytes) {
  const std::unique_ptr<std::remove_pointer_t<uchardet_t>, DetectorCloser> detector(uchardet_new());
  if (uchardet_handle_data(detector.get(), bytes.data(),
                           std::min(bytes.size(), kGuessedFromBytes)) != 0) {
    return {};
  }
  uchardet_data_end(detector.get());
  return uchardet_get_charset(detector.get());
}

// One broken byte must not turn a UTF-8 text into another alphabet: in other charsets nearly every
// byte beyond ASCII is invalid, in damaged UTF-8 few are.
bool IsNearlyUtf8(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, kGuessedFromBytes);
  const auto beyond_ascii = static_cast<std::uint64_t>(std::count_if(
      head.begin(), head.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }));
  return text::Normalize(head).removed.invalid * std::uint64_t{4} <= beyond_ascii;
}

bool IsUtf8Name(std::string_view charset) {
  return charset.size() <= 5 && charset.find('8') != std::string_view::npos &&
         (charset[0] == 'u' || charset[0] == 'U');
}

}  // namespace

std::string Utf16CharsetOf(std::string_view bytes) {
  const std::string marked = CharsetOfMark(bytes);
  return marked.empty() ? CharsetOfZeros(bytes) : marked;
}

DecodedText DecodeText(std::string_view bytes, std::string_view declared) {
  if (bytes.size() > kMaxDecodedBytes) {
    throw Error(ErrorCode::kTooLarge, "the text is larger than 256 MiB");
  }
  if (bytes.starts_with(kUtf8Mark)) {
    return {std::string(bytes.substr(kUtf8Mark.size())), "UTF-8", 0};
  }
  const std::string marked = Utf16CharsetOf(bytes);
  if (marked.empty() && text::IsValidUtf8(bytes)) return {std::string(bytes), "UTF-8", 0};

  if (marked.empty() && IsNearlyUtf8(bytes)) return {std::string(bytes), "UTF-8", 0};

  const std::string candidates[] = {marked, std::string(declared), GuessCharset(bytes),
                                    "windows-1252"};
  for (const std::string& charset : candidates) {
    if (charset.empty()) continue;
    if (IsUtf8Name(charset)) return {std::string(bytes), "UTF-8", 0};
    std::optional<text::ConvertedText> converted =
        text::ConvertToUtf8(bytes, charset, kMaxDecodedBytes);
    if (converted) return {std::move(converted->utf8), charset, converted->invalid};
  }
  throw Error(ErrorCode::kInternal, "ICU does not know windows-1252");
}

}  // namespace sworn::indexer
