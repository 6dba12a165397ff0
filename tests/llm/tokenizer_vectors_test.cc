// The tokenizers against token ids that others computed with real vocabularies. The files are not
// part of the project: SWORN_SHARED_DATA names the folder that holds them, and without it these
// tests are skipped.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

#include "llm/files/hf_tokenizer.h"
#include "llm/files/model_file.h"
#include "llm/text/tokenizer.h"
#include "tests/llm/fake_model_file.h"
#include "tests/support/temp_folder.h"

namespace sworn::llm {
namespace {

using test::FakeModelFile;

std::filesystem::path Tokenizers() {
  const char* const shared = std::getenv("SWORN_SHARED_DATA");  // NOLINT(concurrency-mt-unsafe)
  return shared == nullptr ? std::filesystem::path() : std::filesystem::path(shared) / "tokenizers";
}

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> Split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; (at = text.find(separator, begin)) != std::string::npos;) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + separator.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

/// Every text of the vectors `name`, and whether decoding gives it again where it `keeps` a text.
void CheckVectors(const Tokenizer& tokenizer, const std::string& name, bool keeps = true) {
  const std::filesystem::path base = Tokenizers() / "vectors" / ("ggml-vocab-" + name + ".gguf");
  const std::vector<std::string> texts =
      Split(ReadText(base.string() + ".inp"), "\n__ggml_vocab_test__\n");
  const std::vector<std::string> lines = Split(ReadText(base.string() + ".out"), "\n");
  ASSERT_GT(texts.size(), 40U);
  ASSERT_GE(lines.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::istringstream line(lines[i]);
    std::vector<Token> expected;
    for (Token token = 0; line >> token;) expected.push_back(token);
    EXPECT_EQ(tokenizer.Encode(texts[i]), expected) << name << " " << i << ": " << texts[i];
    if (keeps) {
      EXPECT_EQ(tokenizer.Decode(expected), texts[i]) << name << " " << i;
    }
  }
}

void CheckVocabularyFile(const std::string& name, bool keeps = true) {
  if (Tokenizers().empty()) GTEST_SKIP() << "SWORN_SHARED_DATA is not set";
  const std::filesystem::path path = Tokenizers() / "vectors" / ("ggml-vocab-" + name + ".gguf");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the vocabulary " << path << " is missing";
  const std::unique_ptr<ModelFile> file = OpenModelFile(path);
  CheckVectors(*LoadTokenizer(*file), name, keeps);
}

TEST(TokenizerVectors, Gpt2) { CheckVocabularyFile("gpt-2"); }
TEST(TokenizerVectors, LlamaSentencePiece) { CheckVocabularyFile("llama-spm"); }
TEST(TokenizerVectors, Phi3) { CheckVocabularyFile("phi-3"); }
TEST(TokenizerVectors, Qwen2) { CheckVocabularyFile("qwen2"); }

TEST(TokenizerVectors, BertBge) { CheckVocabularyFile("bert-bge", false); }

/// The tokenizer of a folder that holds `source` of the shared folder as `name`.
std::unique_ptr<const Tokenizer> FromFolder(const char* source, const char* name) {
  const sworn::test::TempFolder folder;
  folder.Write(name, ReadText(Tokenizers() / source));
  FakeModelFile file;
  TranslateTokenizer(folder.path(), nlohmann::json::object(), 0, file.values);
  return LoadTokenizer(file);
}

TEST(TokenizerVectors, WordPiecesOfHuggingFacesFiles) {
  if (Tokenizers().empty()) GTEST_SKIP() << "SWORN_SHARED_DATA is not set";
  const auto from_json = FromFolder("minilm-tokenizer.json", "tokenizer.json");
  const auto from_text = FromFolder("bert-base-uncased-vocab.txt", "vocab.txt");
  CheckVectors(*from_json, "bert-bge", false);
  CheckVectors(*from_text, "bert-bge", false);
  EXPECT_EQ(from_json->bos(), 101);
  EXPECT_EQ(from_text->Control("[SEP]"), 102);
}

std::string FromBase64(std::string_view text) {
  std::string bytes;
  unsigned bits = 0;
  unsigned buffer = 0;
  for (const char c : text) {
    if (c == '=') break;
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buffer = buffer << 6 | static_cast<unsigned>(kDigits.find(c));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(buffer >> bits & 0xFF);
  }
  return bytes;
}

/// The two parts that byte pairs below `rank` leave of a token: what its merge joins. Nothing if
/// more than two are left: such a token is only found whole.
std::vector<std::string> PartsBelow(const std::unordered_map<std::string, std::size_t>& ranks,
                                    const std::string& token, std::size_t rank) {
  std::vector<std::string> parts;
  for (const char c : token) parts.emplace_back(1, c);
  while (parts.size() > 2) {
    std::size_t best = rank;
    std::size_t best_at = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ranks.find(parts[i] + parts[i + 1]);
      if (found == ranks.end() || found->second >= best) continue;
      best = found->second;
      best_at = i;
    }
    if (best == rank) return {};
    parts[best_at] += parts[best_at + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
  return parts;
}

/// The vocabulary of Llama 3 in the form of a GGUF of BitNet b1.58, from the ranks.
FakeModelFile Llama3File() {
  FakeModelFile file;
  std::vector<std::string> tokens;
  std::unordered_map<std::string, std::size_t> ranks;
  std::istringstream lines(ReadText(Tokenizers() / "llama3-tokenizer.model"));
  std::size_t rank = 0;
  for (std::string encoded; lines >> encoded >> rank;) {
    const std::string bytes = FromBase64(encoded);
    EXPECT_EQ(rank, tokens.size());
    ranks.emplace(bytes, rank);
    tokens.push_back(test::Printable(bytes));
  }
  std::vector<std::pair<std::size_t, std::string>> merges;
  for (const auto& [bytes, own_rank] : ranks) {
    const std::vector<std::string> parts = PartsBelow(ranks, bytes, own_rank);
    if (parts.size() != 2) continue;
    merges.emplace_back(own_rank, test::Printable(parts[0]) + " " + test::Printable(parts[1]));
  }
  std::sort(merges.begin(), merges.end());
  std::vector<std::string> merge_lines;
  merge_lines.reserve(merges.size());
  for (auto& [unused, line] : merges) merge_lines.push_back(std::move(line));

  tokens.reserve(tokens.size() + 256);
  std::vector<std::int64_t> types(tokens.size(), 1);
  for (std::size_t i = 0; i < 256; ++i) {
    tokens.push_back("<|reserved_" + std::to_string(i) + "|>");
    types.push_back(3);
  }
  tokens[128000] = "<|begin_of_text|>";
  tokens[128001] = "<|end_of_text|>";
  tokens[128006] = "<|start_header_id|>";
  tokens[128007] = "<|end_header_id|>";
  tokens[128009] = "<|eot_id|>";
  file.values["general.architecture"] = std::string("bitnet-b1.58");
  file.values["tokenizer.ggml.model"] = std::string("gpt2");
  file.values["tokenizer.ggml.tokens"] = std::move(tokens);
  file.values["tokenizer.ggml.token_type"] = std::move(types);
  file.values["tokenizer.ggml.merges"] = std::move(merge_lines);
  file.values["tokenizer.ggml.bos_token_id"] = std::uint64_t{128000};
  file.values["tokenizer.ggml.eos_token_id"] = std::uint64_t{128001};
  file.values["tokenizer.ggml.add_bos_token"] = true;
  return file;
}

TEST(TokenizerVectors, Llama3FromItsRanks) {
  if (Tokenizers().empty()) GTEST_SKIP() << "SWORN_SHARED_DATA is not set";
  const FakeModelFile file = Llama3File();
  const auto tokenizer = LoadTokenizer(file);
  EXPECT_EQ(tokenizer->vocabulary(), 128256U);
  EXPECT_EQ(std::vector<Token>(tokenizer->ends().begin(), tokenizer->ends().end()),
            (std::vector<Token>{128001, 128009}));
  CheckVectors(*tokenizer, "llama-bpe");
}

}  // namespace
}  // namespace sworn::llm
