#include "retriever/local_matrix.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sworn::retriever {
namespace {

/// Numbers distinct keys in the order in which they come. Linear probing; keys are hashes already.
class KeyNumbers {
 public:
  explicit KeyNumbers(std::size_t max_keys)
      : mask_(std::bit_ceil(2 * max_keys + 1) - 1), numbers_(mask_ + 1, 0) {
    keys.reserve(max_keys);
  }

  std::uint32_t NumberOf(TermKey key) {
    std::size_t at = key & mask_;
    while (numbers_[at] != 0 && keys[numbers_[at] - 1] != key) at = (at + 1) & mask_;
    if (numbers_[at] == 0) {
      keys.push_back(key);
      numbers_[at] = static_cast<std::uint32_t>(keys.size());
    }
    return numbers_[at] - 1;
  }

  std::vector<TermKey> keys;

 private:
  std::size_t mask_;
  std::vector<std::uint32_t> numbers_;  // 0 or number + 1
};

}  // namespace

LocalMatrix::LocalMatrix(const store::Snapshot& snapshot, std::span<const ChunkId> hits,
                         std::span<const TermCount> question) {
  const TermRows rows = snapshot.LoadTermRows(hits);
  KeyNumbers numbers(rows.counts().size() + question.size());
  std::vector<std::uint32_t> terms;  // of every count, in order
  terms.reserve(rows.counts().size());
  for (const TermCount& entry : rows.counts()) terms.push_back(numbers.NumberOf(entry.term));
  std::vector<std::uint32_t> question_terms;
  for (const TermCount& entry : question) question_terms.push_back(numbers.NumberOf(entry.term));
  const std::size_t term_count = numbers.keys.size();
  const std::vector<double> weights = snapshot.TermWeights(numbers.keys);
  std::vector<std::uint32_t> hits_with(term_count, 0);
  for (const std::uint32_t term : terms) ++hits_with[term];
  std::vector<double> question_values(term_count, 0);
  for (std::size_t i = 0; i < question.size(); ++i) {
    question_values[question_terms[i]] +=
        CountWeight(question[i].count) * weights[question_terms[i]];
  }

  by_hit_.begins.push_back(0);
  std::size_t at = 0;
  for (std::size_t hit = 0; hit < rows.size(); ++hit) {
    const std::size_t end = at + rows[hit].size();
    double square = 0;
    double square_alone = 0;
    double product = 0;
    const std::size_t first = by_hit_.entries.size();
    for (; at < end; ++at) {
      const std::uint32_t term = terms[at];
      const double value = CountWeight(rows.counts()[at].count) * weights[term];
      square += value * value;
      product += value * question_values[term];
      if (hits_with[term] > 1) {
        by_hit_.entries.push_back({term, static_cast<float>(value)});
      } else {
        square_alone += value * value;
      }
    }
    const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
    for (std::size_t i = first; i < by_hit_.entries.size(); ++i) {
      by_hit_.entries[i].value *= static_cast<float>(scale);
    }
    by_hit_.begins.push_back(static_cast<std::uint32_t>(by_hit_.entries.size()));
    alone_.push_back(static_cast<float>(square_alone * scale * scale));
    products_.push_back(product * scale);
  }

  by_term_.begins.assign(term_count + 1, 0);
  for (const Entry& entry : by_hit_.entries) ++by_term_.begins[entry.index + 1];
  for (std::size_t i = 0; i < term_count; ++i) by_term_.begins[i + 1] += by_term_.begins[i];
  by_term_.entries.resize(by_hit_.entries.size());
  std::vector<std::uint32_t> next(by_term_.begins.begin(), by_term_.begins.end() - 1);
  for (std::uint32_t hit = 0; hit < rows.size(); ++hit) {
    for (std::uint32_t i = by_hit_.begins[hit]; i < by_hit_.begins[hit + 1]; ++i) {
      by_term_.entries[next[by_hit_.entries[i].index]++] = {hit, by_hit_.entries[i].value};
    }
  }
}

Block LocalMatrix::TimesGram(const Block& block) const {
  const auto multiply = [](const Lists& lists, std::size_t list, const Block& from, BlockRow& sum) {
    for (std::uint32_t i = lists.begins[list]; i < lists.begins[list + 1]; ++i) {
      const float value = lists.entries[i].value;
      const BlockRow& other = from[lists.entries[i].index];
      for (std::size_t j = 0; j < kBlockWidth; ++j) sum[j] += value * other[j];
    }
  };
  Block by_term(by_term_.begins.size() - 1, BlockRow{});
  for (std::size_t term = 0; term < by_term.size(); ++term) {
    multiply(by_term_, term, block, by_term[term]);
  }
  Block result(block.size(), BlockRow{});
  for (std::size_t hit = 0; hit < block.size(); ++hit) {
    BlockRow& sum = result[hit];
    for (std::size_t j = 0; j < kBlockWidth; ++j) sum[j] = alone_[hit] * block[hit][j];
    multiply(by_hit_, hit, by_term, sum);
  }
  return result;
}

}  // namespace sworn::retriever
