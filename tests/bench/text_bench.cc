// Speed of the text path, one thread: normalising, splitting, telling the language, chunking,
// analysing. Input: the files named on the command line (UTF-8 text), or a made-up text.
// Prints the median and the range of several rounds, by processor time: a busy machine counts less.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "core/text/analyzer.h"
#include "core/text/language.h"
#include "core/text/sentences.h"
#include "core/text/unicode.h"
#include "indexer/chunker.h"

namespace sworn {
namespace {

constexpr int kRounds = 7;
constexpr std::size_t kMadeUpBytes = 4'000'000;

/// Paragraphs of sentences over a vocabulary with a natural distribution: few words are frequent.
std::string MadeUpText() {
  std::mt19937 generator(1);
  std::vector<std::string> vocabulary;
  for (int i = 0; i < 20'000; ++i) {
    std::string word;
    const int syllables = 1 + static_cast<int>(generator() % 4);
    for (int s = 0; s < syllables; ++s) {
      word += "bcdfglmnprstv"[generator() % 13];
      word += i % 50 == 0 ? "\xC3\xA9" : std::string(1, "aeiou"[generator() % 5]);
    }
    vocabulary.push_back(word);
  }
  static constexpr const char* kFunctionWords[] = {"the", "of", "and", "to", "in", "is", "not"};
  std::string text;
  while (text.size() < kMadeUpBytes) {
    for (int sentence = 0; sentence < 6; ++sentence) {
      std::string words = "The";
      for (int i = 0; i < 18; ++i) {
        words += ' ';
        if (generator() % 5 < 2) {
          words += kFunctionWords[generator() % 7];
        } else {
          const double u = static_cast<double>(generator() % 100'000) / 100'000;
          words += vocabulary[static_cast<std::size_t>(u * u * u * 19'999)];
        }
      }
      if (generator() % 10 == 0) words += " AB-" + std::to_string(generator() % 100'000);
      text += words + ". ";
    }
    text.back() = '\n';
    text += '\n';
  }
  return text;
}

void Report(const char* name, std::size_t bytes, const std::function<std::size_t()>& run) {
  std::vector<double> rates;
  std::size_t result = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::clock_t begin = std::clock();
    result += run();
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    rates.push_back(static_cast<double>(bytes) / 1e6 / std::max(seconds, 1e-6));
  }
  std::sort(rates.begin(), rates.end());
  std::printf("%-22s %8.1f MB/s  (%.1f to %.1f)  check %zu\n", name, rates[kRounds / 2],
              rates.front(), rates.back(), result / kRounds);
}

/// A block for each paragraph.
indexer::ExtractedText Extracted(const std::string& text) {
  indexer::ExtractedText extracted;
  extracted.text = text;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    indexer::Block block;
    block.range = {at, end};
    if (end > at) extracted.blocks.push_back(block);
    at = end + 2;
  }
  return extracted;
}

void Run(const std::string& raw) {
  const std::string text = text::Normalize(raw).text;
  const std::string language = text::DetectLanguage(text);
  std::printf("%zu bytes, language %s\n", text.size(), language.c_str());
#ifndef NDEBUG
  std::printf("asserts are on: this is no release build\n");
#endif
  const indexer::ExtractedText extracted = Extracted(text);
  const auto chunks = indexer::MakeChunks(extracted, language);
  std::vector<std::string_view> passages;
  std::size_t passage_bytes = 0;
  for (const indexer::Chunk& chunk : chunks) {
    passages.push_back(
        std::string_view(text).substr(chunk.range.begin, chunk.range.end - chunk.range.begin));
    passage_bytes += passages.back().size();
  }
  text::Analyzer analyzer;

  Report("Normalize", raw.size(), [&] { return text::Normalize(raw).text.size(); });
  Report("IsValidUtf8", raw.size(), [&] { return text::IsValidUtf8(raw) ? raw.size() : 0; });
  Report("DetectLanguage", std::min<std::size_t>(text.size(), 65'536),
         [&] { return text::DetectLanguage(text).size(); });
  Report("SplitSentences", text.size(),
         [&] { return text::SplitSentences(text, language).size(); });
  Report("MakeChunks", text.size(),
         [&] { return indexer::MakeChunks(extracted, language).size(); });
  Report("AnalyzePassage", passage_bytes, [&] {
    std::size_t postings = 0;
    for (const std::string_view passage : passages) {
      postings += analyzer.AnalyzePassage({"Title", "Heading", passage, language}).size();
    }
    return postings;
  });
  Report("AnalyzeDocument", text.size(), [&] {
    return analyzer.AnalyzeDocument({"Title", "", text, language}).size();
  });
  Report("Tokenize", text.size(), [&] { return analyzer.Tokenize(text, language).size(); });
}

}  // namespace
}  // namespace sworn

int main(int argc, char** argv) {
  std::string raw;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read '%s'\n", argv[i]);
      return 1;
    }
    raw.append(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    raw += "\n\n";
  }
  sworn::Run(raw.empty() ? sworn::MadeUpText() : raw);
  return 0;
}
