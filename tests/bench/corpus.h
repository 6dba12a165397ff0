// A folder of made-up English-looking text for measurements: the same for a given seed.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace sworn::bench {

struct CorpusOptions {
  std::size_t files = 5000;
  std::size_t bytes_per_file = 4000;
  std::size_t vocabulary = 60'000;
  std::uint64_t seed = 1;
};

/// Draws words by Zipf's law, sentences of 8 to 25 words, paragraphs of 3 to 6 sentences, which is
/// what index size and speed depend on.
class CorpusWriter {
 public:
  explicit CorpusWriter(const CorpusOptions& options) : options_(options), random_(options.seed) {
    constexpr double kZipfExponent = 1.05;
    std::vector<double> weights(options.vocabulary);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = 1 / std::pow(static_cast<double>(i + 1), kZipfExponent);
      words_.push_back(MakeWord(i));
    }
    draw_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
  }

  void WriteTo(const std::filesystem::path& folder) {
    for (std::size_t i = 0; i < options_.files; ++i) {
      const auto sub = folder / ("part" + std::to_string(i / 500));
      std::filesystem::create_directories(sub);
      std::ofstream(sub / ("file" + std::to_string(i) + ".txt")) << Text();
    }
  }

  std::string Text() {
    std::string text;
    while (text.size() < options_.bytes_per_file) {
      const std::size_t sentences = Between(3, 6);
      for (std::size_t i = 0; i < sentences; ++i) text += Sentence() + " ";
      text += "\n\n";
    }
    return text;
  }

  std::string Sentence() {
    std::string sentence;
    const std::size_t count = Between(8, 25);
    for (std::size_t i = 0; i < count; ++i) {
      std::string word = words_[draw_(random_)];
      if (i == 0) word[0] = static_cast<char>(word[0] - 'a' + 'A');
      sentence += (i == 0 ? "" : " ") + word;
    }
    return sentence + ".";
  }

  /// Words as a question leaves them once function words are dropped: none of the most frequent.
  std::string Question() {
    constexpr std::size_t kFunctionWords = 200;
    constexpr std::size_t kWords = 6;
    std::string question;
    for (std::size_t count = 0; count < kWords;) {
      const std::size_t rank = draw_(random_);
      if (rank < kFunctionWords) continue;
      question += words_[rank] + " ";
      ++count;
    }
    return question;
  }

 private:
  std::size_t Between(std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(random_);
  }

  // Frequent words are short, as in a language.
  static std::string MakeWord(std::size_t rank) {
    static const std::vector<std::string> syllables = {
        "ta", "re",  "in", "con", "de",  "mi", "lo",   "ar",   "en",  "ti",
        "su", "per", "al", "no",  "ver", "ca", "ment", "tion", "pro", "di",
        "ex", "ra",  "ne", "li",  "or",  "be", "un",   "ma",   "ge",  "st"};
    std::string word;
    std::size_t rest = rank + 1;
    while (rest > 0) {
      word += syllables[rest % syllables.size()];
      rest /= syllables.size();
    }
    return word;
  }

  CorpusOptions options_;
  std::mt19937_64 random_;
  std::vector<std::string> words_;
  std::discrete_distribution<std::size_t> draw_;
};

}  // namespace sworn::bench
