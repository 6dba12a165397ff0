#include "llm/embed/hashing_embedder.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "core/term_rows.h"
#include "core/text/unicode.h"

namespace sworn::llm {
namespace {

constexpr std::size_t kMinGram = 3;  // code points, the word's two borders included
constexpr std::size_t kMaxGram = 5;
constexpr std::size_t kMaxWordCodePoints = 64;

// FNV-1a with a finaliser (from MurmurHash3) that spreads the low bits, which choose the bucket.
std::uint64_t Hash(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<std::uint8_t>(byte)) * 1099511628211ULL;
  }
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33);
}

bool IsAsciiSeparator(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
  const bool digit = byte >= '0' && byte <= '9';
  return byte < 0x80 && !letter && !digit;
}

// Hashes of a word and of the n-grams of "<word>".
void AddWord(std::string_view word, std::vector<std::uint64_t>& features) {
  const std::string bordered = "<" + std::string(word) + ">";
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < bordered.size() && starts.size() < kMaxWordCodePoints; ++i) {
    if ((static_cast<std::uint8_t>(bordered[i]) & 0xc0) != 0x80) starts.push_back(i);
  }
  starts.push_back(bordered.size());
  features.push_back(Hash(word));
  const std::size_t count = starts.size() - 1;
  for (std::size_t length = kMinGram; length <= kMaxGram; ++length) {
    for (std::size_t i = 0; i + length <= count; ++i) {
      features.push_back(
          Hash(std::string_view(bordered).substr(starts[i], starts[i + length] - starts[i])));
    }
  }
}

std::vector<std::uint64_t> FeaturesOf(std::string_view text) {
  const std::string folded = text::FoldCase(text);
  std::vector<std::uint64_t> features;
  features.reserve(folded.size() * 3);
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= folded.size(); ++i) {
    if (i < folded.size() && !IsAsciiSeparator(folded[i])) continue;
    if (i > begin) AddWord(std::string_view(folded).substr(begin, i - begin), features);
    begin = i + 1;
  }
  std::sort(features.begin(), features.end());
  return features;
}

// Adds the vector of one text to `row`, which is zero.
void Embed(std::string_view text, std::span<float> row) {
  const std::vector<std::uint64_t> features = FeaturesOf(text);
  for (std::size_t i = 0; i < features.size();) {
    std::size_t end = i;
    while (end < features.size() && features[end] == features[i]) ++end;
    const float weight = CountWeight(end - i);
    const bool negative = (features[i] >> 63) != 0;
    row[features[i] % row.size()] += negative ? -weight : weight;
    i = end;
  }
  float square = 0;
  for (const float value : row) square += value * value;
  if (square == 0) return;
  const float scale = 1 / std::sqrt(square);
  for (float& value : row) value *= scale;
}

}  // namespace

HashingEmbedder::HashingEmbedder() {
  identity_.name = "hashing";
  identity_.version = "1";
  identity_.dimension = kDimension;
  identity_.pooling = "none";
  identity_.storage = "f32";
  identity_.fusion_weight = 0.03;  // more hurts on some collections: docs/retrieval.md
}

std::vector<float> HashingEmbedder::EmbedQuery(std::string_view text) const {
  std::vector<float> vector(kDimension);
  Embed(text, vector);
  return vector;
}

std::vector<float> HashingEmbedder::EmbedPassages(std::span<const std::string_view> texts) const {
  std::vector<float> rows(texts.size() * kDimension);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Embed(texts[i], std::span(rows).subspan(i * kDimension, kDimension));
  }
  return rows;
}

}  // namespace sworn::llm
