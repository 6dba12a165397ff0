#include "llm/files/hf_tokenizer.h"

#include <bit>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "llm/files/sentencepiece_file.h"
#include "tests/support/temp_folder.h"

namespace sworn::llm {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Metadata Translate(const json& tokenizer, const json& tokenizer_config = json::object(),
                   const json& config = json::object(), std::size_t vocabulary = 0) {
  const test::TempFolder folder;
  folder.Write("tokenizer.json", tokenizer.dump());
  folder.Write("tokenizer_config.json", tokenizer_config.dump());
  Metadata metadata;
  // Parsed again: numbers of a file are unsigned where they can be.
  TranslateTokenizer(folder.path(), json::parse(config.dump()), vocabulary, metadata);
  return metadata;
}

template <typename T>
T Get(const Metadata& metadata, const std::string& key) {
  return std::get<T>(metadata.at("tokenizer.ggml." + key));
}

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

json ByteLevel() {
  return {{"pre_tokenizer", {{"type", "ByteLevel"}, {"use_regex", true}}},
          {"added_tokens",
           {{{"id", 3}, {"content", "<end>"}, {"special", true}},
            {{"id", 4}, {"content", "<mine>"}, {"special", false}}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}}},
            {"merges", json::array({json::array({"a", "b"})})}}}};
}

TEST(HfTokenizerTest, AByteLevelVocabularyKeepsIdsAndMerges) {
  const Metadata metadata = Translate(ByteLevel());
  EXPECT_EQ(Get<std::string>(metadata, "model"), "gpt2");
  EXPECT_EQ(Get<std::string>(metadata, "pre"), "gpt-2");
  EXPECT_THAT(Get<Texts>(metadata, "tokens"), ElementsAre("a", "b", "ab", "<end>", "<mine>"));
  EXPECT_THAT(Get<Numbers>(metadata, "token_type"), ElementsAre(1, 1, 1, 3, 4));
  EXPECT_THAT(Get<Texts>(metadata, "merges"), ElementsAre("a b"));
  EXPECT_FALSE(Get<bool>(metadata, "add_bos_token"));
}

TEST(HfTokenizerTest, MergesOfEitherFormAreTheSame) {
  json tokenizer = ByteLevel();
  tokenizer["model"]["merges"] = {"a b"};
  EXPECT_EQ(Translate(tokenizer), Translate(ByteLevel()));
}

TEST(HfTokenizerTest, IdsWithoutATokenAreUnused) {
  const Metadata metadata = Translate(ByteLevel(), json::object(), json::object(), 7);
  EXPECT_THAT(Get<Numbers>(metadata, "token_type"), ElementsAre(1, 1, 1, 3, 4, 5, 5));
  EXPECT_EQ(Get<Texts>(metadata, "tokens").size(), 7);
}

TEST(HfTokenizerTest, IdsAndTemplateComeFromTheOtherFiles) {
  json tokenizer = ByteLevel();
  tokenizer["post_processor"] = {
      {"type", "Sequence"},
      {"processors",
       {{{"type", "ByteLevel"}},
        {{"type", "TemplateProcessing"},
         {"single", {{{"SpecialToken", {{"id", "<end>"}}}}, {{"Sequence", {{"id", "A"}}}}}}}}}};
  const json config = {{"bos_token_id", 3}, {"eos_token_id", json::array({4, 3})}};
  const json named = json::array({json{{"name", "tool_use"}, {"template", "T"}},
                                  json{{"name", "default"}, {"template", "D"}}});
  const Metadata metadata = Translate(tokenizer, {{"chat_template", named}}, config);
  EXPECT_EQ(Get<std::uint64_t>(metadata, "bos_token_id"), 3);
  EXPECT_EQ(Get<std::uint64_t>(metadata, "eos_token_id"), 4);
  EXPECT_TRUE(Get<bool>(metadata, "add_bos_token"));
  EXPECT_EQ(std::get<std::string>(metadata.at("tokenizer.chat_template")), "D");
  EXPECT_FALSE(
      Get<bool>(Translate(tokenizer, {{"add_bos_token", false}}, config), "add_bos_token"));
  EXPECT_FALSE(Get<bool>(Translate(tokenizer), "add_bos_token"));  // no such token
}

TEST(HfTokenizerTest, PreTokenizersAreKnownByTheirPattern) {
  const auto pre = [](const json& part) {
    json tokenizer = ByteLevel();
    tokenizer["pre_tokenizer"] = part;
    return Get<std::string>(Translate(tokenizer), "pre");
  };
  const auto split = [](const std::string& regex) {
    return json{{"type", "Sequence"},
                {"pretokenizers",
                 {{{"type", "Split"}, {"pattern", {{"Regex", regex}}}},
                  {{"type", "ByteLevel"}, {"use_regex", false}}}}};
  };
  const std::string words = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)";
  const std::string rest = R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  EXPECT_EQ(pre(split(words + R"(\p{N}{1,3})" + rest)), "llama-bpe");
  EXPECT_EQ(pre(split(words + R"(\p{N})" + rest)), "qwen2");
  EXPECT_EQ(pre(split("[a-z]+")), "[a-z]+");
  EXPECT_EQ(pre({{"type", "Sequence"},
                 {"pretokenizers",
                  {{{"type", "Digits"}, {"individual_digits", true}}, {{"type", "ByteLevel"}}}}}),
            "smollm");
}

TEST(HfTokenizerTest, CharactersWithByteFallbackAreScoredByTheirMerge) {
  const json tokenizer = {
      {"normalizer",
       {{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}}, {{"type", "Replace"}}}}}},
      {"model",
       {{"type", "BPE"},
        {"byte_fallback", true},
        {"unk_token", "<unk>"},
        {"vocab", {{"<unk>", 0}, {"<0x0A>", 1}, {"a", 2}, {"b", 3}, {"ba", 4}, {"ab", 5}}},
        {"merges", {"a b", "b a"}}}}};
  const Metadata metadata = Translate(tokenizer);
  EXPECT_EQ(Get<std::string>(metadata, "model"), "llama");
  EXPECT_THAT(Get<Numbers>(metadata, "token_type"), ElementsAre(2, 6, 1, 1, 1, 1));
  const auto scores = Get<std::vector<double>>(metadata, "scores");
  EXPECT_GT(scores[5], scores[4]);
  EXPECT_GT(scores[4], scores[2]);
  EXPECT_TRUE(Get<bool>(metadata, "add_space_prefix"));
}

TEST(HfTokenizerTest, DamagedFilesAreRefused) {
  const auto refused = [](const std::function<void(json&)>& change, const std::string& named) {
    json tokenizer = ByteLevel();
    change(tokenizer);
    EXPECT_THAT([&] { Translate(tokenizer); }, ThrowsMessage<Error>(HasSubstr(named)));
  };
  refused([](json& t) { t.erase("model"); }, "'model'");
  refused([](json& t) { t["model"]["type"] = "WordLevel"; }, "WordLevel");
  refused([](json& t) { t["model"].erase("vocab"); }, "'vocab'");
  refused([](json& t) { t["model"].erase("merges"); }, "'merges'");
  refused([](json& t) { t["model"]["merges"] = {"ab"}; }, "merge");
  refused([](json& t) { t["model"]["merges"] = {7}; }, "merge");
  refused([](json& t) { t["model"]["vocab"]["far"] = std::uint64_t{1} << 60U; }, "'far'");
  refused([](json& t) { t["model"]["vocab"]["far"] = 4'000'000; }, "'far'");
  refused([](json& t) { t["model"]["vocab"]["far"] = -1; }, "'far'");
  refused([](json& t) { t["added_tokens"] = {{{"id", 3}}}; }, "added token");
}

// A protobuf field: number and wire type, then the value.
std::string Varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
  return out;
}
std::string Number(unsigned field, std::uint64_t value) {
  return Varint(field << 3U) + Varint(value);
}
std::string Bytes(unsigned field, const std::string& bytes) {
  return Varint(field << 3U | 2U) + Varint(bytes.size()) + bytes;
}
std::string Piece(const std::string& text, float score, unsigned type) {
  const auto bits = std::bit_cast<std::uint32_t>(score);
  return Bytes(1, Bytes(1, text) + Varint(2U << 3U | 5U) +
                      std::string(reinterpret_cast<const char*>(&bits), 4) + Number(3, type));
}

TEST(SentencePieceFileTest, PiecesAndSettingsComeBack) {
  const std::string bytes = Piece("<unk>", 0, 2) + Piece("\u2581a", -1.5F, 1) +
                            Bytes(2, Number(3, 2) + Number(42, 9) + Number(41, ~std::uint64_t{0})) +
                            Bytes(3, Bytes(2, "map") + Number(3, 0) + Number(4, 0));
  const SentencePieceFile file = ParseSentencePiece(bytes);
  EXPECT_THAT(file.pieces, ElementsAre("<unk>", "\u2581a"));
  EXPECT_THAT(file.scores, ElementsAre(0, -1.5));
  EXPECT_THAT(file.types, ElementsAre(2, 1));
  EXPECT_EQ(file.kind, SentencePieceFile::Kind::kBpe);
  EXPECT_EQ(file.eos, 9);
  EXPECT_EQ(file.bos, -1);
  EXPECT_EQ(file.unknown, 0);
  EXPECT_EQ(file.charsmap, "map");
  EXPECT_FALSE(file.adds_space);
  EXPECT_FALSE(file.one_space);
}

TEST(SentencePieceFileTest, DamageIsAnError) {
  const std::string bytes = Piece("<unk>", 0, 2) + Piece("a", -1, 1);
  const std::size_t whole = Piece("<unk>", 0, 2).size();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    if (length == whole) continue;  // one piece, complete
    EXPECT_THROW(ParseSentencePiece(std::string_view(bytes).substr(0, length)), Error) << length;
  }
  EXPECT_THROW(ParseSentencePiece(std::string(12, '\xFF')), Error);
  EXPECT_THROW(ParseSentencePiece(Varint(1U << 3U | 2U) + Varint(std::uint64_t{1} << 60U)), Error);
  EXPECT_THROW(ParseSentencePiece(Varint(1U << 3U | 3U)), Error);
  EXPECT_THROW(ParseSentencePiece(bytes + Bytes(2, Number(3, 4))), Error);  // characters
}

TEST(HfTokenizerTest, ASentencePieceFileServesWithoutTokenizerJson) {
  const test::TempFolder folder;
  folder.Write("tokenizer.model", Piece("<unk>", 0, 2) + Piece("<s>", 0, 3) + Piece("</s>", 0, 3) +
                                      Piece("a", -1, 1) + Bytes(2, Number(3, 2)));
  folder.Write("tokenizer_config.json", json{{"added_tokens_decoder",
                                              {{"1", {{"content", "<s>"}, {"special", true}}},
                                               {"4", {{"content", "<pad>"}, {"special", true}}}}}}
                                            .dump());
  Metadata metadata;
  TranslateTokenizer(folder.path(), json::object(), 5, metadata);
  EXPECT_EQ(Get<std::string>(metadata, "model"), "llama");
  EXPECT_THAT(Get<Texts>(metadata, "tokens"), ElementsAre("<unk>", "<s>", "</s>", "a", "<pad>"));
  EXPECT_THAT(Get<Numbers>(metadata, "token_type"), ElementsAre(2, 3, 3, 1, 3));
  EXPECT_EQ(Get<std::vector<double>>(metadata, "scores").size(), 5);
  EXPECT_EQ(Get<std::int64_t>(metadata, "bos_token_id"), 1);
  EXPECT_TRUE(Get<bool>(metadata, "add_bos_token"));
}

json WordPiece() {
  return {{"normalizer",
           {{"type", "BertNormalizer"}, {"lowercase", false}, {"strip_accents", nullptr}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"added_tokens", {{{"id", 1}, {"content", "[CLS]"}, {"special", true}}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", "[UNK]"},
            {"vocab", {{"[UNK]", 0}, {"[CLS]", 1}, {"[SEP]", 2}, {"un", 3}, {"##do", 4}}}}}};
}

TEST(HfTokenizerTest, WordPiecesMarkWhatBeginsAWord) {
  const Metadata metadata = Translate(WordPiece());
  EXPECT_EQ(Get<std::string>(metadata, "model"), "bert");
  EXPECT_THAT(Get<Texts>(metadata, "tokens"),
              ElementsAre("[UNK]", "[CLS]", "[SEP]", "\u2581un", "do"));
  EXPECT_THAT(Get<Numbers>(metadata, "token_type"), ElementsAre(2, 3, 3, 1, 1));
  EXPECT_EQ(Get<std::uint64_t>(metadata, "cls_token_id"), 1);
  EXPECT_EQ(Get<std::uint64_t>(metadata, "seperator_token_id"), 2);
  const auto rule = [&](const char* name) {
    return std::get<bool>(metadata.at("sworn.tokenizer." + std::string(name)));
  };
  EXPECT_TRUE(rule("clean"));
  EXPECT_TRUE(rule("cjk"));
  EXPECT_FALSE(rule("lowercase"));
  EXPECT_FALSE(rule("strip_accents"));  // as lowercase, where the file has null
}

TEST(HfTokenizerTest, AVocabularyOfLinesIsTheSame) {
  const test::TempFolder folder;
  folder.Write("vocab.txt", "[UNK]\n[CLS]\r\n[SEP]\nun\n##do\n");
  folder.Write("tokenizer_config.json", R"({"do_lower_case": false})");
  Metadata metadata;
  TranslateTokenizer(folder.path(), json::object(), 0, metadata);
  EXPECT_EQ(metadata, Translate(WordPiece()));
}

TEST(HfTokenizerTest, WordPiecesCutInAnotherWayAreRefused) {
  json tokenizer = WordPiece();
  tokenizer["pre_tokenizer"] = {{"type", "Whitespace"}};
  EXPECT_THAT([&] { Translate(tokenizer); }, ThrowsMessage<Error>(HasSubstr("as BERT does")));
  tokenizer = WordPiece();
  tokenizer["model"]["continuing_subword_prefix"] = "@@";
  EXPECT_THAT([&] { Translate(tokenizer); }, ThrowsMessage<Error>(HasSubstr("##")));
}

TEST(HfTokenizerTest, AUnigramKeepsScoresAndRewriting) {
  const json tokenizer = {
      {"normalizer",
       {{"type", "Sequence"},
        {"normalizers", {{{"type", "Precompiled"}, {"precompiled_charsmap", "AAEC/w=="}}}}}},
      {"pre_tokenizer",
       {{"type", "Sequence"},
        {"pretokenizers", {{{"type", "WhitespaceSplit"}}, {{"type", "Metaspace"}}}}}},
      {"added_tokens", {{{"id", 4}, {"content", "<mask>"}, {"special", true}}}},
      {"model",
       {{"type", "Unigram"},
        {"unk_id", 2},
        {"vocab", json::array({json::array({"<s>", 0}), json::array({"</s>", 0}),
                               json::array({"<unk>", 0}), json::array({"\u2581a", -1.5})})}}}};
  const Metadata metadata = Translate(tokenizer);
  EXPECT_EQ(Get<std::string>(metadata, "model"), "t5");
  EXPECT_THAT(Get<Texts>(metadata, "tokens"),
              ElementsAre("<s>", "</s>", "<unk>", "\u2581a", "<mask>"));
  EXPECT_THAT(Get<std::vector<double>>(metadata, "scores"), ElementsAre(0, 0, 0, -1.5, 0));
  EXPECT_THAT(Get<Numbers>(metadata, "precompiled_charsmap"), ElementsAre(0, 1, 2, 255));
  EXPECT_EQ(Get<std::uint64_t>(metadata, "unknown_token_id"), 2);
  EXPECT_TRUE(Get<bool>(metadata, "add_space_prefix"));
  EXPECT_TRUE(Get<bool>(metadata, "remove_extra_whitespaces"));
  json odd = tokenizer;
  odd["normalizer"]["normalizers"][0]["precompiled_charsmap"] = "A?";
  EXPECT_THAT([&] { Translate(odd); }, ThrowsMessage<Error>(HasSubstr("base64")));
  odd = tokenizer;
  odd["normalizer"] = {{"type", "NFKC"}};
  EXPECT_THAT([&] { Translate(odd); }, ThrowsMessage<Error>(HasSubstr("normaliser")));
  odd = tokenizer;
  odd["model"]["vocab"][1] = {"</s>"};
  EXPECT_THAT([&] { Translate(odd); }, ThrowsMessage<Error>(HasSubstr("pair")));
}

TEST(HfTokenizerTest, FairseqsIdsComeBeforeThePieces) {
  const test::TempFolder folder;
  folder.Write("sentencepiece.bpe.model",
               Piece("<unk>", 0, 2) + Piece("<s>", 0, 3) + Piece("</s>", 0, 3) + Piece("a", -1, 1));
  Metadata metadata;
  TranslateTokenizer(folder.path(), json::object(), 0, metadata);
  EXPECT_EQ(Get<std::string>(metadata, "model"), "t5");
  EXPECT_THAT(Get<Texts>(metadata, "tokens"),
              ElementsAre("<s>", "<pad>", "</s>", "<unk>", "a", "<mask>"));
  EXPECT_THAT(Get<Numbers>(metadata, "token_type"), ElementsAre(3, 3, 3, 2, 1, 3));
  EXPECT_THAT(Get<std::vector<double>>(metadata, "scores"), ElementsAre(0, 0, 0, 0, -1, 0));
  EXPECT_EQ(Get<std::int64_t>(metadata, "bos_token_id"), 0);
  EXPECT_EQ(Get<std::int64_t>(metadata, "eos_token_id"), 2);
  EXPECT_EQ(Get<std::int64_t>(metadata, "unknown_token_id"), 3);
}

TEST(HfTokenizerTest, AFolderWithoutTokenizerAddsNothing) {
  const test::TempFolder folder;
  Metadata metadata;
  TranslateTokenizer(folder.path(), json::object(), 5, metadata);
  EXPECT_TRUE(metadata.empty());
}

}  // namespace
}  // namespace sworn::llm
