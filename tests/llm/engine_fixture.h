// A tiny random model, written to a file and loaded as the engine loads any other.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "core/cancel.h"
#include "kernels/kernels.h"
#include "llm/files/model_file.h"
#include "llm/graph/kv_cache.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"
#include "llm/graph/transformer.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace sworn::llm::test {

inline std::shared_ptr<const Model> LoadTiny(const sworn::test::TinyModel& tiny,
                                             const sworn::test::TempFolder& folder,
                                             const kernels::KernelTable& kernels,
                                             ThreadTeam& team) {
  const auto path = folder.path() / "tiny.gguf";
  WriteTinyGguf(tiny, path);
  return Model::Load(OpenModelFile(path), kernels, team);
}

inline std::vector<Token> RandomTokens(std::size_t count, std::size_t vocabulary,
                                       std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Token> tokens(count);
  for (Token& token : tokens) token = static_cast<Token>(random() % vocabulary);
  return tokens;
}

/// The bits of hidden states, so that comparisons see every one of them.
inline std::vector<std::uint32_t> Bits(std::span<const float> values) {
  std::vector<std::uint32_t> bits;
  bits.reserve(values.size());
  for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

/// The hidden states of all `tokens`, computed in one call behind what `cache` holds.
inline std::vector<std::uint32_t> ForwardAll(Transformer& transformer,
                                             std::span<const Token> tokens, KvCache& cache) {
  const CancelFlag cancel;
  return Bits(transformer.Forward(tokens, tokens.size(), cache, cancel));
}

}  // namespace sworn::llm::test
