// Reads every file of a folder of real documents, where one is given.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "indexer/extract/extraction_pool.h"
#include "indexer/extract/media_type.h"

namespace sworn::indexer {
namespace {

constexpr std::string_view kStatusNames[] = {"text", "skipped", "failed", "needs_ocr"};

TEST(ExtractSharedTest, EveryFileOfARealFolderGivesTextOrAReason) {
  const char* shared = std::getenv("SWORN_SHARED_DATA");  // NOLINT(concurrency-mt-unsafe)
  if (shared == nullptr) GTEST_SKIP() << "SWORN_SHARED_DATA is not set";
  ExtractionPoolOptions options;
  options.program = EXTRACT_TEST_WORKER;
  options.limits.max_seconds = 30;
  ExtractionPool pool(options);
  std::map<std::string, std::map<std::string_view, int>> table;
  const std::filesystem::path folder = std::filesystem::path(shared) / "documents";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
    const auto begin = std::chrono::steady_clock::now();
    const ExtractionResult result = pool.Extract(bytes, entry.path().filename().native());
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin);
    EXPECT_LT(took.count(), 100.0) << entry.path();
    const std::string_view status = kStatusNames[static_cast<std::size_t>(result.status)];
    ++table[entry.path().extension().native()][status];
    if (result.status == ExtractionStatus::kText) {
      EXPECT_TRUE(result.reason.empty());
      EXPECT_FALSE(result.text.extractor.empty()) << entry.path();
    } else {
      EXPECT_FALSE(result.reason.empty()) << entry.path();
      // A parser that dies is contained, but it is still a fault to look at.
      EXPECT_EQ(result.reason.find("worker"), std::string::npos) << entry.path();
    }
    std::printf("%-9s %6.0f ms %8zu %s %s\n", std::string(status).c_str(), took.count() * 1000,
                result.text.text.size(), entry.path().lexically_relative(folder).c_str(),
                result.reason.c_str());
  }
  for (const auto& [extension, counts] : table) {
    std::printf("%-8s", extension.c_str());
    for (const auto& [status, count] : counts) {
      std::printf(" %s %d", std::string(status).c_str(), count);
    }
    std::printf("\n");
  }
  EXPECT_FALSE(table.empty());
}

}  // namespace
}  // namespace sworn::indexer
