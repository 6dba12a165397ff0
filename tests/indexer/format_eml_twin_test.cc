// Compares mails with the parse that another program's test suite expects of them. The mails are
// not part of this project: SWORN_SHARED_DATA names the folder that holds documents/eml.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "tests/indexer/format_samples.h"

namespace sworn::indexer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What must agree: the characters, without white space and quotation marks.
std::string Squeezed(std::string_view text) {
  std::string result;
  for (const char c : text::Normalize(text).text) {
    if (std::string_view(" \t\n\f\"\\>").find(c) == std::string_view::npos) result.push_back(c);
  }
  return result;
}

const json* Field(const json& part, std::string_view name) {
  const json* found = nullptr;
  for (const json& header : part.at("headers")) {
    if (header.at("name") == name) found = &header.at("value");
  }
  return found;
}

void CollectAddresses(const json& value, std::vector<std::string>& words) {
  if (value.is_object()) {
    for (const char* key : {"name", "address"}) {
      if (value.contains(key) && value.at(key).is_string()) words.push_back(value.at(key));
    }
    for (const auto& [key, inner] : value.items()) CollectAddresses(inner, words);
  } else if (value.is_array()) {
    for (const json& inner : value) CollectAddresses(inner, words);
  }
}

std::string DateOf(const json& value) {
  const json& date = value.at("DateTime");
  const auto number = [&date](const char* key) { return date.at(key).get<int>(); };
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d",
                number("year"), number("month"), number("day"), number("hour"), number("minute"),
                number("second"), date.at("tz_before_gmt").get<bool>() ? '-' : '+',
                number("tz_hour"), number("tz_minute"));
  return FormatRfc3339(ParseRfc3339(text.data()));
}

std::string NameOf(const json& part) {
  for (const char* field : {"content_disposition", "content_type"}) {
    const json* value = Field(part, field);
    if (value == nullptr || !value->contains("ContentType")) continue;
    const json& attributes = value->at("ContentType").at("attributes");
    if (!attributes.is_array()) continue;
    for (const json& attribute : attributes) {
      if (attribute.at("name") == "filename" || attribute.at("name") == "name") {
        return attribute.at("value");
      }
    }
  }
  return {};
}

struct Counts {
  int compared = 0;
  int agreed = 0;
};

class TwinComparison {
 public:
  explicit TwinComparison(std::map<std::string, Counts>& counts) : counts_(counts) {}

  void Compare(const fs::path& mail, const json& twin) {
    name_ = mail.parent_path().filename().string() + "/" + mail.filename().string();
    const ExtractedText text = Extract(ReadAll(mail), media::kEml).text;
    const json& root = twin.at("parts").at(0);
    const auto metadata = [&text](const std::string& key) {
      const auto found = text.metadata.find(key);
      return found == text.metadata.end() ? std::string() : found->second;
    };
    if (const json* value = Field(root, "subject"); value != nullptr && value->contains("Text")) {
      Count("subject", Squeezed(value->at("Text").get<std::string>()),
            Squeezed(metadata("subject")));
    }
    for (const char* field : {"from", "to"}) {
      if (const json* value = Field(root, field); value != nullptr) {
        CompareAddresses(field, *value, Squeezed(metadata(field)));
      }
    }
    if (const json* value = Field(root, "date"); value != nullptr && value->contains("DateTime")) {
      Count("date", DateOf(*value), metadata("date"));
    }
    CompareBody(twin, text);
    CompareAttachments(twin, text);
  }

 private:
  void Count(const std::string& field, const std::string& expected, const std::string& actual) {
    Counts& counts = counts_[field];
    ++counts.compared;
    counts.agreed += expected == actual ? 1 : 0;
    if (expected == actual) return;
    std::cout << "differs: " << name_ << " " << field << "\n  expected " << expected.substr(0, 160)
              << "\n  actual   " << actual.substr(0, 160) << "\n";
  }

  void CompareAddresses(const std::string& field, const json& value, const std::string& actual) {
    std::vector<std::string> words;
    CollectAddresses(value, words);
    std::string missing;
    for (const std::string& word : words) {
      if (actual.find(Squeezed(word)) == std::string::npos) missing += word + " ";
    }
    Count(field, missing.empty() ? actual : missing, actual);
  }

  void CompareBody(const json& twin, const ExtractedText& text) {
    std::string expected;
    for (const json& index : twin.at("text_body")) {
      const json& body = twin.at("parts").at(index.get<std::size_t>()).at("body");
      if (body.contains("Text")) expected += body.at("Text").get<std::string>();
      if (body.contains("Html")) {
        expected += Extract(body.at("Html").get<std::string>(), media::kHtml).text.text;
      }
    }
    std::string actual;
    for (std::size_t i = text.metadata.contains("from") || text.metadata.contains("to") ||
                                 text.metadata.contains("subject") ||
                                 text.metadata.contains("date_header")
                             ? 1
                             : 0;
         i < text.blocks.size(); ++i) {
      if (text.blocks[i].location.attachment_path.empty()) actual += TextOf(text, text.blocks[i]);
    }
    Count("body", Squeezed(expected), Squeezed(actual));
  }

  void CompareAttachments(const json& twin, const ExtractedText& text) {
    std::string known;
    for (const Block& block : text.blocks) known += block.location.attachment_path + "\n";
    for (const std::string& warning : text.warnings) known += warning + "\n";
    for (const json& index : twin.at("attachments")) {
      const std::string name = NameOf(twin.at("parts").at(index.get<std::size_t>()));
      if (name.empty()) continue;
      const bool found = known.find(name) != std::string::npos;
      Count("attachment name", name, found ? name : known);
    }
  }

  std::map<std::string, Counts>& counts_;
  std::string name_;
};

TEST(EmlTwins, AgreeWithTheParseThatIsExpectedOfThem) {
  const char* shared = std::getenv("SWORN_SHARED_DATA");  // NOLINT(concurrency-mt-unsafe)
  if (shared == nullptr) GTEST_SKIP() << "SWORN_SHARED_DATA is not set";
  std::map<std::string, Counts> counts;
  TwinComparison comparison(counts);
  std::set<fs::path> mails;
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator(fs::path(shared) / "documents" / "eml")) {
    if (entry.path().extension() == ".eml") mails.insert(entry.path());
  }
  int twins = 0;
  for (const fs::path& mail : mails) {
    const fs::path twin = fs::path(mail).replace_extension(".json");
    if (!fs::exists(twin)) continue;
    ++twins;
    comparison.Compare(mail, json::parse(ReadAll(twin)));
  }
  std::cout << twins << " mails\n";
  for (const auto& [field, count] : counts) {
    std::cout << field << ": " << count.agreed << " of " << count.compared << " agree\n";
  }
  // What was reached; docs/formats/documents.md says why the others differ.
  ASSERT_GT(twins, 0);
  EXPECT_EQ(counts["date"].agreed, counts["date"].compared);
  EXPECT_EQ(counts["from"].agreed, counts["from"].compared);
  EXPECT_LE(counts["subject"].compared - counts["subject"].agreed, 2);
  EXPECT_LE(counts["to"].compared - counts["to"].agreed, 5);
  EXPECT_LE(counts["body"].compared - counts["body"].agreed, 6);
  EXPECT_EQ(counts["attachment name"].agreed, counts["attachment name"].compared);
}

}  // namespace
}  // namespace sworn::indexer
