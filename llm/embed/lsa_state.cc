#include "llm/embed/lsa_state.h"

#include <bit>
#include <cmath>
#include <concepts>
#include <cstring>
#include <span>

#include "core/error.h"

namespace sworn::llm {
namespace {

static_assert(std::endian::native == std::endian::little, "the state is written as it lies");

constexpr std::string_view kMagic = "SWORNLSA";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 8 + 4 * sizeof(std::uint32_t);

template <typename T>
void Append(std::span<const T> values, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

/// The bytes are as many as are taken: checked before the first Take.
template <typename T>
std::vector<T> Take(std::size_t count, std::string_view& bytes) {
  std::vector<T> values(count);
  std::memcpy(values.data(), bytes.data(), count * sizeof(T));
  bytes.remove_prefix(count * sizeof(T));
  return values;
}

std::size_t SizeOf(std::uint32_t dimension, std::uint32_t terms) {
  return kHeaderBytes +
         std::size_t{terms} * (sizeof(TermKey) + 2 * sizeof(float) + std::size_t{dimension});
}

void Require(bool condition, const char* what) {
  if (condition) return;
  throw Error(ErrorCode::kIntegrity, "the state of a fitted embedder is damaged: " +
                                         std::string(what) + "; index the collection again");
}

void Check(const LsaState& state) {
  for (std::size_t i = 0; i < state.terms.size(); ++i) {
    Require(i == 0 || state.terms[i - 1] < state.terms[i], "its terms are not in order");
    Require(state.weights[i] >= 0 && state.weights[i] <= 1, "a weight is out of range");
    Require(state.scales[i] >= 0 && state.scales[i] <= 1, "a scale is out of range");
  }
}

}  // namespace

std::string EncodeLsaState(const LsaState& state) {
  std::string bytes(kMagic);
  const auto terms = static_cast<std::uint32_t>(state.terms.size());
  bytes.reserve(SizeOf(state.dimension, terms));
  const std::uint32_t header[] = {kVersion, state.dimension, terms, 0};
  Append(std::span<const std::uint32_t>(header), bytes);
  Append(std::span<const TermKey>(state.terms), bytes);
  Append(std::span<const float>(state.weights), bytes);
  Append(std::span<const float>(state.scales), bytes);
  Append(std::span<const std::int8_t>(state.directions), bytes);
  return bytes;
}

LsaState DecodeLsaState(std::string_view bytes) {
  const std::size_t size = bytes.size();
  Require(size >= kHeaderBytes && bytes.substr(0, kMagic.size()) == kMagic, "it has no header");
  bytes.remove_prefix(kMagic.size());
  const auto header = Take<std::uint32_t>(4, bytes);
  Require(header[0] == kVersion && header[3] == 0, "its version is unknown");
  LsaState state;
  state.dimension = header[1];
  Require(state.dimension >= 1 && state.dimension <= kMaxLsaDimension, "its dimension is wrong");
  const std::uint32_t terms = header[2];
  Require(terms >= 1 && terms <= kMaxLsaTerms, "its number of terms is wrong");
  Require(size == SizeOf(state.dimension, terms), "its size is wrong");
  state.terms = Take<TermKey>(terms, bytes);
  state.weights = Take<float>(terms, bytes);
  state.scales = Take<float>(terms, bytes);
  state.directions = Take<std::int8_t>(std::size_t{terms} * state.dimension, bytes);
  Check(state);
  return state;
}

}  // namespace sworn::llm
