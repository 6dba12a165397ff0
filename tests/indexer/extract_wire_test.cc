#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "core/file.h"
#include "indexer/extract/ocr.h"
#include "indexer/extract/text_builder.h"
#include "indexer/extract/wire.h"

namespace sworn::indexer {
namespace {

using ::testing::HasSubstr;

ExtractedText Sample() {
  TextBuilder builder("test/1");
  builder.SetTitle("Title");
  builder.SetMetadata("author", "R. Example");
  builder.AddWarning("page 3 needs OCR");
  BlockDetails heading;
  heading.heading_level = 2;
  heading.location.page = 1;
  heading.location.page_label = "iv";
  builder.AddBlock(BlockKind::kHeading, "Heading é", heading);
  builder.EndPage();
  BlockDetails row;
  row.location.sheet = "Sheet 1";
  row.location.row = 7;
  row.location.slide = 2;
  row.location.page_end = 4;
  row.location.attachment_path = "mail.eml/table.csv";
  row.table_header = "a | b";
  row.ocr = true;
  builder.AddBlock(BlockKind::kTableRow, "1 | 2", row);
  builder.AddBlock(BlockKind::kTableRow, "3 | 4\xe2\x80\x8b", row);
  builder.SetPageCount(2);
  return std::move(builder).Finish();
}

WorkerReply SampleReply() {
  WorkerReply reply;
  reply.ok = true;
  reply.extraction.text = Sample();
  reply.extraction.ocr_pages = {3, 9};
  return reply;
}

void ExpectSameText(const ExtractedText& a, const ExtractedText& b) {
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.title, b.title);
  EXPECT_EQ(a.metadata, b.metadata);
  EXPECT_EQ(a.extractor, b.extractor);
  EXPECT_EQ(a.page_count, b.page_count);
  EXPECT_EQ(a.removed, b.removed);
  EXPECT_EQ(a.warnings, b.warnings);
  ASSERT_EQ(a.blocks.size(), b.blocks.size());
  for (std::size_t i = 0; i < a.blocks.size(); ++i) {
    EXPECT_EQ(a.blocks[i].kind, b.blocks[i].kind);
    EXPECT_EQ(a.blocks[i].range, b.blocks[i].range);
    EXPECT_EQ(a.blocks[i].heading_level, b.blocks[i].heading_level);
    EXPECT_EQ(a.blocks[i].table_header, b.blocks[i].table_header);
    EXPECT_EQ(a.blocks[i].location, b.blocks[i].location);
    EXPECT_EQ(a.blocks[i].ocr, b.blocks[i].ocr);
  }
}

/// DecodeReply must refuse the sample after `spoil`.
template <typename Spoil>
void CheckRefused(const char* what, Spoil spoil) {
  WorkerReply reply = SampleReply();
  spoil(reply.extraction);
  try {
    DecodeReply(EncodeReply(reply));
    ADD_FAILURE() << what << " was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIntegrity) << what;
  }
}

TEST(WireTest, ARequestSurvivesTheWire) {
  WorkerRequest request;
  request.operation = WorkerOperation::kRunTool;
  request.extract.file_name = "näme \xff.pdf";
  request.extract.media_type = "application/pdf";
  request.extract.limits.max_pages = 17;
  request.extract.nesting = 1;
  request.page = 3;
  request.dpi = 200;
  request.arguments = {"/usr/bin/tool", "-x"};
  const WorkerRequest decoded = DecodeRequest(EncodeRequest(request));
  EXPECT_EQ(decoded.operation, request.operation);
  EXPECT_EQ(decoded.extract.file_name, "näme \xef\xbf\xbd.pdf");
  EXPECT_EQ(decoded.extract.limits, request.extract.limits);
  EXPECT_EQ(decoded.extract.nesting, 1U);
  EXPECT_EQ(decoded.page, 3U);
  EXPECT_EQ(decoded.dpi, 200U);
  EXPECT_EQ(decoded.arguments, request.arguments);
}

TEST(WireTest, WhatIsNoRequestIsRefused) {
  EXPECT_THROW(DecodeRequest("{}"), Error);
  EXPECT_THROW(DecodeRequest("not json"), Error);
}

TEST(WireTest, AReplySurvivesTheWire) {
  const WorkerReply decoded = DecodeReply(EncodeReply(SampleReply()));
  EXPECT_TRUE(decoded.ok);
  ExpectSameText(decoded.extraction.text, Sample());
  EXPECT_EQ(decoded.extraction.ocr_pages, (std::vector<std::uint32_t>{3, 9}));
}

TEST(WireTest, AFailureKeepsItsCodeAndAPrintableReason) {
  WorkerReply failure;
  failure.code = ErrorCode::kDenied;
  failure.reason = "encrypted\x1b[31m\nsecond line" + std::string(2000, 'x');
  const WorkerReply decoded = DecodeReply(EncodeReply(failure));
  EXPECT_FALSE(decoded.ok);
  EXPECT_EQ(decoded.code, ErrorCode::kDenied);
  EXPECT_THAT(decoded.reason, HasSubstr("encrypted"));
  EXPECT_EQ(decoded.reason.find('\x1b'), std::string::npos);
  EXPECT_EQ(decoded.reason.find('\n'), std::string::npos);
  EXPECT_LE(decoded.reason.size(), kMaxReasonBytes);
  failure.code = ErrorCode::kAuditUnavailable;
  EXPECT_EQ(DecodeReply(EncodeReply(failure)).code, ErrorCode::kIntegrity);
}

TEST(WireTest, RepliesThatBreakAPromiseAreRefused) {
  CheckRefused("text that is no UTF-8", [](Extraction& e) { e.text.text[0] = '\xff'; });
  CheckRefused("text outside of blocks", [](Extraction& e) { e.text.text.append("tail"); });
  CheckRefused("a range beyond the text", [](Extraction& e) { e.text.blocks[2].range.end = 9999; });
  CheckRefused("blocks out of order",
               [](Extraction& e) { std::swap(e.text.blocks[0], e.text.blocks[1]); });
  CheckRefused("an empty block",
               [](Extraction& e) { e.text.blocks[1].range.end = e.text.blocks[1].range.begin; });
  CheckRefused("a cut character", [](Extraction& e) { --e.text.blocks[0].range.end; });
  CheckRefused("a level of a paragraph", [](Extraction& e) { e.text.blocks[1].heading_level = 1; });
  CheckRefused("a heading of level 9", [](Extraction& e) { e.text.blocks[0].heading_level = 9; });
  CheckRefused("a title of two lines", [](Extraction& e) { e.text.title = "a\nb"; });
  CheckRefused("too long a title", [](Extraction& e) { e.text.title.assign(5000, 'x'); });
  CheckRefused("invisible characters", [](Extraction& e) { e.text.title = "a\xe2\x80\x8b"; });
  CheckRefused("page 0 for OCR", [](Extraction& e) { e.ocr_pages = {0, 1}; });
  CheckRefused("pages out of order", [](Extraction& e) { e.ocr_pages = {2, 1}; });
  CheckRefused("too many warnings", [](Extraction& e) { e.text.warnings.resize(1000, "w"); });
  CheckRefused("too long a name",
               [](Extraction& e) { e.text.blocks[1].table_header.assign(5000, 'x'); });
}

TEST(WireTest, RandomlyDamagedRepliesAreRefusedOrStillKeepTheirPromises) {
  const Frame good = EncodeReply(SampleReply());
  std::mt19937 random(20260101);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Frame bad = good;
    std::string& part = round % 3 == 0 ? bad.json : round % 3 == 1 ? bad.body : bad.records;
    for (int flips = 0; flips < 3; ++flips) {
      part[random() % part.size()] = static_cast<char>(random());
    }
    if (round % 7 == 0) part.resize(random() % part.size());
    try {
      const WorkerReply reply = DecodeReply(std::move(bad));
      if (!reply.ok) continue;
      for (const Block& block : reply.extraction.text.blocks) {
        ASSERT_LE(block.range.end, reply.extraction.text.text.size());
      }
      EXPECT_TRUE(text::IsValidUtf8(reply.extraction.text.text));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIntegrity);
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

struct SocketPair {
  SocketPair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    a = FileDescriptor(ends[0]);
    b = FileDescriptor(ends[1]);
  }
  FileDescriptor a;
  FileDescriptor b;
};

TEST(FrameTest, PartsBeyondTheirBoundsAreRefusedBeforeTheyAreRead) {
  SocketPair sockets;
  const std::string body(1000, 'x');
  ASSERT_EQ(SendFrame(sockets.a.get(), {"{}", body, {}}, {}), FrameStatus::kOk);
  Frame frame;
  EXPECT_EQ(ReceiveFrame(sockets.b.get(), {10, 999, 0}, {}, frame), FrameStatus::kMalformed);
  EXPECT_TRUE(frame.body.empty());
}

TEST(FrameTest, LargeFramesCrossASmallSocket) {
  SocketPair sockets;
  const std::string body(8 * kMebibyte, 'b');
  Frame frame;
  FrameStatus sent = FrameStatus::kClosed;
  std::thread sender([&] { sent = SendFrame(sockets.a.get(), {"{}", body, "rr"}, {}); });
  EXPECT_EQ(ReceiveFrame(sockets.b.get(), {10, body.size(), 2}, {}, frame), FrameStatus::kOk);
  sender.join();
  EXPECT_EQ(sent, FrameStatus::kOk);
  EXPECT_EQ(frame.body, body);
  EXPECT_EQ(frame.records, "rr");
}

TEST(FrameTest, WaitingEndsAtTheDeadlineAndWhenTheOtherSideCloses) {
  SocketPair sockets;
  Frame frame;
  const Wait soon{std::chrono::steady_clock::now() + std::chrono::milliseconds(30), nullptr};
  EXPECT_EQ(ReceiveFrame(sockets.b.get(), {10, 10, 10}, soon, frame), FrameStatus::kTimedOut);
  sockets.a = FileDescriptor();
  EXPECT_EQ(ReceiveFrame(sockets.b.get(), {10, 10, 10}, {}, frame), FrameStatus::kClosed);
  EXPECT_EQ(SendFrame(sockets.b.get(), {"{}", {}, {}}, {}), FrameStatus::kClosed);
}

TEST(TextBuilderTest, AnAttachmentKeepsItsPlace) {
  TextBuilder builder("mail/1");
  builder.AddBlock(BlockKind::kParagraph, "Body");
  builder.AppendPart(Sample(), "report.docx");
  const ExtractedText text = std::move(builder).Finish();
  ASSERT_EQ(text.blocks.size(), 4U);
  EXPECT_EQ(text.blocks[1].location.attachment_path, "report.docx");
  EXPECT_EQ(text.blocks[2].location.attachment_path, "report.docx/mail.eml/table.csv");
  EXPECT_EQ(text.text, "Body\n\nHeading é\n\n1 | 2\n3 | 4");
  EXPECT_EQ(text.warnings, std::vector<std::string>{"report.docx: page 3 needs OCR"});
  EXPECT_EQ(text.removed.zero_width, 1U);
}

TEST(TextBuilderTest, TextBeyondItsBoundIsRefused) {
  TextBuilder builder("test/1");
  const std::string half(kMaxTextBytes / 2 + 1, 'x');
  builder.AddBlock(BlockKind::kParagraph, half);
  EXPECT_THROW(builder.AddBlock(BlockKind::kParagraph, half), Error);
}

TEST(OcrTest, RecognisedPagesStandInTheirPlaceAndAreMarked) {
  TextBuilder builder("pdf/1");
  builder.SetPageCount(4);
  BlockDetails page;
  page.location.page = 1;
  builder.AddBlock(BlockKind::kHeading, "One", page);
  for (int i = 0; i < 2; ++i) builder.EndPage();
  page.location.page = 3;
  builder.AddBlock(BlockKind::kParagraph, "Three", page);
  const ExtractedText merged =
      InsertOcrPages(std::move(builder).Finish(), {{2, "Two\n\nmore\f"}, {4, "Four"}});
  EXPECT_EQ(merged.text, "One\fTwo\n\nmore\fThree\fFour");
  ASSERT_EQ(merged.blocks.size(), 5U);
  EXPECT_FALSE(merged.blocks[0].ocr);
  EXPECT_TRUE(merged.blocks[1].ocr);
  EXPECT_EQ(merged.blocks[2].location.page, 2U);
  EXPECT_FALSE(merged.blocks[3].ocr);
  EXPECT_EQ(merged.blocks[4].location.page, 4U);
  EXPECT_EQ(merged.page_count, 4U);
}

TEST(OcrTest, PagesAreDescribedAsRanges) {
  EXPECT_EQ(DescribePages({3}), "3");
  EXPECT_EQ(DescribePages({1, 2, 3, 7, 9, 10}), "1-3, 7, 9-10");
}

TEST(OcrTest, WithoutItsDataThereIsNoCommand) {
  EXPECT_FALSE(OcrCommand("/bin/true", "/nonexistent").has_value());
  EXPECT_FALSE(OcrCommand("/nonexistent", "/usr").has_value());
}

}  // namespace
}  // namespace sworn::indexer
