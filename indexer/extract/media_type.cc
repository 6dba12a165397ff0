#include "indexer/extract/media_type.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "indexer/extract/charset.h"

namespace sworn::indexer {
namespace {

using Row = std::pair<std::string_view, std::string_view>;

constexpr auto kExtensions = std::to_array<Row>({
    {"txt", media::kPlainText},
    {"text", media::kPlainText},
    {"log", media::kPlainText},
    {"rst", media::kPlainText},
    {"tex", media::kPlainText},
    {"org", media::kPlainText},
    {"md", media::kMarkdown},
    {"markdown", media::kMarkdown},
    {"html", media::kHtml},
    {"htm", media::kHtml},
    {"xhtml", media::kHtml},
    {"csv", media::kCsv},
    {"tsv", media::kTsv},
    {"tab", media::kTsv},
    {"json", media::kJson},
    {"jsonl", media::kJsonLines},
    {"ndjson", media::kJsonLines},
    {"xml", media::kXml},
    {"rtf", media::kRtf},
    {"pdf", media::kPdf},
    {"eml", media::kEml},
    {"docx", media::kDocx},
    {"docm", media::kDocx},
    {"dotx", media::kDocx},
    {"pptx", media::kPptx},
    {"pptm", media::kPptx},
    {"ppsx", media::kPptx},
    {"xlsx", media::kXlsx},
    {"xlsm", media::kXlsx},
    {"odt", media::kOdt},
    {"ott", media::kOdt},
    {"ods", media::kOds},
    {"odp", media::kOdp},
    {"doc", media::kDoc},
    {"dot", media::kDoc},
    {"xls", media::kXls},
    {"ppt", media::kPpt},
    {"pps", media::kPpt},
    {"msg", media::kMsg},
    {"zip", media::kZip},
    {"gz", "application/gzip"},
    {"tgz", "application/gzip"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"c", media::kC},
    {"h", media::kCpp},
    {"cc", media::kCpp},
    {"cpp", media::kCpp},
    {"cxx", media::kCpp},
    {"hh", media::kCpp},
    {"hpp", media::kCpp},
    {"cs", media::kCSharp},
    {"go", media::kGo},
    {"java", media::kJava},
    {"js", media::kJavaScript},
    {"mjs", media::kJavaScript},
    {"jsx", media::kJavaScript},
    {"ts", media::kTypeScript},
    {"tsx", media::kTypeScript},
    {"lua", media::kLua},
    {"pl", media::kPerl},
    {"pm", media::kPerl},
    {"php", media::kPhp},
    {"py", media::kPython},
    {"rb", media::kRuby},
    {"rs", media::kRust},
    {"sh", media::kShell},
    {"bash", media::kShell},
    {"sql", media::kSql},
});

// Magic bytes at the start that leave no doubt.
constexpr std::array<Row, 9> kMagic = {{
    {"%PDF-", media::kPdf},
    {"{\\rtf", media::kRtf},
    {"\x1f\x8b", "application/gzip"},
    {"\x89PNG\r\n\x1a\n", "image/png"},
    {"\xff\xd8\xff", "image/jpeg"},
    {"GIF8", "image/gif"},
    {"II*", "image/tiff"},
    {"\x7f"
     "ELF",
     "application/x-executable"},
    {"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
}};

// Names inside a ZIP that tell which office format it is.
constexpr std::array<Row, 6> kZipMembers = {{
    {"mimetypeapplication/vnd.oasis.opendocument.text", media::kOdt},
    {"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", media::kOds},
    {"mimetypeapplication/vnd.oasis.opendocument.presentation", media::kOdp},
    {"word/document", media::kDocx},
    {"ppt/presentation.xml", media::kPptx},
    {"xl/workbook.", media::kXlsx},
}};

constexpr std::string_view kZipMagic = "PK\x03\x04";
constexpr std::string_view kOleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
constexpr std::size_t kLookedAtBytes = 8192;
constexpr std::size_t kPdfMagicWithin = 1024;  // Adobe's readers accept junk before the header

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view ExtensionOf(std::string_view file_name) {
  const std::size_t dot = file_name.find_last_of("./");
  if (dot == std::string_view::npos || file_name[dot] == '/') return {};
  return file_name.substr(dot + 1);
}

std::string Utf16(std::string_view ascii) {
  std::string wide;
  for (const char c : ascii) wide.append({c, '\0'});
  return wide;
}

bool IsOneOf(std::string_view type, std::initializer_list<std::string_view> types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

// Names of the streams in an OLE2 directory tell old Office formats from each other.
std::string_view OleType(std::string_view bytes) {
  static const std::array<std::pair<std::string, std::string_view>, 5> kStreams = {{
      {Utf16("__substg1.0_"), media::kMsg},
      {Utf16("WordDocument"), media::kDoc},
      {Utf16("PowerPoint Document"), media::kPpt},
      {Utf16("Workbook"), media::kXls},
      {Utf16("Book"), media::kXls},
  }};
  for (const auto& [name, type] : kStreams) {
    if (bytes.find(name) != std::string_view::npos) return type;
  }
  return media::kBinary;
}

std::string_view ZipType(std::string_view bytes, std::string_view by_extension) {
  if (IsOneOf(by_extension,
              {media::kDocx, media::kPptx, media::kXlsx, media::kOdt, media::kOds, media::kOdp})) {
    return by_extension;
  }
  for (const auto& [member, type] : kZipMembers) {
    if (bytes.find(member) != std::string_view::npos) return type;
  }
  return media::kZip;
}

bool LooksLikeText(std::string_view head) {
  if (!Utf16CharsetOf(head).empty()) return true;
  if (head.find('\0') != std::string_view::npos) return false;
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\x1b';
  };
  const auto controls = std::count_if(head.begin(), head.end(), is_control);
  return static_cast<std::size_t>(controls) * 50 <= head.size();
}

bool LooksLikeMail(std::string_view lower_head) {
  constexpr std::array<std::string_view, 6> kFirstFields = {
      "received:", "return-path:", "from:", "mime-version:", "message-id:", "date:"};
  const bool begins = std::any_of(kFirstFields.begin(), kFirstFields.end(),
                                  [&](std::string_view f) { return lower_head.starts_with(f); });
  return begins && lower_head.find("\nsubject:") != std::string::npos;
}

// The type of text whose extension says nothing.
std::string_view TextType(std::string_view head) {
  const std::string lower = Lower(head);
  const std::size_t first = lower.find_first_not_of(" \t\r\n");
  const std::string_view start =
      first == std::string::npos ? std::string_view() : std::string_view(lower).substr(first);
  if (start.starts_with("<!doctype html") || start.starts_with("<html")) return media::kHtml;
  if (start.starts_with("<?xml")) {
    return start.find("<html") == std::string_view::npos ? media::kXml : media::kHtml;
  }
  return LooksLikeMail(start) ? media::kEml : media::kPlainText;
}

}  // namespace

std::optional<std::string_view> MediaTypeOfExtension(std::string_view extension) noexcept {
  const std::string lower = Lower(extension);
  const auto* row = std::find_if(kExtensions.begin(), kExtensions.end(),
                                 [&](const Row& r) { return r.first == lower; });
  if (row == kExtensions.end()) return std::nullopt;
  return row->second;
}

std::string_view DetectMediaType(std::string_view file_name, std::string_view bytes) noexcept {
  if (bytes.empty()) return media::kEmpty;
  const std::string_view by_extension =
      MediaTypeOfExtension(ExtensionOf(file_name)).value_or(std::string_view());
  if (bytes.starts_with(kZipMagic)) return ZipType(bytes, by_extension);
  if (bytes.starts_with(kOleMagic)) {
    // Office wraps an encrypted docx, pptx or xlsx into the same container.
    const bool known = IsOneOf(by_extension, {media::kDoc, media::kXls, media::kPpt, media::kMsg,
                                              media::kDocx, media::kPptx, media::kXlsx});
    return known ? by_extension : OleType(bytes);
  }
  for (const auto& [magic, type] : kMagic) {
    if (bytes.starts_with(magic)) return type;
  }
  if (bytes.substr(0, kPdfMagicWithin).find("%PDF-") != std::string_view::npos &&
      !IsOneOf(by_extension, {media::kPlainText, media::kMarkdown, media::kHtml, media::kEml})) {
    return media::kPdf;
  }
  const std::string_view head = bytes.substr(0, kLookedAtBytes);
  if (!LooksLikeText(head)) {
    // A damaged file of a known binary kind is that kind, so that its extractor names the damage.
    return by_extension.empty() || by_extension.starts_with("text/") ? media::kBinary
                                                                     : by_extension;
  }
  if (IsOneOf(by_extension, {media::kDoc, media::kXls})) {
    // Web pages and plain text are often saved under the names of old Office formats.
    return TextType(head);
  }
  return by_extension.empty() ? TextType(head) : by_extension;
}

}  // namespace sworn::indexer
