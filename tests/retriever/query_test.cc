#include "retriever/query.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace sworn::retriever {
namespace {

ErrorCode CodeOf(const Query& query) {
  try {
    CheckQuery(query);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "the query was taken";
  return ErrorCode::kInternal;
}

Query Asking(std::string text, std::size_t top_k = 10) {
  Query query;
  query.text = std::move(text);
  query.top_k = top_k;
  return query;
}

TEST(QueryTest, TakesWhatIsWithinTheBounds) {
  EXPECT_NO_THROW(CheckQuery(Asking("¿Qué dice el artículo 7?")));
  EXPECT_NO_THROW(CheckQuery(Asking(std::string(kMaxQuestionBytes, 'a'), 1)));
  EXPECT_NO_THROW(CheckQuery(Asking("a", kMaxTopK)));
}

TEST(QueryTest, ALongerQuestionIsTooLarge) {
  EXPECT_EQ(CodeOf(Asking(std::string(kMaxQuestionBytes + 1, 'a'))), ErrorCode::kTooLarge);
  EXPECT_EQ(CodeOf(Asking(std::string(std::size_t{1} << 20, '\xff'))), ErrorCode::kTooLarge);
}

TEST(QueryTest, RefusesBlankTextBadBytesAndBadCounts) {
  EXPECT_EQ(CodeOf(Asking("")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Asking(" \t\n")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Asking("caf\xe9 au lait")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Asking("a", 0)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Asking("a", kMaxTopK + 1)), ErrorCode::kInvalidArgument);
}

TEST(QueryTest, RefusesAnEmptySpanOfTime) {
  Query query = Asking("a");
  query.filter.since_ms = 5;
  query.filter.until_ms = 5;
  EXPECT_EQ(CodeOf(query), ErrorCode::kInvalidArgument);
  query.filter.until_ms = 6;
  EXPECT_NO_THROW(CheckQuery(query));
}

TEST(QueryTest, ModesHaveTheirNames) {
  for (const Mode mode : {Mode::kHybrid, Mode::kKeyword, Mode::kVector}) {
    EXPECT_EQ(ParseMode(ModeName(mode)), mode);
  }
  EXPECT_THROW(ParseMode("Hybrid"), Error);
  EXPECT_THROW(ParseMode(""), Error);
}

}  // namespace
}  // namespace sworn::retriever
