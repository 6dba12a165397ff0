// JSON and JSON Lines: every leaf value becomes a line "path.to[3].it: value".
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text/unicode.h"
#include "indexer/extract/charset.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kMaxKeyBytes = 200;  // of a key as part of a path
constexpr std::string_view kExtractorName = "json/nlohmann-3.11";

// Receives the events of nlohmann's parser, so that no tree of the document is built.
class LeafReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  LeafReader(BlockDetails details, TextBuilder& builder)
      : details_(std::move(details)), builder_(builder) {}

  bool null() override { return EndValue(); }
  bool boolean(bool value) override { return AddLeaf(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return AddLeaf(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return AddLeaf(std::to_string(value)); }
  bool number_float(number_float_t /*value*/, const string_t& written) override {
    return AddLeaf(written);
  }
  bool string(string_t& value) override {
    if (path_.size() == 1 && path_.back().name == "title") builder_.SetTitle(value);
    return AddLeaf(value);
  }
  bool binary(binary_t& /*value*/) override { return EndValue(); }

  bool start_object(std::size_t /*elements*/) override { return Open({}); }
  bool key(string_t& value) override {
    path_.back().name = value.substr(0, text::CutAtCodePoint(value, kMaxKeyBytes));
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t /*elements*/) override { return Open({{}, true, 0}); }
  bool end_array() override { return Close(); }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*what*/) override {
    return false;
  }

 private:
  struct Step {
    std::string name;
    bool is_array = false;
    std::uint64_t index = 0;
  };

  bool Open(Step step) {
    if (path_.size() >= kMaxDepth) {
      throw Error(ErrorCode::kTooLarge, "the JSON is nested deeper than 200");
    }
    path_.push_back(std::move(step));
    return true;
  }

  bool Close() {
    path_.pop_back();
    return EndValue();
  }

  bool EndValue() {
    if (!path_.empty() && path_.back().is_array) ++path_.back().index;
    return true;
  }

  bool AddLeaf(std::string_view value) {
    std::string line;
    for (const Step& step : path_) {
      if (step.is_array) {
        line.append("[").append(std::to_string(step.index)).append("]");
      } else {
        line.append(line.empty() ? "" : ".").append(step.name);
      }
    }
    if (!line.empty()) line.append(": ");
    line.append(value);
    if (!value.empty()) builder_.AddBlock(BlockKind::kListItem, line, details_);
    return EndValue();
  }

  const BlockDetails details_;
  TextBuilder& builder_;
  std::vector<Step> path_;
};

// False if `utf8` is no JSON; what stood before the fault has been added then.
bool AddJson(std::string_view utf8, const BlockDetails& details, TextBuilder& builder) {
  LeafReader reader(details, builder);
  return nlohmann::json::sax_parse(utf8.begin(), utf8.end(), &reader);
}

// The parser refuses what is no UTF-8, so that is replaced and counted first.
std::string ValidUtf8(DecodedText decoded, TextBuilder& builder) {
  builder.AddInvalid(decoded.invalid);
  if (text::IsValidUtf8(decoded.utf8)) return std::move(decoded.utf8);
  text::NormalizedText normal = text::Normalize(decoded.utf8);
  builder.AddInvalid(normal.removed.invalid);
  return std::move(normal.text);
}

// Several objects or arrays after each other, as logs have them; none if one of them is damaged.
std::optional<ExtractedText> ReadSeveral(const std::string& utf8) {
  TextBuilder builder{std::string(kExtractorName)};
  std::istringstream stream(utf8);
  while (stream >> std::ws && !stream.eof()) {
    const int next = stream.peek();
    LeafReader reader({}, builder);
    if ((next != '{' && next != '[') ||
        !nlohmann::json::sax_parse(stream, &reader, nlohmann::json::input_format_t::json, false)) {
      return std::nullopt;
    }
  }
  return std::move(builder).Finish();
}

}  // namespace

Extraction ExtractJson(std::string_view bytes, const ExtractRequest& /*request*/) {
  TextBuilder builder{std::string(kExtractorName)};
  const std::string utf8 = ValidUtf8(DecodeText(bytes), builder);
  if (AddJson(utf8, {}, builder)) return {std::move(builder).Finish(), {}};
  if (std::optional<ExtractedText> several = ReadSeveral(utf8)) return {*std::move(several), {}};
  throw Error(ErrorCode::kIntegrity, "damaged: not valid JSON");
}

Extraction ExtractJsonLines(std::string_view bytes, const ExtractRequest& /*request*/) {
  TextBuilder builder{std::string(kExtractorName)};
  const std::string utf8 = ValidUtf8(DecodeText(bytes), builder);
  std::string_view rest = utf8;
  std::uint32_t good = 0;
  std::uint32_t bad = 0;
  for (std::uint32_t line_number = 1; !rest.empty(); ++line_number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    BlockDetails details;
    details.location.row = line_number;
    if (AddJson(line, details, builder)) {
      ++good;
    } else {
      ++bad;
      builder.AddWarning("line " + std::to_string(line_number) + " is not valid JSON");
    }
  }
  if (bad > 0 && good == 0) throw Error(ErrorCode::kIntegrity, "damaged: not valid JSON");
  return {std::move(builder).Finish(), {}};
}

}  // namespace sworn::indexer
