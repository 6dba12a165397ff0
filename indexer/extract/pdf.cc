// PDF through poppler-cpp: text page by page, headings by font size, pages that need OCR.
#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <poppler-document.h>
#include <poppler-embedded-file.h>
#include <poppler-global.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>
#include <poppler-version.h>

#include "core/clock.h"
#include "core/error.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/pdf_layout.h"
#include "indexer/extract/text_builder.h"

namespace sworn::indexer {
namespace {

constexpr double kPointsPerInch = 72;
constexpr double kGlanceDpi = 20;      // enough to see whether a page is blank
constexpr double kHeadingSize = 1.12;  // of the size that most of the text has
constexpr unsigned kMaxHeadingLines = 3;
constexpr std::size_t kMaxHeadingBytes = 200;
constexpr unsigned kMaxHeadingLevel = 6;
constexpr std::int64_t kMillisPerSecond = 1000;
constexpr unsigned char kWhite = 250;  // antialiasing of nothing is a little less than 255

struct Page {
  std::uint32_t number = 0;
  std::string label;
  std::vector<PdfParagraph> paragraphs;
};

std::string Utf8(const poppler::ustring& text) {
  const poppler::byte_array bytes = text.to_utf8();
  return {bytes.begin(), bytes.end()};
}

// Poppler writes complaints about damaged files to standard error.
void SilenceOnce() {
  static const bool done = [] {
    poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
    return true;
  }();
  static_cast<void>(done);
}

std::unique_ptr<poppler::document> Open(std::string_view bytes) {
  SilenceOnce();
  if (bytes.size() > INT_MAX) {
    throw Error(ErrorCode::kTooLarge, "larger than 2 GiB (max_file_bytes)");
  }
  std::unique_ptr<poppler::document> document(
      poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
  if (document == nullptr) throw Error(ErrorCode::kIntegrity, "corrupt PDF");
  if (document->is_locked()) throw Error(ErrorCode::kDenied, "encrypted: needs a password");
  if (document->pages() <= 0) throw Error(ErrorCode::kIntegrity, "corrupt PDF: it has no pages");
  return document;
}

// The page in shades of grey; an invalid image if it cannot be drawn or would be too large.
poppler::image Render(const poppler::page& page, double dpi) {
  const poppler::rectf box = page.page_rect();
  const double scale = dpi / kPointsPerInch;
  const double pixels = box.width() * scale * box.height() * scale;
  if (!(pixels > 0) || pixels > static_cast<double>(kMaxRenderedPixels)) return {};
  poppler::page_renderer renderer;
  renderer.set_image_format(poppler::image::format_gray8);
  renderer.set_render_hint(poppler::page_renderer::antialiasing);
  renderer.set_render_hint(poppler::page_renderer::text_antialiasing);
  return renderer.render_page(&page, dpi, dpi);
}

bool IsBlank(const poppler::page& page) {
  const poppler::image image = Render(page, kGlanceDpi);
  if (!image.is_valid()) return true;
  for (int y = 0; y < image.height(); ++y) {
    const char* row = image.const_data() + static_cast<std::ptrdiff_t>(y) * image.bytes_per_row();
    if (!std::all_of(row, row + image.width(),
                     [](char c) { return static_cast<unsigned char>(c) >= kWhite; })) {
      return false;
    }
  }
  return true;
}

bool IsBold(const std::string& font_name) {
  constexpr std::array<std::string_view, 5> kMarks = {"Bold", "bold", "CMBX", "Heavy", "Black"};
  return std::any_of(kMarks.begin(), kMarks.end(), [&](std::string_view mark) {
    return font_name.find(mark) != std::string::npos;
  });
}

std::vector<PdfWord> WordsOf(const poppler::page& page) {
  std::vector<PdfWord> words;
  for (const poppler::text_box& box : page.text_list(poppler::page::text_list_include_font)) {
    const poppler::rectf area = box.bbox();
    PdfWord word;
    word.text = Utf8(box.text());
    word.left = area.left();
    word.top = area.top();
    word.right = area.right();
    word.bottom = area.bottom();
    word.font_size = box.has_font_info() ? box.get_font_size() : area.height();
    word.bold = box.has_font_info() && IsBold(box.get_font_name());
    word.space_after = box.has_space_after();
    word.rotation = box.rotation() & 3;
    words.push_back(std::move(word));
  }
  return words;
}

double Rounded(double font_size) { return std::round(font_size * 2) / 2; }

/// Which paragraphs are headings, judged by the whole document.
class HeadingJudge {
 public:
  explicit HeadingJudge(const std::vector<Page>& pages) {
    std::map<std::pair<double, bool>, std::size_t> bytes_of_style;
    for (const Page& page : pages) {
      for (const PdfParagraph& paragraph : page.paragraphs) {
        bytes_of_style[{Rounded(paragraph.font_size), paragraph.bold}] += paragraph.text.size();
      }
    }
    std::size_t most = 0;
    for (const auto& [style, bytes] : bytes_of_style) {
      if (bytes <= most) continue;
      most = bytes;
      body_size_ = style.first;
      body_bold_ = style.second;
    }
    for (const Page& page : pages) {
      for (const PdfParagraph& paragraph : page.paragraphs) {
        if (LooksLikeHeading(paragraph)) sizes_.insert(Rounded(paragraph.font_size));
      }
    }
  }

  /// 1 to 6; 0 for text that is no heading.
  [[nodiscard]] std::uint8_t LevelOf(const PdfParagraph& paragraph) const {
    if (!LooksLikeHeading(paragraph)) return 0;
    // A clause number says more than a font: "3.2 Scope" stands below "3 Terms".
    unsigned level = ClauseDepth(paragraph.text);
    if (level == 0) {
      const auto larger = sizes_.upper_bound(Rounded(paragraph.font_size));
      level = static_cast<unsigned>(std::distance(larger, sizes_.end())) + 1;
    }
    return static_cast<std::uint8_t>(std::min(level, kMaxHeadingLevel));
  }

 private:
  [[nodiscard]] bool LooksLikeHeading(const PdfParagraph& paragraph) const {
    const std::string& text = paragraph.text;
    if (paragraph.lines > kMaxHeadingLines || text.size() > kMaxHeadingBytes) return false;
    const bool has_word = std::any_of(text.begin(), text.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<signed char>(c) < 0;
    });
    if (!has_word || text.size() < 2) return false;
    if (paragraph.font_size >= kHeadingSize * body_size_) return true;
    return paragraph.bold && !body_bold_ && text.back() != '.' && text.back() != ',' &&
           Rounded(paragraph.font_size) >= body_size_;
  }

  double body_size_ = 0;
  bool body_bold_ = false;
  std::set<double> sizes_;  // of headings
};

void ReadInfo(const poppler::document& document, TextBuilder& builder) {
  builder.SetTitle(Utf8(document.get_title()));
  builder.SetMetadata("author", Utf8(document.get_author()));
  builder.SetMetadata("subject", Utf8(document.get_subject()));
  builder.SetMetadata("keywords", Utf8(document.get_keywords()));
  const auto set_date = [&builder](const char* key, std::time_t seconds) {
    if (seconds <= 0) return;  // absent or malformed
    try {
      builder.SetMetadata(key,
                          FormatRfc3339(static_cast<std::int64_t>(seconds) * kMillisPerSecond));
    } catch (const Error&) {
      builder.AddWarning(std::string(key) + " is out of range");
    }
  };
  const std::time_t created = document.get_creation_date_t();
  const std::time_t modified = document.get_modification_date_t();
  set_date("date", modified > 0 ? modified : created);
  set_date("created", created);
}

void AddPages(const std::vector<Page>& pages, TextBuilder& builder) {
  const HeadingJudge judge(pages);
  for (const Page& page : pages) {
    for (const PdfParagraph& paragraph : page.paragraphs) {
      BlockDetails details;
      details.location.page = page.number;
      details.location.page_label = page.label;
      details.heading_level = judge.LevelOf(paragraph);
      const BlockKind kind = details.heading_level > 0        ? BlockKind::kHeading
                             : StartsListItem(paragraph.text) ? BlockKind::kListItem
                                                              : BlockKind::kParagraph;
      builder.AddBlock(kind, paragraph.text, details);
    }
    builder.EndPage();
  }
}

}  // namespace

Extraction ExtractPdf(std::string_view bytes, const ExtractRequest& request) {
  const std::unique_ptr<poppler::document> document = Open(bytes);
  const auto count = static_cast<std::uint32_t>(document->pages());
  if (count > request.limits.max_pages) {
    throw Error(ErrorCode::kTooLarge,
                "has more than " + std::to_string(request.limits.max_pages) + " pages (max_pages)");
  }
  TextBuilder builder("pdf/poppler-" + poppler::version_string());
  Extraction extraction;
  std::vector<Page> pages;
  std::size_t text_bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    pages.push_back({i + 1, {}, {}});
    const std::unique_ptr<poppler::page> page(document->create_page(static_cast<int>(i)));
    if (page == nullptr) {
      builder.AddWarning("page " + std::to_string(i + 1) + " is damaged");
      continue;
    }
    pages.back().label = Utf8(page->label());
    pages.back().paragraphs = ParagraphsOfPage(WordsOf(*page));
    for (const PdfParagraph& paragraph : pages.back().paragraphs) {
      text_bytes += paragraph.text.size();
    }
    if (text_bytes > kMaxTextBytes) {
      throw Error(ErrorCode::kTooLarge, "the text is larger than 64 MiB (kMaxTextBytes)");
    }
    if (pages.back().paragraphs.empty() && !IsBlank(*page)) extraction.ocr_pages.push_back(i + 1);
  }
  ReadInfo(*document, builder);
  AddPages(pages, builder);
  builder.SetPageCount(count);
  for (const poppler::embedded_file* file : document->embedded_files()) {
    builder.AddWarning("attachment '" + file->name() +
                       "' skipped: files inside a PDF are not read");
  }
  extraction.text = std::move(builder).Finish();
  return extraction;
}

std::string RenderPdfPage(std::string_view bytes, std::uint32_t page, std::uint32_t dpi) {
  const std::unique_ptr<poppler::document> document = Open(bytes);
  if (page == 0 || page > static_cast<std::uint32_t>(document->pages())) {
    throw Error(ErrorCode::kNotFound, "page " + std::to_string(page) + " is not there");
  }
  const std::unique_ptr<poppler::page> handle(document->create_page(static_cast<int>(page - 1)));
  if (handle == nullptr) {
    throw Error(ErrorCode::kIntegrity, "page " + std::to_string(page) + " is damaged");
  }
  const poppler::image image = Render(*handle, dpi);
  if (!image.is_valid()) {
    throw Error(ErrorCode::kTooLarge,
                "page " + std::to_string(page) + " cannot be drawn (kMaxRenderedPixels)");
  }
  std::string map =
      "P5\n" + std::to_string(image.width()) + " " + std::to_string(image.height()) + "\n255\n";
  for (int y = 0; y < image.height(); ++y) {
    map.append(image.const_data() + static_cast<std::ptrdiff_t>(y) * image.bytes_per_row(),
               static_cast<std::size_t>(image.width()));
  }
  return map;
}

}  // namespace sworn::indexer
