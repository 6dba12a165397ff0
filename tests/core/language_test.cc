#include "core/text/language.h"

#include <gtest/gtest.h>

#include "core/text/stop_words.h"

namespace sworn::text {
namespace {

TEST(LanguageTest, TellsTheLanguageOfAParagraph) {
  EXPECT_EQ(DetectLanguage("The tenant shall give the landlord notice in writing at least three "
                           "months before the end of the lease."),
            "en");
  EXPECT_EQ(DetectLanguage("El arrendatario deberá comunicar por escrito su voluntad de no "
                           "renovar el contrato con tres meses de antelación."),
            "es");
  EXPECT_EQ(DetectLanguage("Der Mieter muss dem Vermieter die Kündigung spätestens drei Monate "
                           "vor dem Ende des Vertrags schriftlich mitteilen."),
            "de");
}

TEST(LanguageTest, FunctionWordsDecideAmongForeignNames) {
  EXPECT_EQ(DetectLanguage("Entre los socios de la firma están Baker McKenzie, White & Case, Allen "
                           "& Overy, Clifford Chance y Freshfields Bruckhaus Deringer; el resto de "
                           "los bufetes de la lista son Linklaters y Latham & Watkins."),
            "es");
  EXPECT_EQ(DetectLanguage("O prazo do contrato é de dois anos e a parte que o quiser rescindir "
                           "deverá comunicar com três meses de antecedência."),
            "pt");
}

TEST(LanguageTest, GivesUndForWhatHasNoLanguage) {
  EXPECT_EQ(DetectLanguage(""), kUnknownLanguage);
  EXPECT_EQ(DetectLanguage("12 | 34 | 56.7 | 2021-01-02"), kUnknownLanguage);
  EXPECT_EQ(DetectLanguage("ok"), kUnknownLanguage);
}

TEST(LanguageTest, ReadsTheBeginningOfALongTextOnly) {
  std::string text;
  while (text.size() < 70'000) text += "This is the first part of a rather long document. ";
  std::string spanish;
  while (spanish.size() < 300'000) spanish += "Esta es la segunda parte de un documento largo. ";
  EXPECT_EQ(DetectLanguage(text + spanish), "en");
}

TEST(StopWordsTest, FunctionWordsAreStopWordsOfTheirLanguageOnly) {
  EXPECT_TRUE(IsStopWord("the", "en"));
  EXPECT_TRUE(IsStopWord("según", "es"));
  EXPECT_TRUE(IsStopWord("dass", "de"));
  EXPECT_FALSE(IsStopWord("the", "de"));
  EXPECT_FALSE(IsStopWord("die", "en"));
  EXPECT_FALSE(IsStopWord("contract", "en"));
  EXPECT_FALSE(IsStopWord("the", "und"));
}

TEST(StopWordsTest, NegationsAreNever) {
  for (const std::string_view language : StopWordLanguages()) {
    for (const std::string_view word :
         {"not",    "no",         "never",   "without", "nor",   "neither", "none",
          "nobody", "nothing",    "cannot",  "don't",   "isn't", "can't",   "won't",
          "nicht",  "kein",       "keine",   "keinen",  "ohne",  "nie",     "niemals",
          "weder",  "noch nicht", "nichts",  "niemand", "sin",   "nunca",   "jamás",
          "ni",     "ningún",     "ninguno", "ninguna", "nada",  "nadie",   "tampoco"}) {
      EXPECT_FALSE(IsStopWord(word, language)) << word << ' ' << language;
    }
  }
}

}  // namespace
}  // namespace sworn::text
