// E-mail (RFC 5322, MIME) through GMime: header fields, body, attachments through the registry.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmime/gmime.h>

#include "core/clock.h"
#include "core/error.h"
#include "indexer/extract/charset.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/media_type.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

constexpr int kMaxMimeDepth = 64;
constexpr std::uint32_t kMaxNamedAttachments = 1000;  // those beyond are counted, not read
constexpr std::int64_t kMillisPerSecond = 1000;

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

struct FreeOptions {
  void operator()(GMimeParserOptions* options) const { g_mime_parser_options_free(options); }
};
using Options = std::unique_ptr<GMimeParserOptions, FreeOptions>;

// GMime's own warnings about broken mails would go to standard error.
void InitializeOnce() {
  static const bool done = [] {
    g_mime_init();
    g_log_set_handler(
        "gmime", static_cast<GLogLevelFlags>(G_LOG_LEVEL_MASK),
        [](const gchar*, GLogLevelFlags, const gchar*, gpointer) {}, nullptr);
    return true;
  }();
  static_cast<void>(done);
}

std::string OrEmpty(const char* text) { return text == nullptr ? std::string() : text; }

Owned<GMimeMessage> ParseMessage(std::string_view bytes, GMimeParserOptions* options) {
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  if (bytes.starts_with("From ")) g_mime_parser_set_format(parser.get(), GMIME_FORMAT_MBOX);
  return Owned<GMimeMessage>(g_mime_parser_construct_message(parser.get(), options));
}

// The content with its transfer encoding undone.
std::string ContentOf(GMimePart* part) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  const Owned<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_data_wrapper_write_to_stream(content, stream.get());
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return bytes->data == nullptr
             ? std::string()
             : std::string(reinterpret_cast<const char*>(bytes->data), bytes->len);
}

bool IsType(GMimeObject* object, const char* type, const char* subtype) {
  GMimeContentType* content_type = g_mime_object_get_content_type(object);
  return content_type != nullptr && g_mime_content_type_is_type(content_type, type, subtype) != 0;
}

std::string CharsetOf(GMimeObject* object) {
  return OrEmpty(g_mime_object_get_content_type_parameter(object, "charset"));
}

std::string Addresses(InternetAddressList* list, GMimeFormatOptions* format) {
  if (list == nullptr) return {};
  const std::unique_ptr<char, decltype(&g_free)> text(
      internet_address_list_to_string(list, format, FALSE), &g_free);
  return OrEmpty(text.get());
}

std::string DateOf(GMimeMessage* message) {
  GDateTime* date = g_mime_message_get_date(message);
  if (date == nullptr) return {};
  try {
    return FormatRfc3339(g_date_time_to_unix(date) * kMillisPerSecond);
  } catch (const Error&) {
    return {};  // a year beyond 9999
  }
}

class MailReader {
 public:
  MailReader(const ExtractRequest& request, GMimeParserOptions* options)
      : request_(request), options_(options) {}

  ExtractedText Read(GMimeMessage* message) {
    AddHeader(message);
    if (GMimeObject* root = g_mime_message_get_mime_part(message); root != nullptr) {
      Walk(root, TextRole::kBody, 0);
    }
    if (unread_attachments_ > 0) {
      builder_.AddWarning(std::to_string(unread_attachments_) +
                          " further attachments skipped: too many");
    }
    return std::move(builder_).Finish();
  }

 private:
  // The fields a reader sees are part of the text, so that "who wrote this?" can be quoted.
  void AddHeader(GMimeMessage* message) {
    std::string block;
    const auto add = [&](std::string_view label, const char* key, const std::string& value) {
      if (value.empty()) return;
      builder_.SetMetadata(key, value);
      block.append(label).append(": ").append(value).push_back('\n');
    };
    add("From", "from", Addresses(g_mime_message_get_from(message), nullptr));
    add("To", "to", Addresses(g_mime_message_get_to(message), nullptr));
    add("Cc", "cc", Addresses(g_mime_message_get_cc(message), nullptr));
    const char* date = g_mime_object_get_header(GMIME_OBJECT(message), "Date");
    add("Date", "date_header", OrEmpty(date));
    const std::string subject = OrEmpty(g_mime_message_get_subject(message));
    add("Subject", "subject", subject);
    builder_.SetMetadata("date", DateOf(message));
    builder_.SetMetadata("author", Addresses(g_mime_message_get_from(message), nullptr));
    builder_.SetMetadata("message_id", OrEmpty(g_mime_message_get_message_id(message)));
    builder_.SetTitle(subject);
    builder_.AddBlock(BlockKind::kParagraph, block);
  }

  // What a text part without a name is: the mail's own text, or another form of it.
  enum class TextRole : std::uint8_t { kBody, kTwin };

  void Walk(GMimeObject* object, TextRole role, int depth) {
    if (depth > kMaxMimeDepth) {
      builder_.AddWarning("parts nested deeper than 64 are skipped");
    } else if (GMIME_IS_MESSAGE_PART(object)) {
      AddMessage(GMIME_MESSAGE_PART(object));
    } else if (GMIME_IS_MULTIPART(object)) {
      WalkMultipart(GMIME_MULTIPART(object), role, depth);
    } else if (GMIME_IS_PART(object)) {
      AddPart(GMIME_PART(object), role);
    }
  }

  void WalkMultipart(GMimeMultipart* multipart, TextRole role, int depth) {
    const int count = g_mime_multipart_get_count(multipart);
    int chosen = -1;  // of alternatives, the one that is the body
    if (IsType(GMIME_OBJECT(multipart), "multipart", "alternative")) {
      chosen = Alternative(multipart, count);
    }
    for (int i = 0; i < count; ++i) {
      const bool twin = chosen >= 0 && i != chosen;
      Walk(g_mime_multipart_get_part(multipart, i), twin ? TextRole::kTwin : role, depth + 1);
    }
  }

  // Plain text if it says anything, else HTML, else the last (which the sender liked best).
  static int Alternative(GMimeMultipart* multipart, int count) {
    int html = -1;
    for (int i = 0; i < count; ++i) {
      GMimeObject* part = g_mime_multipart_get_part(multipart, i);
      if (IsType(part, "text", "plain") && GMIME_IS_PART(part) &&
          ContentOf(GMIME_PART(part)).find_first_not_of(" \t\r\n") != std::string::npos) {
        return i;
      }
      if (IsType(part, "text", "html") || IsType(part, "multipart", "related")) html = i;
    }
    return html >= 0 ? html : count - 1;
  }

  void AddPart(GMimePart* part, TextRole role) {
    GMimeObject* object = GMIME_OBJECT(part);
    const char* disposition = g_mime_object_get_disposition(object);
    const std::string name = OrEmpty(g_mime_part_get_filename(part));
    const bool attached = !name.empty() || (disposition != nullptr &&
                                            g_ascii_strcasecmp(disposition, "attachment") == 0);
    if (!attached && IsType(object, "text", "*")) {
      if (role == TextRole::kTwin) return;
      const DecodedText text = DecodeText(ContentOf(part), CharsetOf(object));
      IsType(object, "text", "html") ? AddHtml(text) : AddPlain(text);
    } else {
      AddAttachment(part, name);
    }
  }

  void AddHtml(const DecodedText& html) {
    builder_.AddInvalid(html.invalid);
    try {
      ExtractRequest request = request_;
      request.media_type = media::kHtml;
      builder_.AppendPart(ExtractBytes(html.utf8, request).text, "");
    } catch (const Error& error) {
      builder_.AddWarning("the HTML body is not read: " + std::string(error.what()));
    }
  }

  // Paragraphs end at blank lines; lines that begin with ">" quote an earlier mail.
  void AddPlain(const DecodedText& text) {
    builder_.AddInvalid(text.invalid);
    std::string piece;
    bool quoted = false;
    const auto flush = [&] {
      builder_.AddBlock(quoted ? BlockKind::kQuote : BlockKind::kParagraph, piece);
      piece.clear();
    };
    std::string_view rest = text.utf8;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const bool line_quoted = line.starts_with('>');
      while (line_quoted && (line.starts_with('>') || line.starts_with(' '))) line.remove_prefix(1);
      const bool blank = line.find_first_not_of(" \t\r") == std::string_view::npos;
      if (blank || line_quoted != quoted) flush();
      quoted = line_quoted;
      if (!blank) piece.append(line).push_back('\n');
    }
    flush();
  }

  // A name for what has none, so that each attachment can be told from the others.
  std::string NameOr(std::string name, std::string_view extension) {
    ++attachments_;
    if (name.empty()) name = "part-" + std::to_string(attachments_) + std::string(extension);
    // A path would be mistaken for nesting.
    std::replace(name.begin(), name.end(), '/', '_');
    return name;
  }

  void AddMessage(GMimeMessagePart* part) {
    GMimeMessage* message = g_mime_message_part_get_message(part);
    const char* given =
        g_mime_object_get_content_disposition_parameter(GMIME_OBJECT(part), "filename");
    const std::string name = NameOr(OrEmpty(given), ".eml");
    if (message == nullptr) {
      builder_.AddWarning("attachment '" + name + "' skipped: it is empty");
      return;
    }
    if (request_.nesting >= request_.limits.max_nesting) {
      builder_.AddWarning("attachment '" + name + "' skipped: nested deeper than " +
                          std::to_string(request_.limits.max_nesting) + " (max_nesting)");
      return;
    }
    ExtractRequest inner = request_;
    ++inner.nesting;
    const ExtractedText text = MailReader(inner, options_).Read(message);
    builder_.AppendPart(text, name);
    if (text.blocks.empty()) builder_.AddWarning("attachment '" + name + "' has no text");
  }

  void AddAttachment(GMimePart* part, const std::string& given_name) {
    const std::string name = NameOr(given_name, "");
    if (attachments_ > kMaxNamedAttachments) {
      ++unread_attachments_;
      return;
    }
    std::string content = ContentOf(part);
    ExtractRequest inner = request_;
    ++inner.nesting;
    inner.file_name = name;
    inner.media_type = TypeOf(GMIME_OBJECT(part), name, content);
    if (inner.media_type == media::kEmpty) {
      builder_.AddWarning("attachment '" + name + "' skipped: it is empty");
      return;
    }
    try {
      if (inner.media_type == media::kPlainText) {
        content = DecodeText(content, CharsetOf(GMIME_OBJECT(part))).utf8;
      }
      const Extraction extraction = ExtractBytes(content, inner);
      builder_.AppendPart(extraction.text, name);
      if (extraction.text.blocks.empty()) {
        builder_.AddWarning("attachment '" + name + "' has no text");
      }
      if (!extraction.ocr_pages.empty()) {
        builder_.AddWarning("attachment '" + name + "' needs OCR");
      }
    } catch (const Error& error) {
      builder_.AddWarning("attachment '" + name + "' skipped: " + error.what());
    }
  }

  // What the bytes are; what the mail says they are, where the bytes do not tell.
  static std::string TypeOf(GMimeObject* object, const std::string& name, std::string_view bytes) {
    const std::string_view detected = DetectMediaType(name, bytes);
    if (detected != media::kPlainText && detected != media::kBinary) return std::string(detected);
    GMimeContentType* declared = g_mime_object_get_content_type(object);
    const std::unique_ptr<char, decltype(&g_free)> type(
        declared == nullptr ? nullptr : g_mime_content_type_get_mime_type(declared), &g_free);
    std::string stated = OrEmpty(type.get());
    const bool better = stated.starts_with("text/") || detected == media::kBinary;
    if (FindExtractor(stated) != nullptr && better) return stated;
    return std::string(detected);
  }

  const ExtractRequest& request_;
  GMimeParserOptions* options_;
  TextBuilder builder_{"eml/gmime-3.2"};
  std::uint32_t attachments_ = 0;
  std::uint32_t unread_attachments_ = 0;
};

}  // namespace

Extraction ExtractEml(std::string_view bytes, const ExtractRequest& request) {
  InitializeOnce();
  const Options options(g_mime_parser_options_new());
  // For header fields with bytes beyond ASCII and no word about their charset.
  std::array<const char*, 3> fallback = {"utf-8", "windows-1252", nullptr};
  g_mime_parser_options_set_fallback_charsets(options.get(), fallback.data());
  // A mail that was saved as UTF-16 has a zero in every second byte of its header.
  std::string utf8;
  if (bytes.substr(0, 2).find('\0') != std::string_view::npos || bytes.starts_with("\xff\xfe") ||
      bytes.starts_with("\xfe\xff")) {
    std::string marked(bytes);  // the byte order mark tells DecodeText
    if (bytes[0] == '\0') marked.insert(0, "\xfe\xff");
    if (bytes.size() > 1 && bytes[1] == '\0') marked.insert(0, "\xff\xfe");
    utf8 = DecodeText(marked).utf8;
    bytes = utf8;
    if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);  // no part of a field's name
  }
  const Owned<GMimeMessage> message = ParseMessage(bytes, options.get());
  if (message == nullptr) throw Error(ErrorCode::kIntegrity, "corrupt mail: it has no header");
  return {MailReader(request, options.get()).Read(message.get()), {}};
}

}  // namespace sworn::indexer
