#include "core/text/analyzer.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/stop_words.h"

namespace sworn::text {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using Strings = std::vector<std::string>;

Strings Terms(const std::vector<Posting>& postings) {
  Strings terms;
  for (const Posting& posting : postings) terms.push_back(posting.term);
  return terms;
}

Strings PassageTerms(std::string_view text, std::string_view language) {
  Analyzer analyzer;
  return Terms(analyzer.AnalyzePassage({"", "", text, language}));
}

KeywordQuery Question(std::string_view question, const Strings& languages) {
  Analyzer analyzer;
  return analyzer.AnalyzeQuestion(question, languages);
}

Strings QuestionTerms(const KeywordQuery& query) {
  Strings terms;
  for (const TermAlternatives& word : query.words) {
    terms.insert(terms.end(), word.terms.begin(), word.terms.end());
  }
  return terms;
}

TEST(AnalyzerTest, WordsAreFoldedStemmedAndPrefixedByLanguage) {
  EXPECT_THAT(PassageTerms("The Runners were running", "en"), ElementsAre("en:run", "en:runner"));
  EXPECT_THAT(PassageTerms("los contratos firmados", "es"), ElementsAre("es:contrat", "es:firm"));
  EXPECT_THAT(PassageTerms("Die Häuser des Mieters", "de"), ElementsAre("de:haus", "de:miet"));
  EXPECT_THAT(PassageTerms("The Runners", "und"), ElementsAre("und:runners", "und:the"));
  EXPECT_THAT(PassageTerms("L\xE2\x80\x99homme d'affaires", "fr"),
              ElementsAre("fr:affair", "fr:homm"));
  EXPECT_THAT(PassageTerms("The firm's lawyer don\xE2\x80\x99t", "en"),
              ElementsAre("en:don't", "en:firm", "en:lawyer"));
  EXPECT_THAT(PassageTerms("\xE4\xBD\xA0\xE5\xA5\xBD", "zh"),
              ElementsAre("zh:\xE4\xBD\xA0", "zh:\xE5\xA5\xBD"));
}

TEST(AnalyzerTest, PostingsHoldCountsAndPositionsThatCountStopWords) {
  Analyzer analyzer;
  const auto postings = analyzer.AnalyzePassage({"", "", "notice of the notice period", "en"});
  ASSERT_THAT(Terms(postings), ElementsAre("en:notic", "en:period"));
  EXPECT_EQ(postings[0].wdf, 2U);
  EXPECT_THAT(postings[0].positions, ElementsAre(1, 4));
  EXPECT_THAT(postings[1].positions, ElementsAre(5));
}

TEST(AnalyzerTest, TitleAndHeadingAreIndexedFarFromTheText) {
  Analyzer analyzer;
  const auto postings = analyzer.AnalyzePassage({"lease", "fees", "lease", "en"});
  ASSERT_THAT(Terms(postings), ElementsAre("en:fee", "en:leas"));
  EXPECT_THAT(postings[0].positions, ElementsAre(102));
  EXPECT_THAT(postings[1].positions, ElementsAre(1, 203));
}

TEST(AnalyzerTest, DocumentPostingsHaveCountsOnly) {
  Analyzer analyzer;
  const auto postings = analyzer.AnalyzeDocument({"lease", "", "lease fees NCT01234567", "en"});
  ASSERT_THAT(Terms(postings), ElementsAre("#nct01234567", "en:fee", "en:leas", "en:nct01234567"));
  EXPECT_EQ(postings[2].wdf, 2U);
  for (const Posting& posting : postings) EXPECT_THAT(posting.positions, IsEmpty());
}

TEST(AnalyzerTest, TheSameTextGivesTheSamePostingsWhateverCameBefore) {
  Analyzer used;
  std::string noise;
  for (int i = 0; i < 200'000; ++i) noise += "w" + std::to_string(i) + " ";
  used.AnalyzeDocument({"", "", noise, "en"});
  used.AnalyzePassage({"t", "h", "other words 2026-01-31", "de"});
  Analyzer fresh;
  const PassageText passage{"Title", "A > B", "Some text, C34.1, and some more text.", "en"};
  const auto a = used.AnalyzePassage(passage);
  const auto b = fresh.AnalyzePassage(passage);
  ASSERT_EQ(Terms(a), Terms(b));
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].wdf, b[i].wdf);
    EXPECT_EQ(a[i].positions, b[i].positions);
  }
}

TEST(AnalyzerTest, VeryLongWordsMakeNoTermButKeepTheirPosition) {
  Analyzer analyzer;
  const auto postings =
      analyzer.AnalyzePassage({"", "", "a1 " + std::string(500, 'x') + " end", "und"});
  ASSERT_THAT(Terms(postings), ElementsAre("#a1", "und:a1", "und:end"));
  EXPECT_THAT(postings[2].positions, ElementsAre(3));
}

TEST(AnalyzerTest, TokensCoverTheWordsTheyCameFrom) {
  Analyzer analyzer;
  const std::string_view text = "The firm's \xC3\x89tudes (3.2.1).";
  Strings seen;
  for (const Token& token : analyzer.Tokenize(text, "en")) {
    seen.push_back(token.term + "=" +
                   std::string(text.substr(token.byte_begin, token.byte_end - token.byte_begin)));
  }
  EXPECT_THAT(seen, ElementsAre("en:the=The", "en:firm=firm's", "en:\xC3\xA9tude=\xC3\x89tudes",
                                "en:3.2.1=3.2.1"));
}

Strings IdentifiersOf(std::string_view text) {
  Strings terms;
  for (const std::string& term : PassageTerms(text, "und")) {
    if (term.starts_with('#')) terms.push_back(term);
  }
  return terms;
}

TEST(IdentifierTest, CodesDatesAndNumbersAreIdentifiers) {
  EXPECT_THAT(IdentifiersOf("ICD C34.1, trial NCT01234567."),
              UnorderedElementsAre("#c34.1", "#nct01234567"));
  EXPECT_THAT(IdentifiersOf("ABC-00012345 of 2026-01-31 and 10.05.2021"),
              UnorderedElementsAre("#abc-00012345", "#2026-01-31", "#10.05.2021"));
  EXPECT_THAT(IdentifiersOf("3.2.1 and 12-345"), UnorderedElementsAre("#3.2.1", "#12-345"));
  EXPECT_THAT(IdentifiersOf("1:21-cv-00123"), UnorderedElementsAre("#1:21-cv-00123"));
  EXPECT_THAT(IdentifiersOf("C34.1/C34.2"),
              UnorderedElementsAre("#c34.1/c34.2", "#c34.1", "#c34.2"));
}

TEST(IdentifierTest, SmallNumbersAreNot) {
  EXPECT_THAT(IdentifiersOf("top 10 of 2 things, the 19th of the 1980s"), IsEmpty());
  EXPECT_THAT(IdentifiersOf("in 1998"), UnorderedElementsAre("#1998"));
}

TEST(IdentifierTest, SectionsAreFoundByWhatTheyAreCalled) {
  EXPECT_THAT(IdentifiersOf("\xC2\xA7 12"), UnorderedElementsAre("#\xC2\xA7"
                                                                 "12"));
  EXPECT_THAT(IdentifiersOf("\xC2\xA7\xC2\xA7 12 ff."), UnorderedElementsAre("#\xC2\xA7"
                                                                             "12"));
  EXPECT_THAT(IdentifiersOf("42 U.S.C. \xC2\xA7 1983"), UnorderedElementsAre("#\xC2\xA7"
                                                                             "1983",
                                                                             "#1983"));
  for (const std::string_view text : {"Art. 7", "Article 7", "ART 7", "Artikel 7"}) {
    EXPECT_THAT(IdentifiersOf(text), UnorderedElementsAre("#art7")) << text;
  }
  EXPECT_THAT(IdentifiersOf("Section 4.2"), UnorderedElementsAre("#sec4.2", "#4.2"));
}

TEST(IdentifierTest, CitationsAreOneTerm) {
  EXPECT_THAT(IdentifiersOf("see 123 F.3d 456 (9th Cir.)"),
              ::testing::IsSupersetOf({"#123f.3d456", "#123", "#456"}));
  EXPECT_THAT(IdentifiersOf("12 F. Supp. 2d 34"), ::testing::Contains("#12f.supp.2d34"));
  EXPECT_THAT(IdentifiersOf("410 U.S. 113"), ::testing::Contains("#410u.s.113"));
  EXPECT_THAT(IdentifiersOf("In 1998 Mary had 20 lambs"), ElementsAre("#1998"));
}

TEST(IdentifierTest, HyphenatedCompoundsAreIndexedWhole) {
  EXPECT_THAT(IdentifiersOf("co-trimoxazole"), ElementsAre("#co-trimoxazole"));
  EXPECT_THAT(IdentifiersOf("co\xE2\x80\x90trimoxazole"), ElementsAre("#co-trimoxazole"));
  EXPECT_THAT(IdentifiersOf("and/or file_name www.example.com"), IsEmpty());
}

TEST(QuestionTest, EachWordIsAskedInEveryLanguage) {
  const KeywordQuery query = Question("What are the running costs?", {"en", "de", "und"});
  ASSERT_EQ(query.words.size(), 2U);
  EXPECT_THAT(query.words[0].terms, ElementsAre("en:run", "de:running", "und:running"));
  EXPECT_THAT(query.words[1].terms, ElementsAre("en:cost", "de:cost", "und:costs"));
  EXPECT_THAT(query.identifiers, IsEmpty());
  EXPECT_THAT(query.phrases, IsEmpty());
}

TEST(QuestionTest, RepeatedWordsWeighMore) {
  const KeywordQuery query = Question("notice, notice and fee", {"en"});
  ASSERT_EQ(query.words.size(), 2U);
  EXPECT_EQ(query.words[0].weight, 2);
  EXPECT_EQ(query.words[1].weight, 1);
}

TEST(QuestionTest, StopWordsOfTheQuestionsLanguageAreDropped) {
  EXPECT_THAT(QuestionTerms(Question("\xC2\xBFQu\xC3\xA9 es la tasa?", {"en", "es"})),
              ElementsAre("en:tasa", "es:tas", "und:tasa"));
  EXPECT_THAT(QuestionTerms(Question("is the die of the press worn", {"en", "de"})),
              ElementsAre("en:die", "und:die", "en:press", "de:press", "und:press", "en:worn",
                          "de:worn", "und:worn"));
}

TEST(QuestionTest, NegationsStay) {
  EXPECT_THAT(QuestionTerms(Question("who is not liable", {"en"})),
              ElementsAre("en:not", "und:not", "en:liabl", "und:liable"));
}

TEST(QuestionTest, AQuestionOfStopWordsAloneKeepsThem) {
  EXPECT_FALSE(Question("what is this", {"en"}).words.empty());
  EXPECT_TRUE(Question("?!", {"en"}).empty());
}

TEST(QuestionTest, QuotedWordsBecomeAPhraseWithTheSpanOfItsStopWords) {
  const KeywordQuery query = Question(
      "what is \"Term of the Lease\" here, \xE2\x80\x9Enotice period\xE2\x80\x9C?", {"en"});
  ASSERT_EQ(query.phrases.size(), 2U);
  EXPECT_EQ(query.phrases[0].folded, "term of the lease");
  EXPECT_EQ(query.phrases[0].window, 4U);
  ASSERT_EQ(query.phrases[0].words.size(), 2U);
  EXPECT_THAT(query.phrases[0].words[1].terms, ElementsAre("en:leas", "und:lease"));
  EXPECT_EQ(query.phrases[1].folded, "notice period");
  EXPECT_EQ(query.phrases[1].window, 2U);
  EXPECT_THAT(query.words, IsEmpty());
}

TEST(QuestionTest, AnOrdinaryWordInMarksMakesATierInALookUpOnly) {
  const KeywordQuery question = Question("how does a module \"match\" its context", {"en"});
  EXPECT_THAT(question.phrases, IsEmpty());
  EXPECT_EQ(question.words.size(), 3U);
  EXPECT_EQ(Question("\"waiver\" clause", {"en"}).phrases.size(), 1U);
  EXPECT_EQ(Question("what does \"Lessor\" mean in it", {"en"}).phrases.size(), 1U);
}

TEST(QuestionTest, ExactIdentifiersMakeTiersAndOrdinaryCompoundsDoNot) {
  EXPECT_THAT(Question("status of NCT01234567 under \xC2\xA7 1983", {"en"}).identifiers,
              ElementsAre("#nct01234567",
                          "#\xC2\xA7"
                          "1983"));
  EXPECT_THAT(Question("was 123 F.3d 456 overruled", {"en"}).identifiers,
              ElementsAre("#123f.3d456"));
  EXPECT_THAT(Question("NF-kB pathway", {"en"}).identifiers, ElementsAre("#nf-kb"));
  const KeywordQuery query = Question("the 2nd two-dimensional top 10 of 1998", {"en"});
  EXPECT_THAT(query.identifiers, IsEmpty());
  for (const std::string& term : QuestionTerms(query)) EXPECT_FALSE(term.starts_with('#')) << term;
}

TEST(QuestionTest, InALookUpEveryIdentifierMakesATier) {
  EXPECT_THAT(Question("piperacillin-tazobactam", {"en"}).identifiers,
              ElementsAre("#piperacillin-tazobactam"));
  EXPECT_THAT(Question("audit 1998", {"en"}).identifiers, ElementsAre("#1998"));
}

TEST(QuestionTest, NoQuestionBreaksTheAnalyzer) {
  for (const std::string_view question :
       {"", "\"", "\"\"", "\"\"\"", "\xC2\xAB", "-", "a-", "-1", "\xC2\xA7", "\xC2\xA7 ", "1.",
        "1 F", "1 F.", "\xFF\xFE", "\"the\"", "Art. ", " \xC2\xA7 1"}) {
    EXPECT_NO_THROW(Question(question, {"en", "es", "de", "und"})) << question;
  }
}

}  // namespace
}  // namespace sworn::text
