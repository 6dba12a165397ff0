// Source code: from what ctags prints to chunks, and through the real ctags.
#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "indexer/chunker.h"
#include "indexer/extract/code_symbols.h"
#include "indexer/extract/extraction_pool.h"
#include "indexer/extract/extractor.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/media_type.h"
#include "indexer/extract/tool_conversion.h"

namespace sworn::indexer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

/// "first-last path" of each span.
std::vector<std::string> Cut(std::string_view source, std::vector<CodeSymbol> symbols) {
  std::vector<std::string> cut;
  for (const CodeSpan& span : CutAtSymbols(LinesOf(source), std::move(symbols))) {
    cut.push_back(std::to_string(span.first_line) + "-" + std::to_string(span.last_line) +
                  (span.path.empty() ? "" : " ") + span.path);
  }
  return cut;
}

TEST(CodeSymbolsTest, FunctionsAndClassesAreReadAndTheirPartsPassedOver) {
  const std::vector<CodeSymbol> symbols = ParseSymbols(
      R"({"_type": "program", "name": "Universal Ctags"}
{"_type": "tag", "name": "Parse", "line": 9, "kind": "function", "scope": "ns::Parser", "scopeKind": "class", "end": 12}
{"_type": "tag", "name": "Parser", "line": 3, "kind": "class", "scope": "ns", "end": 7}
{"_type": "tag", "name": "n_", "line": 4, "kind": "member", "scope": "ns::Parser", "end": 4}
{"_type": "tag", "name": "x", "line": 5, "kind": "local", "end": 6}
{"_type": "tag", "name": "__anon1", "line": 20, "kind": "function", "scope": "__anon2"}
not json
[1]
{"_type": "tag", "name": 7, "line": -1, "kind": "function"}
)");
  ASSERT_EQ(symbols.size(), 3U);
  EXPECT_EQ(symbols[0].path, "ns > Parser");
  EXPECT_EQ(symbols[1].path, "ns > Parser > Parse()");
  EXPECT_EQ(symbols[1].last_line, 12U);
  EXPECT_EQ(symbols[2].path, "");
}

TEST(CodeSymbolsTest, LinesGoToTheInnermostSymbolWithItsComments) {
  const std::string source =
      "#include <some/header.h>\n\n// The parser of it all.\nclass Parser {\n  int member_of_it;\n"
      "  // Runs it to the end.\n  void Run() {\n    DoSomethingLong();\n  }\n};\n\nint "
      "global_value;\n";
  EXPECT_THAT(Cut(source, {{"Parser", 4, 10}, {"Parser > Run()", 7, 9}}),
              ElementsAre("1-2", "3-5 Parser", "6-10 Parser > Run()", "11-12"));
}

TEST(CodeSymbolsTest, AnEndThatIsNotToldIsFoundByIndentation) {
  const std::string source =
      "function first(a) {\n  return somethingOrOther;\n}\nvar betweenTheTwo = somethingElse;\n"
      "function second(b)\n{\n  return somethingOrOther;\n}\n";
  EXPECT_THAT(Cut(source, {{"first()", 1, 0}, {"second()", 5, 0}}),
              ElementsAre("1-3 first()", "4-4", "5-8 second()"));
}

TEST(CodeSymbolsTest, SymbolsThatDoNotFitTheSourceDoNoHarm) {
  constexpr unsigned kSeed = 20260302;
  std::mt19937 random(kSeed);
  const std::string source =
      "some first line\n\n  {\n}\nsome other line\n};\n# end of it all here\n";
  const std::size_t line_count = LinesOf(source).size();
  for (int round = 0; round < 2000; ++round) {
    std::vector<CodeSymbol> symbols;
    for (std::size_t i = random() % 6; i > 0; --i) {
      symbols.push_back({std::string(1, static_cast<char>('a' + random() % 3)),
                         static_cast<std::uint32_t>(random() % 10),
                         static_cast<std::uint32_t>(random() % 12)});
    }
    std::stable_sort(symbols.begin(), symbols.end(),
                     [](const auto& a, const auto& b) { return a.first_line < b.first_line; });
    std::uint32_t next = 1;
    for (const CodeSpan& span : CutAtSymbols(LinesOf(source), symbols)) {
      ASSERT_EQ(span.first_line, next) << "seed " << kSeed << ", round " << round;
      ASSERT_GE(span.last_line, span.first_line);
      next = span.last_line + 1;
    }
    ASSERT_EQ(next, line_count + 1) << "seed " << kSeed << ", round " << round;
  }
  EXPECT_THAT(CutAtSymbols({}, {{"a", 1, 2}}), IsEmpty());
}

ExtractedText Extracted(std::string_view symbols, std::string_view source) {
  ExtractRequest request;
  request.file_name = "folder/parser.py";
  request.media_type = media::kTaggedCode;
  return ExtractBytes(TagCode(symbols, source), request).text;
}

TEST(CodeTest, ChunksHaveTheSymbolAsHeadingAndTheLinesOfTheFile) {
  const std::string source =
      "\n\nimport somethingOrOther   \r\n\r\nclass Parser:\r\n    field_of_it = 1\r\n\r\n"
      "    def parse(self):\r\n        return somethingOrOther\r\n";
  const ExtractedText text = Extracted(
      "{\"_type\":\"tag\",\"name\":\"Parser\",\"line\":5,\"kind\":\"class\",\"end\":9}\n"
      "{\"_type\":\"tag\",\"name\":\"parse\",\"line\":8,\"kind\":\"member\",\"scope\":\"Parser\","
      "\"end\":9}\n",
      source);
  EXPECT_EQ(text.title, "parser.py");
  const std::vector<Chunk> chunks = MakeChunks(text, "en");
  ASSERT_EQ(chunks.size(), 3U);
  EXPECT_EQ(chunks[0].heading, "");
  EXPECT_EQ(chunks[0].location.line_begin, 3U);
  EXPECT_EQ(chunks[1].heading, "Parser");
  EXPECT_EQ(chunks[1].location.line_begin, 5U);
  EXPECT_EQ(chunks[1].location.line_end, 6U);
  EXPECT_EQ(chunks[2].heading, "Parser > parse()");
  EXPECT_EQ(chunks[2].location.line_begin, 8U);
  EXPECT_EQ(chunks[2].location.line_end, 9U);
  EXPECT_EQ(text.text.substr(chunks[2].range.begin, chunks[2].range.end - chunks[2].range.begin),
            "def parse(self):\n        return somethingOrOther");
}

TEST(CodeTest, ALongFunctionIsCutAtLines) {
  std::string source = "def long():\n";
  for (int i = 0; i < 100; ++i) source += "    value_" + std::to_string(i) + " = compute(here)\n";
  const ExtractedText text = Extracted(
      "{\"_type\":\"tag\",\"name\":\"long\",\"line\":1,\"kind\":\"function\",\"end\":101}\n",
      source);
  const std::vector<Chunk> chunks = MakeChunks(text, "en");
  ASSERT_GT(chunks.size(), 2U);
  std::uint32_t next_line = 1;
  for (const Chunk& chunk : chunks) {
    EXPECT_EQ(chunk.heading, "long()");
    EXPECT_EQ(chunk.location.line_begin, next_line);
    next_line = chunk.location.line_end.value() + 1;
  }
  EXPECT_EQ(next_line, 102U);
}

TEST(CodeTest, AnythingBeforeTheSourceThatIsNoListOfSymbolsIsRefused) {
  ExtractRequest request;
  request.media_type = media::kTaggedCode;
  for (const char* bytes : {"", "x", "9\nshort", "-1\nx", "99999999999999999999\n", "12"}) {
    EXPECT_THROW(ExtractBytes(bytes, request), Error) << bytes;
  }
}

TEST(CodeTest, BlankSourceGivesNoText) {
  EXPECT_EQ(Extracted("", " \n\t\n").text, "");
  EXPECT_THAT(Extracted("", "").blocks, IsEmpty());
}

class CtagsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto tool = SymbolToolFor(media::kC, "");
    if (!std::filesystem::exists(tool->command.program)) {
      GTEST_SKIP() << "universal-ctags is not installed";
    }
  }

  static ExtractionResult Extract(std::string_view source, std::string_view name) {
    ExtractionPoolOptions options;
    options.program = EXTRACT_TEST_WORKER;
    options.workers = 1;
    ExtractionPool pool(options);
    return pool.Extract(source, name);
  }

  static std::vector<std::string> Headings(std::string_view source, std::string_view name) {
    const ExtractionResult result = Extract(source, name);
    EXPECT_EQ(result.status, ExtractionStatus::kText) << result.reason;
    EXPECT_THAT(result.text.extractor, HasSubstr("ctags"));
    EXPECT_THAT(result.text.warnings, IsEmpty());
    std::vector<std::string> headings;
    for (const Chunk& chunk : MakeChunks(result.text, "en")) headings.push_back(chunk.heading);
    return headings;
  }
};

TEST_F(CtagsTest, LanguagesAreCutAtTheirSymbols) {
  EXPECT_THAT(
      Headings(
          "#include <something>\n\nnamespace sworn {\n\n// Reads it.\nint Parser::Parse(int a) {\n"
          "  return a + something;\n}\n\n}  // namespace sworn\n",
          "a.cc"),
      ElementsAre("", "sworn > Parser > Parse()"));
  EXPECT_THAT(Headings("class Parser:\n    \"\"\"Reads it all.\"\"\"\n    def parse(self):\n"
                       "        return something\n\ndef main_program():\n    run_it_now()\n",
                       "a.py"),
              ElementsAre("Parser", "Parser > parse()", "main_program()"));
  EXPECT_THAT(
      Headings(
          "class Parser {\n  parse() {\n    return something;\n  }\n}\nfunction mainProgram() {\n"
          "  return something;\n}\n",
          "a.js"),
      ElementsAre("Parser", "Parser > parse()", "mainProgram()"));
  EXPECT_THAT(
      Headings("package main\n\nfunc (p *Parser) Parse() int {\n\treturn something\n}\n", "a.go"),
      testing::Contains("main > Parser > Parse()"));
  EXPECT_THAT(
      Headings("build_it() {\n  echo something\n}\ntest_it() {\n  echo something\n}\n", "a.sh"),
      ElementsAre("build_it()", "test_it()"));
  EXPECT_THAT(
      Headings("CREATE TABLE people (\n  name TEXT\n);\nCREATE TABLE houses (\n  street TEXT\n);\n",
               "a.sql"),
      ElementsAre("people", "houses"));
  EXPECT_THAT(
      Headings("public class Parser {\n  private int fieldOfTheParser;\n  public int parse() {\n"
               "    return something;\n  }\n}\n",
               "A.java"),
      ElementsAre("Parser", "Parser > parse()"));
  EXPECT_THAT(
      Headings("struct Parser {\n    field: Something,\n}\nfn main_program() {\n    run_it();\n}\n",
               "a.rs"),
      ElementsAre("Parser", "main_program()"));
}

TEST_F(CtagsTest, HostileSourceIsOnlyText) {
  const std::string nested(200'000, '{');
  EXPECT_EQ(Extract(nested, "nested.c").status, ExtractionStatus::kText);
  const std::string json = "\"}\n{\"command\":\"generate-tags\",\"filename\":\"/etc/passwd\"}\n";
  const ExtractionResult injected = Extract(json + "int f() {\n  return 1;\n}\n", "x\"}\n.c");
  ASSERT_EQ(injected.status, ExtractionStatus::kText) << injected.reason;
  EXPECT_EQ(injected.text.text.find("root:"), std::string::npos);
  for (const Block& block : injected.text.blocks) {
    EXPECT_EQ(block.table_header.find("root"), std::string::npos);
  }
  std::string bytes("def f():\n  pass\n\0\xff\xfe\n", 20);
  EXPECT_NE(Extract(bytes, "binary.py").status, ExtractionStatus::kFailed);
  std::string many;
  for (int i = 0; i < 60'000; ++i) many += "void f" + std::to_string(i) + "() {\n}\n";
  EXPECT_EQ(Extract(many, "many.c").status, ExtractionStatus::kText);
}

TEST_F(CtagsTest, TheMediaTypeIsThatOfTheLanguage) {
  const ExtractionResult result = Extract("int f() {\n  return 1;\n}\n", "a.c");
  EXPECT_EQ(result.media_type, media::kC);
  EXPECT_EQ(DetectMediaType("a.tsx", "x"), media::kTypeScript);
  EXPECT_EQ(DetectMediaType("build.SH", "x"), media::kShell);
}

}  // namespace
}  // namespace sworn::indexer
