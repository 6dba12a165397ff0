#include "tests/indexer/format_samples.h"

namespace sworn::indexer {
namespace {

std::string Mail(const std::string& header, const std::string& body) {
  return "From: =?utf-8?Q?J=C3=BCrgen_Vogt?= <j.vogt@example.org>\r\nTo: Ana <ana@example.org>\r\n"
         "Subject: =?iso-8859-1?Q?K=FCndigung?= of the lease\r\n"
         "Date: Wed, 31 Jan 2024 10:05:00 +0100\r\nMIME-Version: 1.0\r\n" +
         header + "\r\n\r\n" + body;
}

std::string Part(const std::string& header, const std::string& body) {
  return "--cut\r\n" + header + "\r\n\r\n" + body + "\r\n";
}

const char* const kMixed = "Content-Type: multipart/mixed; boundary=cut";

TEST(EmlFormat, DecodesHeaderFields) {
  const ExtractedText text = Extract(Mail("X-A: b", "Hello."), media::kEml).text;
  EXPECT_EQ(text.title, "K\u00fcndigung of the lease");
  EXPECT_EQ(text.metadata.at("from"), "J\u00fcrgen Vogt <j.vogt@example.org>");
  EXPECT_EQ(text.metadata.at("to"), "Ana <ana@example.org>");
  EXPECT_EQ(text.metadata.at("date"), "2024-01-31T09:05:00.000Z");
  EXPECT_EQ(TextOf(text, text.blocks.at(1)), "Hello.");
}

TEST(EmlFormat, SeparatesQuotedRepliesFromTheReply) {
  const ExtractedText text =
      Extract(Mail("X-A: b", "I agree.\r\n\r\n> Do you?\r\n> Please say.\r\nThanks"), media::kEml)
          .text;
  EXPECT_EQ(BlockOf(text, "I agree.").kind, BlockKind::kParagraph);
  const Block quote = BlockOf(text, "Do you?");
  EXPECT_EQ(quote.kind, BlockKind::kQuote);
  EXPECT_EQ(TextOf(text, quote), "Do you?\nPlease say.");
  EXPECT_EQ(BlockOf(text, "Thanks").kind, BlockKind::kParagraph);
}

TEST(EmlFormat, PrefersPlainTextAndFallsBackToHtml) {
  const std::string alternative = "Content-Type: multipart/alternative; boundary=cut";
  const std::string html = Part("Content-Type: text/html", "<p>rich <b>text</b></p>");
  EXPECT_EQ(BlockOf(Extract(Mail(alternative,
                                 Part("Content-Type: text/plain", "plain text") + html + "--cut--"),
                            media::kEml)
                        .text,
                    "plain text")
                .kind,
            BlockKind::kParagraph);
  const ExtractedText text =
      Extract(Mail(alternative, Part("Content-Type: text/plain", " ") + html + "--cut--"),
              media::kEml)
          .text;
  EXPECT_EQ(TextOf(text, text.blocks.back()), "rich text");
}

TEST(EmlFormat, ReadsAttachmentsAndNamesWhatItCannotRead) {
  const ExtractedText text =
      Extract(Mail(kMixed, Part("Content-Type: text/plain; charset=windows-1252", "caf\xe9") +
                               Part("Content-Type: text/plain\r\nContent-Disposition: attachment; "
                                    "filename=\"notes.txt\"\r\nContent-Transfer-Encoding: base64",
                                    "YXR0YWNoZWQgd29yZHM=") +
                               Part("Content-Type: image/png\r\nContent-Disposition: attachment; "
                                    "filename=\"a/b.png\"",
                                    "\x89PNG\r\n\x1a\n") +
                               "--cut--"),
              media::kEml)
          .text;
  EXPECT_EQ(BlockOf(text, "caf\u00e9").location.attachment_path, "");
  EXPECT_EQ(BlockOf(text, "attached words").location.attachment_path, "notes.txt");
  ASSERT_EQ(text.warnings.size(), 1U);
  EXPECT_EQ(text.warnings[0], "attachment 'a_b.png' skipped: unsupported: image/png");
}

TEST(EmlFormat, FollowsNestedMailsAsFarAsTheLimit) {
  std::string inner = Mail("X-A: b", "innermost words");
  for (int i = 0; i < 3; ++i) {
    inner =
        Mail(kMixed, Part("Content-Type: text/plain", "level " + std::to_string(2 - i)) +
                         Part("Content-Type: message/rfc822\r\nContent-Disposition: attachment; "
                              "filename=m.eml",
                              inner) +
                         "--cut--");
    if (i == 2) break;
    std::string boundary = "cut" + std::to_string(i);
    for (std::size_t at = inner.find("cut"); at != std::string::npos;
         at = inner.find("cut", at + boundary.size())) {
      if (inner.compare(at, 4, "cut0") != 0) inner.replace(at, 3, boundary);
    }
  }
  const ExtractedText text = Extract(inner, media::kEml).text;
  EXPECT_EQ(BlockOf(text, "level 0").location.attachment_path, "");
  EXPECT_EQ(BlockOf(text, "level 1").location.attachment_path, "m.eml");
  EXPECT_EQ(BlockOf(text, "level 2").location.attachment_path, "m.eml/m.eml");
  EXPECT_EQ(text.text.find("innermost"), std::string::npos);
  ASSERT_EQ(text.warnings.size(), 1U);
  EXPECT_NE(text.warnings[0].find("max_nesting"), std::string::npos);
}

TEST(EmlFormat, ReadsMailsSavedAsUtf16) {
  const std::string mail = "Subject: wide\nFrom: a@example.org\n\nwords\n";
  std::string wide;
  for (const char c : mail) wide.append({'\0', c});
  const ExtractedText text = Extract(wide, media::kEml).text;
  EXPECT_EQ(text.title, "wide");
  EXPECT_EQ(TextOf(text, text.blocks.back()), "words");
}

TEST(EmlFormat, EveryPrefixOfAMailIsReadOrRefusedByName) {
  const std::string mail =
      Mail(kMixed, Part("Content-Type: text/html; charset=unknown-8bit", "<p>x\xff</p>") +
                       Part("Content-Type: message/rfc822", Mail("X: y", "deep")) + "--cut--");
  for (std::size_t size = 0; size <= mail.size(); ++size) {
    try {
      Extract(std::string_view(mail).substr(0, size), media::kEml);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kIntegrity) << size;
    }
  }
}

}  // namespace
}  // namespace sworn::indexer
