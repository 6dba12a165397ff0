// Real vectors of all-MiniLM-L6-v2, as soon as its weights are there: SWORN_MINILM names its folder
// (safetensors) or GGUF file, SWORN_SHARED_DATA the folder with the vectors. Neither is part of the
// project; without them the test is skipped.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernels/kernels.h"
#include "llm/embed/encoder_embedder.h"

namespace sworn::llm {
namespace {

using nlohmann::json;

constexpr std::size_t kDimension = 384;

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The numbers of a float32 .npy file of `rows` rows: they stand behind its header.
std::vector<float> ReadNpy(const std::filesystem::path& path, std::size_t rows) {
  const std::string bytes = ReadText(path);
  std::vector<float> values(rows * kDimension);
  const std::size_t size = values.size() * sizeof(float);
  if (bytes.size() < size) return {};
  std::memcpy(values.data(), bytes.data() + bytes.size() - size, size);
  return values;
}

TEST(MiniLmVectorsTest, AreTheOnesOfTheReferenceImplementation) {
  const char* const weights = std::getenv("SWORN_MINILM");      // NOLINT(concurrency-mt-unsafe)
  const char* const shared = std::getenv("SWORN_SHARED_DATA");  // NOLINT(concurrency-mt-unsafe)
  if (weights == nullptr || shared == nullptr) {
    GTEST_SKIP() << "SWORN_MINILM (the model) or SWORN_SHARED_DATA (the vectors) is not set";
  }
  const auto folder = std::filesystem::path(shared) / "models" / "minilm-vectors";
  std::unordered_map<std::string, std::string> texts;
  std::istringstream lines(ReadText(folder / "queries.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const json query = json::parse(line);
    texts[query.at("_id").get<std::string>()] = query.at("text").get<std::string>();
  }
  const json ids = json::parse(ReadText(folder / "scidocs_qids.json"));
  const std::vector<float> expected = ReadNpy(folder / "scidocs_qemb.npy", ids.size());
  ASSERT_EQ(expected.size(), ids.size() * kDimension);

  ThreadTeam team(AvailableCores());
  auto file = OpenModelFile(weights);
  const EmbeddingSettings settings = SuggestSettings(*file, "all-MiniLM-L6-v2");
  const EncoderEmbedder embedder(
      "minilm", "", EncoderModel::Load(std::move(file), *kernels::RunnableKernels().front(), team),
      team, settings);
  ASSERT_EQ(embedder.identity().dimension, kDimension);
  std::vector<std::string_view> passages;
  for (const json& id : ids) passages.push_back(texts.at(id.get<std::string>()));
  const std::vector<float> actual = embedder.EmbedPassages(passages);
  double worst = 1;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    double cosine = 0;
    for (std::size_t d = 0; d < kDimension; ++d) {
      cosine += static_cast<double>(actual[i * kDimension + d]) *
                static_cast<double>(expected[i * kDimension + d]);
    }
    worst = std::min(worst, cosine);
    // Int8 weights move a vector somewhat; other weights than this model's much more.
    EXPECT_GT(cosine, 0.98) << passages[i];
  }
  RecordProperty("worst_cosine", std::to_string(worst));
}

}  // namespace
}  // namespace sworn::llm
