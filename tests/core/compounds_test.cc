#include "core/text/compounds.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text/analyzer.h"

namespace sworn::text {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST(Compounds, LegalOnesGiveTheirParts) {
  EXPECT_THAT(SplitGermanCompound("kündigungsfrist"), ElementsAre("kundigung", "frist"));
  EXPECT_THAT(SplitGermanCompound("mietvertrag"), ElementsAre("miete", "vertrag"));
  EXPECT_THAT(SplitGermanCompound("aufhebungsverträge"), ElementsAre("aufhebung", "vertrag"));
  EXPECT_THAT(SplitGermanCompound("geheimhaltungspflichten"), Contains("pflicht"));
  EXPECT_THAT(SplitGermanCompound("schadensersatz"), ElementsAre("schaden", "ersatz"));
  EXPECT_THAT(SplitGermanCompound("zwangsvollstreckung"), ElementsAre("zwang", "vollstreckung"));
}

TEST(Compounds, ClinicalOnesGiveTheirParts) {
  EXPECT_THAT(SplitGermanCompound("lungenentzündung"), ElementsAre("lunge", "entzundung"));
  EXPECT_THAT(SplitGermanCompound("herzinfarkts"), ElementsAre("herz", "infarkt"));
  EXPECT_THAT(SplitGermanCompound("chemotherapie"), ElementsAre("therapie"));
  EXPECT_THAT(SplitGermanCompound("magengeschwür"), ElementsAre("magen", "geschwur"));
  EXPECT_THAT(SplitGermanCompound("schilddrüsenunterfunktion"),
              ElementsAre("schilddruse", "unterfunktion"));
}

TEST(Compounds, EveryLinkingElementIsTakenOff) {
  EXPECT_THAT(SplitGermanCompound("arbeitsvertrag"), Contains("arbeit"));         // s
  EXPECT_THAT(SplitGermanCompound("bundesgericht"), Contains("bund"));            // es
  EXPECT_THAT(SplitGermanCompound("aktiengesellschaft"), Contains("aktie"));      // n
  EXPECT_THAT(SplitGermanCompound("patientenakte"), Contains("patient"));         // en
  EXPECT_THAT(SplitGermanCompound("kinderkrankheit"), Contains("kind"));          // er
  EXPECT_THAT(SplitGermanCompound("tagebuch"), Contains("tag"));                  // e
  EXPECT_THAT(SplitGermanCompound("schmerzensgeld"), Contains("schmerz"));        // ens
  EXPECT_THAT(SplitGermanCompound("schulpflicht"), Contains("schule"));           // -e taken off
  EXPECT_THAT(SplitGermanCompound("häuserblock"), ElementsAre("haus", "block"));  // plural
}

TEST(Compounds, LongOnesGiveTheCompoundsInsideToo) {
  EXPECT_THAT(
      SplitGermanCompound("bundesverfassungsgericht"),
      ElementsAre("bund", "verfassung", "gericht", "bundesverfassung", "verfassungsgericht"));
  EXPECT_THAT(SplitGermanCompound("arbeitsunfähigkeitsbescheinigung"),
              AllOf(Contains("bescheinigung"), Contains("arbeitsunfahigkeit")));
}

TEST(Compounds, AnUnknownPartStandsBesideAKnownOne) {
  EXPECT_THAT(SplitGermanCompound("penicillinallergie"), ElementsAre("penicillin", "allergie"));
  EXPECT_THAT(SplitGermanCompound("schulungsraum"), ElementsAre("schulung", "raum"));
  EXPECT_THAT(SplitGermanCompound("versicherungsnehmer"), Contains("versicherung"));
  EXPECT_THAT(SplitGermanCompound("heidelberg"), IsEmpty());  // four letters are too little
}

TEST(Compounds, WordsThatAreNoneStayWhole) {
  for (const char* word : {"frist",
                           "verträge",
                           "landschaft",
                           "wissenschaft",
                           "gesellschaftliche",
                           "arbeitslosigkeit",
                           "gegenstand",
                           "unterhaltung",
                           "veranstaltung",
                           "beurteilung",
                           "testament",
                           "wissenschaftler",
                           "politische",
                           "veröffentlicht",
                           "erzählungen",
                           "vorgeschlagen",
                           "minister",
                           "organisierten",
                           "festzustellen",
                           "kulturellen",
                           "auseinandersetzungen",
                           "c34.1",
                           "mietvertrag2",
                           "x",
                           "",
                           "договор"}) {
    EXPECT_THAT(SplitGermanCompound(word), IsEmpty()) << word;
  }
  EXPECT_THAT(SplitGermanCompound(std::string(61, 'a')), IsEmpty());
}

TEST(Compounds, AnyLettersAreTaken) {
  constexpr unsigned kSeed = 20260301;
  std::mt19937 random(kSeed);
  const std::string letters = "abdeghiklmnorstuvw";
  for (int round = 0; round < 2'000; ++round) {
    std::string word;
    const std::size_t size = random() % 64;
    while (word.size() < size) word += letters[random() % letters.size()];
    for (const std::string& part : SplitGermanCompound(word)) {
      ASSERT_LT(part.size(), word.size() + 2) << word << ", seed " << kSeed;
      ASSERT_GE(part.size(), 3U) << word << ", seed " << kSeed;
    }
  }
}

class CompoundSearchTest : public testing::Test {
 protected:
  std::vector<std::string> TermsOf(std::string_view text, std::string_view language = "de") {
    std::vector<std::string> terms;
    for (const Posting& posting : analyzer_.AnalyzePassage({"", "", text, language})) {
      terms.push_back(posting.term);
    }
    return terms;
  }

  /// The terms of a question that is one word.
  std::vector<std::string> Asked(std::string_view word) {
    const std::vector<std::string> languages = {"de"};
    std::vector<std::string> terms;
    for (const TermAlternatives& asked : analyzer_.AnalyzeQuestion(word, languages).words) {
      terms.insert(terms.end(), asked.terms.begin(), asked.terms.end());
    }
    return terms;
  }

  bool Finds(std::string_view question, std::string_view text) {
    const std::vector<std::string> terms = TermsOf(text);
    const std::vector<std::string> asked = Asked(question);
    return std::any_of(asked.begin(), asked.end(), [&terms](const std::string& term) {
      return std::find(terms.begin(), terms.end(), term) != terms.end();
    });
  }

  Analyzer analyzer_;
};

TEST_F(CompoundSearchTest, APartFindsTheWhole) {
  const std::string_view text = "Die Kündigungsfrist beträgt drei Monate.";
  EXPECT_TRUE(Finds("Frist", text));
  EXPECT_TRUE(Finds("Fristen", text));
  EXPECT_TRUE(Finds("Kündigung", text));
  EXPECT_TRUE(Finds("kündigungen", text));
  EXPECT_FALSE(Finds("Vertrag", text));
  EXPECT_TRUE(Finds("Vertrag", "Mietverträge sind schriftlich zu schliessen."));
  EXPECT_TRUE(Finds("Miete", "Der Mietvertrag ist unbefristet."));
  EXPECT_TRUE(Finds("Verfassungsgericht", "Das Bundesverfassungsgericht hat entschieden."));
  EXPECT_TRUE(Finds("Entzündung", "Verdacht auf Lungenentzündung links basal."));
}

TEST_F(CompoundSearchTest, TheWholeFindsItsParts) {
  EXPECT_TRUE(Finds("Kündigungsfrist", "Für die Kündigung gilt eine Frist von vier Wochen."));
  EXPECT_TRUE(Finds("Mietvertrag", "Der Vertrag endet am Jahresende."));
}

TEST_F(CompoundSearchTest, PartsHaveNoPositions) {
  for (const Posting& posting : analyzer_.AnalyzePassage({"", "", "Kündigungsfrist", "de"})) {
    EXPECT_EQ(posting.positions.size(), posting.term == "de:kundigungsfrist" ? 1U : 0U)
        << posting.term;
    EXPECT_EQ(posting.wdf, 1U) << posting.term;
  }
}

TEST_F(CompoundSearchTest, OtherLanguagesHaveNoParts) {
  EXPECT_THAT(TermsOf("Kündigungsfrist", "en"), ElementsAre("en:kündigungsfrist"));
  EXPECT_THAT(TermsOf("Kündigungsfrist", "und"), Not(Contains("und:frist")));
}

TEST_F(CompoundSearchTest, TheSameTermsWhateverTheAnalyzerHasSeen) {
  Analyzer used;
  for (const char* text : {"Mietvertrag Vertrag", "Fristenregelung", "Vertragsfrist"}) {
    used.AnalyzePassage({"", "", text, "de"});
  }
  const auto fresh = analyzer_.AnalyzePassage({"", "", "Vertragsfrist und Mietvertrag", "de"});
  const auto again = used.AnalyzePassage({"", "", "Vertragsfrist und Mietvertrag", "de"});
  ASSERT_EQ(fresh.size(), again.size());
  for (std::size_t i = 0; i < fresh.size(); ++i) EXPECT_EQ(fresh[i].term, again[i].term);
}

}  // namespace
}  // namespace sworn::text
