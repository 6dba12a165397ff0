#include "api/service/citations.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retriever/retriever.h"
#include "tests/support/fake_snapshot.h"

namespace sworn::service {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class CitationsTest : public testing::Test {
 protected:
  CitationsTest() {
    AddPassage("Services Agreement",
               "Either party may terminate this agreement with sixty days written notice. Fees for "
               "the notice period remain due.");
    AddPassage("Lease > Harbour Street",
               "The monthly rent is 1,250 euros, payable on 3 March 2025 for the first time. The "
               "tenant may not sublet the flat. The landlord is Maria Keller.");
    AddPassage("Notes", "Pets are welcome. The deposit is 3.5 monthly rents [12].");
    // Words that every collection has, so that those of the passages are rare.
    for (int i = 0; i < 20; ++i) snapshot_.Add("Other", {"A page about anchors and harbours."});
    languages_ = retriever::QuestionLanguages(snapshot_);
  }

  void AddPassage(const std::string& title, const std::string& text) {
    const ContentId content = snapshot_.Add(title, {text});
    const auto ids = snapshot_.ChunksOf(content);
    retriever::Passage passage;
    passage.number = static_cast<std::uint32_t>(passages_.size() + 1);
    passage.chunks = snapshot_.LoadChunks(ids);
    passage.range = {100, 100 + text.size()};  // not at the start of its document
    passage.chunks[0].range = passage.range;
    passage.text = text;
    passages_.push_back(passage);
  }

  CheckedSentence Check(const std::string& text, std::vector<std::uint32_t> cited = {}) {
    SentenceChecker checker(question_, passages_, languages_, snapshot_, analyzer_);
    return checker.Check({text, std::move(cited)});
  }

  void ExpectSupport(const std::string& text, std::size_t passage, const std::string& quote) {
    const CheckedSentence checked = Check(text);
    EXPECT_TRUE(checked.supported) << text << ": " << checked.reason;
    if (checked.spans.empty()) return;
    EXPECT_EQ(checked.spans[0].passage, passage) << text;
    EXPECT_EQ(checked.spans[0].quote, quote) << text;
    const SupportingSpan& span = checked.spans[0];
    const auto& source = passages_[span.passage];
    EXPECT_EQ(source.text.substr(span.range.begin - source.range.begin,
                                 span.range.end - span.range.begin),
              span.quote);
  }

  void ExpectRefusal(const std::string& text, const std::string& why) {
    const CheckedSentence checked = Check(text);
    EXPECT_FALSE(checked.supported) << text;
    EXPECT_THAT(checked.spans, IsEmpty());
    EXPECT_THAT(checked.reason, HasSubstr(why)) << text;
  }

  std::string question_ = "How can the agreement be terminated?";
  test::FakeSnapshot snapshot_;
  std::vector<retriever::Passage> passages_;
  std::vector<std::string> languages_;
  text::Analyzer analyzer_;
};

TEST_F(CitationsTest, ACopyIsSupportedByTheSentenceItStandsIn) {
  const std::string source =
      "Either party may terminate this agreement with sixty days written notice.";
  ExpectSupport(source, 0, source);
  ExpectSupport("either party may terminate this agreement", 0, source);
  ExpectSupport("Pets are welcome!", 2, "Pets are welcome.");
  ExpectSupport("The deposit is 3.5 monthly rents.", 2, "The deposit is 3.5 monthly rents [12].");
}

TEST_F(CitationsTest, ACopyOverTwoSentencesIsCitedWhole) {
  ExpectSupport("sixty days written notice. Fees for the notice period", 0,
                "Either party may terminate this agreement with sixty days written notice. Fees "
                "for the notice period remain due.");
}

TEST_F(CitationsTest, AParaphraseIsSupportedByTheSentenceThatSharesItsWords) {
  ExpectSupport("The agreement can be terminated by either party with sixty days' notice.", 0,
                "Either party may terminate this agreement with sixty days written notice.");
  ExpectSupport("The rent is payable monthly.", 1,
                "The monthly rent is 1,250 euros, payable on 3 March 2025 for the first time.");
}

TEST_F(CitationsTest, NumbersAndMonthsMustStandInTheSource) {
  ExpectSupport("The monthly rent is 1250 euros.", 1,
                "The monthly rent is 1,250 euros, payable on 3 March 2025 for the first time.");
  ExpectSupport("Either party may terminate this agreement with 60 days written notice.", 0,
                "Either party may terminate this agreement with sixty days written notice.");
  ExpectRefusal("The monthly rent is 1,350 euros.", "1350");
  ExpectRefusal("Either party may terminate this agreement with ninety days written notice.", "90");
  ExpectRefusal("The rent is payable on 3 April 2025 for the first time.", "month 4");
}

TEST_F(CitationsTest, ANegationIsNeitherAddedNorLost) {
  ExpectSupport("The tenant may not sublet the flat.", 1, "The tenant may not sublet the flat.");
  ExpectRefusal("The tenant may sublet the flat.", "negates");
  ExpectRefusal("sublet the flat", "negates");
  ExpectRefusal("Pets are not welcome.", "does not negate");
}

TEST_F(CitationsTest, NamesMustStandInTheSource) {
  ExpectSupport("The landlord is Maria Keller.", 1, "The landlord is Maria Keller.");
  ExpectRefusal("The landlord is Maria Schmidt.", "");
  ExpectRefusal("The monthly rent of 1,250 euros is payable to Schmidt on 3 March 2025.", "names");
}

TEST_F(CitationsTest, WordsThatNoPassageHasAreUnsupported) {
  ExpectRefusal("The garden has a swimming pool.", "no passage says it");
  ExpectRefusal("Yes.", "no passage says it");
  ExpectRefusal("The capital of France is Paris.", "");
}

TEST_F(CitationsTest, SubjectOfOneSentenceWithThePredicateOfAnotherIsRefused) {
  ExpectRefusal("The landlord must give sixty days written notice to pets.", "");
}

TEST_F(CitationsTest, EveryQuotationMustStandInAPassage) {
  for (const char* text :
       {"The agreement says \"terminate this agreement with sixty days written notice\".",
        "The agreement says \u201cterminate this agreement with sixty days written notice\u201d.",
        "The agreement says \u201eterminate this agreement with sixty days written notice\u201c.",
        "The agreement says \u00abterminate this agreement with sixty days written "
        "notice\u00bb."}) {
    EXPECT_TRUE(Check(text).supported) << text << ": " << Check(text).reason;
  }
  ExpectRefusal("The party may terminate this agreement with \"sixty days of written notice\".",
                "quotes");
  ExpectRefusal("Either party may \u201eend\u201c this agreement with sixty days written notice.",
                "quotes");
}

TEST_F(CitationsTest, AQuotationOfAnotherPassageAddsItsSentence) {
  const CheckedSentence checked =
      Check("Either party may terminate this agreement with notice, and \"pets are welcome\".");
  if (!checked.supported) GTEST_FAIL() << checked.reason;
  ASSERT_EQ(checked.spans.size(), 2U);
  EXPECT_EQ(checked.spans[1].quote, "Pets are welcome.");
}

TEST_F(CitationsTest, ThePassageCitedIsTriedFirstAndAWrongOneIsCorrected) {
  AddPassage("Copy", "Pets are welcome.");
  EXPECT_EQ(Check("Pets are welcome.").spans.at(0).passage, 2U);
  EXPECT_EQ(Check("Pets are welcome.", {4}).spans.at(0).passage, 3U);
  EXPECT_EQ(Check("Pets are welcome.", {1}).spans.at(0).passage, 2U);
  EXPECT_EQ(Check("Pets are welcome.", {99}).spans.at(0).passage, 2U);
}

TEST_F(CitationsTest, ANumberOfTheQuestionMayStandInTheHeading) {
  AddPassage("Section 4.2", "The supplier keeps all records of the deliveries.");
  question_ = "What does section 4.2 say about records?";
  EXPECT_TRUE(Check("Section 4.2: the supplier keeps all records of the deliveries.").supported)
      << Check("Section 4.2: the supplier keeps all records of the deliveries.").reason;
  question_ = "Who keeps the records?";
  ExpectRefusal("Section 4.2: the supplier keeps all records of the deliveries.", "4.2");
}

TEST(StatementTest, NumbersAreComparedByValue) {
  using testing::UnorderedElementsAre;
  EXPECT_THAT(NumbersOf("12,000 and 12.000 and 12000"), UnorderedElementsAre("12000"));
  EXPECT_THAT(NumbersOf("3.5 on 10:30, sixty"), UnorderedElementsAre("3.5", "10:30", "60"));
  EXPECT_THAT(NumbersOf("am 3. M\u00e4rz 2025"), UnorderedElementsAre("3", "2025", "month 3"));
  EXPECT_THAT(NumbersOf("no number"), IsEmpty());
}

TEST(StatementTest, QuotationsOfAllKinds) {
  using testing::ElementsAre;
  EXPECT_THAT(QuotationsOf("a \"b c\" d \u201ee\u201c \u00abf\u00bb"),
              ElementsAre("b c", "e", "f"));
  EXPECT_THAT(QuotationsOf("open \" only"), IsEmpty());
  EXPECT_THAT(QuotationsOf("\"\""), IsEmpty());
}

TEST(StatementTest, AComparableTextKnowsWhereItsBytesStood) {
  const std::string text = "A  \u201cquoted\u201d\n text [3] \u2013 end";
  const ComparableText comparable(text);
  EXPECT_EQ(comparable.form(), "a \"quoted\" text - end");
  const auto range = comparable.Find("\"quoted\" text");
  ASSERT_TRUE(range);
  EXPECT_EQ(text.substr(range->begin, range->end - range->begin), "\u201cquoted\u201d\n text");
  EXPECT_FALSE(comparable.Find("quote"));  // no whole word
}

}  // namespace
}  // namespace sworn::service
