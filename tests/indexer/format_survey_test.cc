// Extracts every file of a folder and prints a table of what became of each kind. The files are
// not part of this project: SWORN_SHARED_DATA names the folder that holds documents/.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

#include "core/text/unicode.h"
#include "tests/indexer/format_samples.h"

namespace sworn::indexer {
namespace {

namespace fs = std::filesystem;

struct Row {
  int files = 0;
  int with_text = 0;
  int needs_ocr = 0;
  int without_text = 0;
  int skipped = 0;
  int failed = 0;
  std::map<std::string, int> reasons;
};

// Blocks lie in order, are not empty and hold all but the separators.
bool IsWellFormed(const ExtractedText& text) {
  std::uint64_t at = 0;
  for (const Block& block : text.blocks) {
    if (block.range.begin < at || block.range.end <= block.range.begin) return false;
    if (block.range.end > text.text.size()) return false;
    const std::string_view gap = std::string_view(text.text).substr(at, block.range.begin - at);
    if (gap.find_first_not_of("\n\f") != std::string_view::npos) return false;
    at = block.range.end;
  }
  return at == text.text.size() && text::IsValidUtf8(text.text);
}

TEST(FormatSurvey, EveryFileIsReadOrNamedWithAReason) {
  const char* shared = std::getenv("SWORN_SHARED_DATA");  // NOLINT(concurrency-mt-unsafe)
  if (shared == nullptr) GTEST_SKIP() << "SWORN_SHARED_DATA is not set";
  const std::set<std::string> extensions = {".pdf", ".docx", ".odt",  ".ods",
                                            ".odp", ".pptx", ".xlsx", ".eml"};
  std::map<std::string, Row> rows;
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator(fs::path(shared) / "documents")) {
    const std::string extension = entry.path().extension().string();
    if (!entry.is_regular_file() || !extensions.contains(extension)) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    Row& row = rows[extension.substr(1)];
    ++row.files;
    const std::string_view type = DetectMediaType(entry.path().filename().string(), bytes);
    if (type == media::kEmpty || FindExtractor(type) == nullptr) {
      ++row.skipped;
      ++row.reasons[type == media::kEmpty ? "empty" : "unsupported: " + std::string(type)];
      continue;
    }
    try {
      const Extraction extraction = Extract(bytes, type);
      EXPECT_TRUE(IsWellFormed(extraction.text)) << entry.path();
      if (!extraction.text.blocks.empty()) {
        ++row.with_text;
      } else if (!extraction.ocr_pages.empty()) {
        ++row.needs_ocr;
      } else {
        ++row.without_text;
      }
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << entry.path();
      ++row.failed;
      ++row.reasons[error.what()];
    }
  }
  ASSERT_FALSE(rows.empty());
  std::cout << "| type | files | text | needs OCR | no text | skipped | failed | reasons |\n"
            << "|---|---|---|---|---|---|---|---|\n";
  for (const auto& [type, row] : rows) {
    std::cout << "| " << type << " | " << row.files << " | " << row.with_text << " | "
              << row.needs_ocr << " | " << row.without_text << " | " << row.skipped << " | "
              << row.failed << " |";
    for (const auto& [reason, count] : row.reasons) {
      std::cout << " " << reason << " (" << count << ")";
    }
    std::cout << " |\n";
  }
}

}  // namespace
}  // namespace sworn::indexer
