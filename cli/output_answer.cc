// Search results and answers for people.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "cli/output.h"
#include "core/text/unicode.h"

namespace sworn::cli {
namespace {

constexpr std::size_t kSnippetBytes = 300;

std::string Fixed(const char* format, double value) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, value);
  return std::string(buffer.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
}

// Where a passage stands, as people say it: "path, page 3, "Heading"".
std::string Place(const store::StoredChunk& chunk) {
  std::string place = OneLine(chunk.path);
  const Location& location = chunk.location;
  if (!location.attachment_path.empty()) place += ", in " + OneLine(location.attachment_path);
  if (location.page) place += ", page " + std::to_string(*location.page);
  if (location.slide) place += ", slide " + std::to_string(*location.slide);
  if (!location.sheet.empty()) place += ", sheet " + OneLine(location.sheet);
  if (location.row) place += ", row " + std::to_string(*location.row);
  if (!chunk.heading.empty()) place += ", \"" + OneLine(chunk.heading) + '"';
  return place;
}

std::string Snippet(const store::StoredChunk& chunk, std::size_t width) {
  const std::string_view passage = chunk.text;
  const std::size_t cut = text::CutAtCodePoint(passage, kSnippetBytes);
  std::string snippet = text::ForTerminal(passage.substr(0, cut));
  if (cut < passage.size()) snippet += " ...";
  return Wrap(snippet, width, "   ");
}

std::string Ranks(const service::Hit& hit) {
  const auto leg = [](std::string_view name, const auto& rank, const auto& score) {
    std::string text = std::string(name) + ' ';
    text += rank ? "rank " + std::to_string(*rank) : "not found";
    if (score) text += " (" + Fixed("%.4f", *score) + ")";
    return text;
  };
  std::string ranks = leg("keyword", hit.keyword_rank, hit.keyword_score);
  ranks += ", " + leg("vector", hit.vector_rank, hit.vector_score);
  ranks += ", " + leg("local", hit.local_rank, hit.local_score);
  if (hit.tier > 0) ranks += ", exact terms " + std::to_string(hit.tier);
  return ranks;
}

void PrintHit(Console& console, const service::Hit& hit, bool explain) {
  const store::StoredChunk& chunk = hit.chunk;
  std::string where = OneLine(chunk.path);
  if (chunk.location.page) where += ':' + std::to_string(*chunk.location.page);
  console.out << hit.rank << ". " << Bold(console, where);
  if (!chunk.heading.empty()) console.out << "  " << OneLine(chunk.heading);
  console.out << "  " << Fixed("%.4f", hit.score) << '\n';
  if (explain) console.out << "   " << Ranks(hit) << '\n';
  if (console.verbose) {
    console.out << "   " << chunk.document_id << " version " << chunk.version << ", bytes "
                << chunk.range.begin << '-' << chunk.range.end << '\n';
  }
  console.out << Snippet(chunk, console.width) << '\n';
}

void PrintLegs(Console& console, const std::vector<service::LegReport>& legs) {
  for (const service::LegReport& leg : legs) {
    // The local leg needs a few hits to compare, which most look-ups do not have.
    if (!leg.ran && leg.name == "local" && !console.verbose) continue;
    if (!leg.ran) {
      PrintNote(console, leg.name + " search did not run: " + leg.reason);
    } else if (console.verbose) {
      PrintNote(console, leg.name + " search: " + WithThousands(leg.candidates) + " candidates");
    }
  }
}

void PrintGenerations(Console& console, const std::map<std::string, std::uint64_t>& generations) {
  if (!console.verbose) return;
  for (const auto& [collection, generation] : generations) {
    PrintNote(console, "collection " + collection + ": generation " + std::to_string(generation));
  }
}

void PrintCitation(Console& console, const service::Citation& citation) {
  std::string source = "[" + std::to_string(citation.number) + "] \"" +
                       text::ForTerminal(citation.quote) + "\" \u2014 " + Place(citation.chunk);
  source +=
      ", bytes " + std::to_string(citation.range.begin) + '-' + std::to_string(citation.range.end);
  source += citation.verified ? ", verified" : ", NOT VERIFIED";
  console.out << Wrap(source, console.width, "") << '\n';
}

void PrintAbstention(Console& console, const service::AskResponse& response) {
  console.out << Bold(console, "No answer") << ": " << OneLine(response.reason) << '\n';
  if (response.nearest.empty()) return;
  console.out << '\n' << Bold(console, "Nearest passages") << '\n';
  for (const service::Hit& hit : response.nearest) PrintHit(console, hit, false);
}

void PrintAudit(Console& console, const service::AuditReference& audit) {
  console.out << "\nAudit: intent " << audit.intent << ", outcome " << audit.outcome
              << ", checkpoint " << audit.checkpoint << '\n';
}

}  // namespace

void PrintSearch(Console& console, const service::SearchResponse& response, bool explain) {
  for (const service::Hit& hit : response.hits) PrintHit(console, hit, explain);
  if (response.hits.empty()) PrintNote(console, "No passage matches.");
  PrintLegs(console, response.legs);
  PrintGenerations(console, response.generations);
  if (console.verbose) PrintNote(console, "took " + Fixed("%.1f", response.took_ms) + " ms");
}

void PrintAnswer(Console& console, const service::AskResponse& response, bool timing) {
  if (!response.answer.empty()) {
    console.out << Wrap(text::ForTerminal(response.answer), console.width, "") << '\n';
  }
  PrintAnswerEnd(console, response, timing);
}

void PrintAnswerEnd(Console& console, const service::AskResponse& response, bool timing) {
  if (response.status == service::AnswerStatus::kAbstained) {
    PrintAbstention(console, response);
  } else {
    if (response.status == service::AnswerStatus::kPartial) {
      console.out << '\n' << Bold(console, "Partial") << ": " << OneLine(response.reason) << '\n';
    }
    console.out << '\n' << Bold(console, "Sources") << '\n';
    for (const service::Citation& citation : response.citations) PrintCitation(console, citation);
  }
  PrintAudit(console, response.audit);
  if (!response.fallback_reason.empty()) {
    PrintNote(console, "Quotations instead of the model's answer: " + response.fallback_reason);
  }
  PrintLegs(console, response.legs);
  PrintGenerations(console, response.generations);
  if (response.coverage.unreadable > 0) {
    PrintNote(console, WithThousands(response.coverage.unreadable) +
                           " files could not be read and were not searched; 'sworn list' names "
                           "them");
  }
  if (timing) {
    console.err << "Timing: retrieve " << Fixed("%.1f", response.timing.retrieve) << " ms, prefill "
                << Fixed("%.1f", response.timing.prefill) << " ms, generate "
                << Fixed("%.1f", response.timing.generate) << " ms, total "
                << Fixed("%.1f", response.timing.total) << " ms";
    if (response.completion_tokens > 0) {
      console.err << "; " << WithThousands(response.prompt_tokens) << " tokens read, "
                  << WithThousands(response.completion_tokens) << " written";
    }
    console.err << '\n';
  }
}

void PrintTranslationEnd(Console& console, const service::TranslateResponse& response,
                         bool timing) {
  console.out << "\n\n"
              << Bold(console, "Unverified") << ": a translation by model "
              << OneLine(response.model_id) << (response.cut ? ", cut at --max-tokens" : "")
              << '\n';
  PrintAudit(console, response.audit);
  if (timing) {
    console.err << "Timing: prefill " << Fixed("%.1f", response.prefill_ms) << " ms, generate "
                << Fixed("%.1f", response.generate_ms) << " ms, total "
                << Fixed("%.1f", response.total_ms) << " ms\n";
  }
}

}  // namespace sworn::cli
