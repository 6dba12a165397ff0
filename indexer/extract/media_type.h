// What kind of file these bytes are, by magic bytes, extension and look.
#pragma once

#include <optional>
#include <string_view>

namespace sworn::indexer {

namespace media {
inline constexpr std::string_view kPlainText = "text/plain";
inline constexpr std::string_view kMarkdown = "text/markdown";
inline constexpr std::string_view kHtml = "text/html";
inline constexpr std::string_view kCsv = "text/csv";
inline constexpr std::string_view kTsv = "text/tab-separated-values";
inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kJsonLines = "application/x-ndjson";
inline constexpr std::string_view kXml = "application/xml";
inline constexpr std::string_view kRtf = "application/rtf";
inline constexpr std::string_view kPdf = "application/pdf";
inline constexpr std::string_view kEml = "message/rfc822";
inline constexpr std::string_view kDocx =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
inline constexpr std::string_view kPptx =
    "application/vnd.openxmlformats-officedocument.presentationml.presentation";
inline constexpr std::string_view kXlsx =
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
inline constexpr std::string_view kOdt = "application/vnd.oasis.opendocument.text";
inline constexpr std::string_view kOds = "application/vnd.oasis.opendocument.spreadsheet";
inline constexpr std::string_view kOdp = "application/vnd.oasis.opendocument.presentation";
inline constexpr std::string_view kDoc = "application/msword";
inline constexpr std::string_view kXls = "application/vnd.ms-excel";
inline constexpr std::string_view kPpt = "application/vnd.ms-powerpoint";
inline constexpr std::string_view kMsg = "application/vnd.ms-outlook";
inline constexpr std::string_view kC = "text/x-c";
inline constexpr std::string_view kCpp = "text/x-c++";
inline constexpr std::string_view kCSharp = "text/x-csharp";
inline constexpr std::string_view kGo = "text/x-go";
inline constexpr std::string_view kJava = "text/x-java";
inline constexpr std::string_view kJavaScript = "text/x-javascript";
inline constexpr std::string_view kLua = "text/x-lua";
inline constexpr std::string_view kPerl = "text/x-perl";
inline constexpr std::string_view kPhp = "text/x-php";
inline constexpr std::string_view kPython = "text/x-python";
inline constexpr std::string_view kRuby = "text/x-ruby";
inline constexpr std::string_view kRust = "text/x-rust";
inline constexpr std::string_view kShell = "text/x-shellscript";
inline constexpr std::string_view kSql = "text/x-sql";
inline constexpr std::string_view kTypeScript = "text/x-typescript";
inline constexpr std::string_view kTaggedCode = "text/x-tagged-code";  // between pool and worker
inline constexpr std::string_view kZip = "application/zip";
inline constexpr std::string_view kBinary = "application/octet-stream";
inline constexpr std::string_view kEmpty = "application/x-empty";
}  // namespace media

/// The media type of a file. Magic bytes win over the extension where they contradict it (an RTF
/// named .doc), the extension wins where the bytes fit several types; bytes that look like text and
/// have no known extension are text/plain. Never fails: kBinary is the answer to everything else,
/// kEmpty to no bytes. The view is static.
std::string_view DetectMediaType(std::string_view file_name, std::string_view bytes) noexcept;

/// The media type of an extension without its dot, in any case: "PDF" -> "application/pdf".
std::optional<std::string_view> MediaTypeOfExtension(std::string_view extension) noexcept;

}  // namespace sworn::indexer
