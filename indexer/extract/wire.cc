#include "indexer/extract/wire.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/text/unicode.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxRequestJsonBytes = std::size_t{1024} * 1024;
constexpr std::size_t kMaxReplyJsonBytes = std::size_t{4} * 1024 * 1024;
constexpr std::size_t kMaxStringTableBytes = std::size_t{64} * 1024 * 1024;
constexpr std::size_t kMaxRequestBodyBytes = std::size_t{4} << 30U;
constexpr std::size_t kMaxArguments = 32;
// The records: u32 number of strings, each as u32 length and bytes, then per block a record of
// kind, level, ocr, presence (u8 each); begin, end (u64); page, page_end, slide, row (u32);
// table header, page label, sheet, attachment path (u32 numbers of strings; 0 is the empty one).
constexpr std::size_t kRecordBytes = 52;
constexpr unsigned kHasPage = 1;
constexpr unsigned kHasPageEnd = 2;
constexpr unsigned kHasSlide = 4;
constexpr unsigned kHasRow = 8;
constexpr auto kLastKind = static_cast<std::uint8_t>(BlockKind::kNote);

constexpr std::array<std::pair<std::string_view, WorkerOperation>, 4> kOperations = {{
    {"start", WorkerOperation::kStart},
    {"extract", WorkerOperation::kExtract},
    {"render_page", WorkerOperation::kRenderPage},
    {"run_tool", WorkerOperation::kRunTool},
}};

// The codes a worker may answer with; any other would let it steer the program.
constexpr std::array<ErrorCode, 5> kReplyCodes = {ErrorCode::kUnsupportedMedia,
                                                  ErrorCode::kTooLarge, ErrorCode::kDenied,
                                                  ErrorCode::kIntegrity, ErrorCode::kNotFound};

[[noreturn]] void RefuseReply(const char* what) {
  throw Error(ErrorCode::kIntegrity, std::string("the worker's answer is not valid: ") + what);
}

// A number that fits its type exactly: nlohmann would convert signs and fractions in silence.
template <typename T>
void GetNumber(const json& from, T& to) {
  if (!from.is_number_unsigned() ||
      from.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<T>::max()}) {
    throw Error(ErrorCode::kIntegrity, "a number is negative, fractional or too large");
  }
  to = static_cast<T>(from.get<std::uint64_t>());
}

json LimitsToJson(const ExtractLimits& limits) {
  return {{"max_file_bytes", limits.max_file_bytes},
          {"max_pages", limits.max_pages},
          {"max_inflated_bytes", limits.max_inflated_bytes},
          {"max_inflate_ratio", limits.max_inflate_ratio},
          {"max_archive_entries", limits.max_archive_entries},
          {"max_nesting", limits.max_nesting},
          {"max_seconds", limits.max_seconds},
          {"max_worker_memory_bytes", limits.max_worker_memory_bytes}};
}

ExtractLimits LimitsFromJson(const json& from) {
  ExtractLimits limits;
  GetNumber(from.at("max_file_bytes"), limits.max_file_bytes);
  GetNumber(from.at("max_pages"), limits.max_pages);
  GetNumber(from.at("max_inflated_bytes"), limits.max_inflated_bytes);
  GetNumber(from.at("max_inflate_ratio"), limits.max_inflate_ratio);
  GetNumber(from.at("max_archive_entries"), limits.max_archive_entries);
  GetNumber(from.at("max_nesting"), limits.max_nesting);
  GetNumber(from.at("max_seconds"), limits.max_seconds);
  GetNumber(from.at("max_worker_memory_bytes"), limits.max_worker_memory_bytes);
  return limits;
}

// Numbers the distinct strings of the blocks.
class StringTable {
 public:
  std::uint32_t Number(const std::string& text) {
    if (text.empty()) return 0;
    const auto [entry, added] =
        numbers_.emplace(text, static_cast<std::uint32_t>(numbers_.size() + 1));
    if (added) {
      AppendU32(encoded_, static_cast<std::uint32_t>(text.size()));
      encoded_.append(text);
    }
    return entry->second;
  }

  [[nodiscard]] std::string Encoded() const {
    std::string encoded;
    AppendU32(encoded, static_cast<std::uint32_t>(numbers_.size()));
    return encoded + encoded_;
  }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::string encoded_;
};

void AppendRecord(const Block& block, StringTable& strings, std::string& out) {
  const Location& at = block.location;
  const unsigned presence = (at.page ? kHasPage : 0U) | (at.page_end ? kHasPageEnd : 0U) |
                            (at.slide ? kHasSlide : 0U) | (at.row ? kHasRow : 0U);
  out.push_back(static_cast<char>(block.kind));
  out.push_back(static_cast<char>(block.heading_level));
  out.push_back(block.ocr ? '\1' : '\0');
  out.push_back(static_cast<char>(presence));
  AppendU64(out, block.range.begin);
  AppendU64(out, block.range.end);
  for (const auto& number : {at.page, at.page_end, at.slide, at.row}) {
    AppendU32(out, number.value_or(0));
  }
  for (const std::string* name :
       {&block.table_header, &at.page_label, &at.sheet, &at.attachment_path}) {
    AppendU32(out, strings.Number(*name));
  }
}

Block ReadRecord(std::string_view records, std::size_t at,
                 const std::vector<std::string>& strings) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(records[at + i]); };
  const auto name = [&](std::size_t i) -> const std::string& {
    const std::uint32_t number = LoadU32(records, at + i);
    if (number >= strings.size()) RefuseReply("a string that is not there");
    return strings[number];
  };
  if (byte(0) > kLastKind || byte(2) > 1 || byte(3) > 15) RefuseReply("a block's kind");
  Block block;
  block.kind = static_cast<BlockKind>(byte(0));
  block.heading_level = byte(1);
  const bool heading = block.kind == BlockKind::kHeading;
  if (heading ? block.heading_level < 1 || block.heading_level > 6 : block.heading_level != 0) {
    RefuseReply("a heading's level");
  }
  block.ocr = byte(2) != 0;
  block.range = {LoadU64(records, at + 4), LoadU64(records, at + 12)};
  const unsigned presence = byte(3);
  if ((presence & kHasPage) != 0) block.location.page = LoadU32(records, at + 20);
  if ((presence & kHasPageEnd) != 0) block.location.page_end = LoadU32(records, at + 24);
  if ((presence & kHasSlide) != 0) block.location.slide = LoadU32(records, at + 28);
  if ((presence & kHasRow) != 0) block.location.row = LoadU32(records, at + 32);
  block.table_header = name(36);
  block.location.page_label = name(40);
  block.location.sheet = name(44);
  block.location.attachment_path = name(48);
  return block;
}

bool IsCleanLine(const std::string& line, std::size_t max_bytes) {
  return line.size() <= max_bytes && line.find_first_of("\n\f") == std::string::npos &&
         text::Normalize(line).text == line;
}

// The string table at the front of `records`, with the empty string as number 0; `records` moves
// past it.
std::vector<std::string> ReadStrings(std::string_view& records) {
  constexpr std::size_t kLengthBytes = 4;
  std::vector<std::string> strings(1);
  if (records.empty()) return strings;
  if (records.size() < kLengthBytes) RefuseReply("its table of names");
  const std::uint32_t count = LoadU32(records, 0);
  records.remove_prefix(kLengthBytes);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (records.size() < kLengthBytes) RefuseReply("its table of names");
    const std::size_t length = LoadU32(records, 0);
    records.remove_prefix(kLengthBytes);
    if (length > records.size()) RefuseReply("its table of names");
    strings.emplace_back(records.substr(0, length));
    records.remove_prefix(length);
    if (!IsCleanLine(strings.back(), std::max(kMaxTableHeaderBytes, kMaxLocationNameBytes))) {
      RefuseReply("a name in its blocks");
    }
  }
  return strings;
}

std::vector<Block> ReadBlocks(std::string_view records) {
  const std::vector<std::string> strings = ReadStrings(records);
  if (records.size() % kRecordBytes != 0) RefuseReply("the length of its blocks");
  std::vector<Block> blocks;
  blocks.reserve(records.size() / kRecordBytes);
  std::size_t name_bytes = 0;
  for (std::size_t at = 0; at < records.size(); at += kRecordBytes) {
    blocks.push_back(ReadRecord(records, at, strings));
    name_bytes += NameBytes(blocks.back());
    if (name_bytes > kMaxNameBytes) RefuseReply("the names in its blocks");
  }
  return blocks;
}

// The promises of indexer/extracted.h about the text and its blocks.
void CheckBlocks(std::string_view text, const std::vector<Block>& blocks) {
  if (!text::IsValidUtf8(text) || text::Normalize(text).text != text) RefuseReply("its text");
  const auto on_boundary = [&](std::uint64_t at) {
    return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80;
  };
  std::uint64_t at = 0;
  for (const Block& block : blocks) {
    if (block.range.begin < at || block.range.begin >= block.range.end ||
        block.range.end > text.size() || !on_boundary(block.range.begin) ||
        !on_boundary(block.range.end)) {
      RefuseReply("a block's range");
    }
    const std::string_view gap = text.substr(at, block.range.begin - at);
    if (gap.find_first_not_of("\n\f") != std::string_view::npos) {
      RefuseReply("text outside of its blocks");
    }
    at = block.range.end;
  }
  if (at != text.size()) RefuseReply("text outside of its blocks");
}

void ReadMetadata(const json& from, ExtractedText& to) {
  from.at("title").get_to(to.title);
  from.at("metadata").get_to(to.metadata);
  from.at("extractor").get_to(to.extractor);
  GetNumber(from.at("page_count"), to.page_count);
  from.at("warnings").get_to(to.warnings);
  const json& removed = from.at("removed");
  GetNumber(removed.at("invalid"), to.removed.invalid);
  GetNumber(removed.at("control"), to.removed.control);
  GetNumber(removed.at("zero_width"), to.removed.zero_width);
  GetNumber(removed.at("bidi"), to.removed.bidi);
  GetNumber(removed.at("tag"), to.removed.tag);
  if (!IsCleanLine(to.title, kMaxTitleBytes)) RefuseReply("its title");
  if (!IsCleanLine(to.extractor, kMaxTitleBytes)) RefuseReply("its extractor");
  if (to.metadata.size() > kMaxMetadataEntries || to.warnings.size() > kMaxWarnings) {
    RefuseReply("its metadata");
  }
  for (const auto& [key, value] : to.metadata) {
    if (!IsCleanLine(key, kMaxMetadataBytes) || !IsCleanLine(value, kMaxMetadataBytes)) {
      RefuseReply("its metadata");
    }
  }
  for (const std::string& warning : to.warnings) {
    if (!IsCleanLine(warning, kMaxWarningBytes)) RefuseReply("a warning");
  }
}

Extraction ReadExtraction(const json& from, Frame frame) {
  Extraction extraction;
  for (const json& page : from.at("ocr_pages")) {
    GetNumber(page, extraction.ocr_pages.emplace_back());
  }
  const bool ascending =
      std::adjacent_find(extraction.ocr_pages.begin(), extraction.ocr_pages.end(),
                         std::greater_equal<>()) == extraction.ocr_pages.end();
  if (!ascending || (!extraction.ocr_pages.empty() && extraction.ocr_pages.front() == 0)) {
    RefuseReply("its pages for OCR");
  }
  ReadMetadata(from, extraction.text);
  extraction.text.blocks = ReadBlocks(frame.records);
  extraction.text.text = std::move(frame.body);
  CheckBlocks(extraction.text.text, extraction.text.blocks);
  return extraction;
}

WorkerReply ReadReply(const json& from, Frame frame) {
  WorkerReply reply;
  const auto status = from.at("status").get<std::string>();
  if (status == "text") {
    if (frame.body.size() > kMaxTextBytes) RefuseReply("the size of its text");
    reply.ok = true;
    reply.extraction = ReadExtraction(from, std::move(frame));
  } else if (status == "image") {
    reply.ok = true;
    reply.image = std::move(frame.body);
  } else if (status == "error") {
    const auto code = from.at("code").get<std::string>();
    const auto* known = std::find_if(kReplyCodes.begin(), kReplyCodes.end(),
                                     [&](ErrorCode c) { return ErrorCodeName(c) == code; });
    reply.code = known == kReplyCodes.end() ? ErrorCode::kIntegrity : *known;
    reply.reason = text::ForTerminal(from.at("reason").get<std::string>());
    reply.reason.resize(text::CutAtCodePoint(reply.reason, kMaxReasonBytes));
    std::replace(reply.reason.begin(), reply.reason.end(), '\n', ' ');
  } else {
    RefuseReply("its status");
  }
  return reply;
}

json ExtractionToJson(const Extraction& extraction) {
  const ExtractedText& text = extraction.text;
  return {{"status", "text"},
          {"title", text.title},
          {"metadata", text.metadata},
          {"extractor", text.extractor},
          {"page_count", text.page_count},
          {"warnings", text.warnings},
          {"removed",
           {{"invalid", text.removed.invalid},
            {"control", text.removed.control},
            {"zero_width", text.removed.zero_width},
            {"bidi", text.removed.bidi},
            {"tag", text.removed.tag}}},
          {"ocr_pages", extraction.ocr_pages}};
}

}  // namespace

FrameBounds RequestBounds() { return {kMaxRequestJsonBytes, kMaxRequestBodyBytes, 0}; }

FrameBounds ReplyBounds() {
  // An image in plain "P5" form has one byte per pixel and a short head.
  return {kMaxReplyJsonBytes, std::max<std::size_t>(kMaxTextBytes, kMaxRenderedPixels + 64),
          kMaxBlocks * kRecordBytes + kMaxStringTableBytes};
}

std::string EncodeRequest(const WorkerRequest& request) {
  const auto* name = std::find_if(kOperations.begin(), kOperations.end(),
                                  [&](const auto& o) { return o.second == request.operation; });
  const json encoded = {{"operation", name->first},
                        {"file_name", request.extract.file_name},
                        {"media_type", request.extract.media_type},
                        {"nesting", request.extract.nesting},
                        {"limits", LimitsToJson(request.extract.limits)},
                        {"page", request.page},
                        {"dpi", request.dpi},
                        {"arguments", request.arguments}};
  // File names are any bytes; what is no UTF-8 in them is replaced.
  return encoded.dump(-1, ' ', false, json::error_handler_t::replace);
}

WorkerRequest DecodeRequest(std::string_view text) {
  try {
    const json from = json::parse(text);
    const auto operation = from.at("operation").get<std::string>();
    const auto* known = std::find_if(kOperations.begin(), kOperations.end(),
                                     [&](const auto& o) { return o.first == operation; });
    if (known == kOperations.end()) {
      throw Error(ErrorCode::kInvalidArgument, "unknown operation of an extraction worker");
    }
    WorkerRequest request;
    request.operation = known->second;
    from.at("file_name").get_to(request.extract.file_name);
    from.at("media_type").get_to(request.extract.media_type);
    GetNumber(from.at("nesting"), request.extract.nesting);
    request.extract.limits = LimitsFromJson(from.at("limits"));
    GetNumber(from.at("page"), request.page);
    GetNumber(from.at("dpi"), request.dpi);
    from.at("arguments").get_to(request.arguments);
    if (request.arguments.size() > kMaxArguments) {
      throw Error(ErrorCode::kInvalidArgument, "too many arguments of a tool");
    }
    return request;
  } catch (const json::exception&) {
    throw Error(ErrorCode::kInvalidArgument, "not a request to an extraction worker");
  }
}

Frame EncodeReply(const WorkerReply& reply) {
  Frame frame;
  json head;
  if (!reply.ok) {
    head = {{"status", "error"}, {"code", ErrorCodeName(reply.code)}, {"reason", reply.reason}};
  } else if (!reply.image.empty()) {
    head = {{"status", "image"}};
    frame.body = reply.image;
  } else {
    StringTable strings;
    std::string records;
    for (const Block& block : reply.extraction.text.blocks) AppendRecord(block, strings, records);
    frame.records = strings.Encoded() + records;
    head = ExtractionToJson(reply.extraction);
    frame.body = reply.extraction.text.text;
  }
  frame.json = head.dump(-1, ' ', false, json::error_handler_t::replace);
  const FrameBounds bounds = ReplyBounds();
  if (frame.json.size() > bounds.max_json_bytes || frame.records.size() > bounds.max_record_bytes) {
    throw Error(ErrorCode::kTooLarge, "the document's structure is too large");
  }
  return frame;
}

WorkerReply DecodeReply(Frame frame) {
  const FrameBounds bounds = ReplyBounds();
  if (frame.json.size() > bounds.max_json_bytes || frame.body.size() > bounds.max_body_bytes ||
      frame.records.size() > bounds.max_record_bytes) {
    RefuseReply("its size");
  }
  try {
    const json from = json::parse(frame.json);
    return ReadReply(from, std::move(frame));
  } catch (const json::exception&) {
    RefuseReply("its head");
  }
}

}  // namespace sworn::indexer
