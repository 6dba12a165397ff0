#include "kernels/probe.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstring>

#include "kernels/target.h"

namespace sworn::kernels {
namespace {

// Twice this many sums are in flight, so that none waits for itself at two instructions a cycle.
// Two arrays, because SWORN_UNROLL keeps no longer one in registers.
constexpr std::size_t kSums = 6;

std::uint64_t ReadWords(std::span<const std::uint8_t> bytes) {
  std::uint64_t sums[8] = {};
  for (std::size_t i = 0; i < bytes.size(); i += sizeof sums) {
    std::uint64_t words[8];
    std::memcpy(words, bytes.data() + i, sizeof words);
    for (std::size_t w = 0; w < 8; ++w) sums[w] ^= words[w];
  }
  std::uint64_t digest = 0;
  for (const std::uint64_t sum : sums) digest ^= sum;
  return digest;
}

#if defined(__x86_64__)

constexpr std::size_t kPrefetch = 4096;  // bytes ahead

SWORN_TARGET_BEGIN("avx2")
std::uint64_t ReadVectors(std::span<const std::uint8_t> bytes) {
  __m256i sums[8];
  SWORN_UNROLL
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  for (std::size_t i = 0; i < bytes.size(); i += 256) {
    const std::uint8_t* const from = bytes.data() + i;
    SWORN_UNROLL
    for (std::size_t v = 0; v < 8; ++v) {
      if (v % 2 == 0) {
        _mm_prefetch(reinterpret_cast<const char*>(from + kPrefetch + v * 32), _MM_HINT_T0);
      }
      const auto* const vector = reinterpret_cast<const __m256i*>(from + v * 32);
      sums[v] = _mm256_xor_si256(sums[v], _mm256_loadu_si256(vector));
    }
  }
  alignas(32) std::uint8_t all[sizeof sums];
  std::memcpy(all, sums, sizeof sums);
  return ReadWords(all);
}

std::uint64_t Maddubs(std::uint64_t rounds) {
  __m256i even[kSums];
  __m256i odd[kSums];
  SWORN_UNROLL
  for (std::size_t i = 0; i < kSums; ++i) even[i] = odd[i] = _mm256_setzero_si256();
  __m256i codes = _mm256_set1_epi8(1);
  const __m256i x = _mm256_set1_epi8(3);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    __asm__ volatile("" : "+x"(codes));  // or the products would be computed once
    SWORN_UNROLL
    for (std::size_t i = 0; i < kSums; ++i) {
      __m256i products[2];
      __asm__ volatile("vpmaddubsw %2, %1, %0" : "=x"(products[0]) : "x"(codes), "x"(x));
      __asm__ volatile("vpmaddubsw %2, %1, %0" : "=x"(products[1]) : "x"(codes), "x"(x));
      even[i] = _mm256_add_epi16(even[i], products[0]);
      odd[i] = _mm256_add_epi16(odd[i], products[1]);
    }
  }
  SWORN_UNROLL
  for (std::size_t i = 0; i < kSums; ++i) __asm__ volatile("" : "+x"(even[i]), "+x"(odd[i]));
  return rounds * 2 * kSums * 32;
}
SWORN_TARGET_END

SWORN_TARGET_BEGIN("avx2,avxvnni")
std::uint64_t AvxVnni(std::uint64_t rounds) {
  __m256i even[kSums];
  __m256i odd[kSums];
  SWORN_UNROLL
  for (std::size_t i = 0; i < kSums; ++i) even[i] = odd[i] = _mm256_setzero_si256();
  const __m256i codes = _mm256_set1_epi8(1);
  const __m256i x = _mm256_set1_epi8(3);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    SWORN_UNROLL
    for (std::size_t i = 0; i < kSums; ++i) {
      even[i] = _mm256_dpbusd_avx_epi32(even[i], codes, x);
      odd[i] = _mm256_dpbusd_avx_epi32(odd[i], codes, x);
    }
  }
  SWORN_UNROLL
  for (std::size_t i = 0; i < kSums; ++i) __asm__ volatile("" : "+x"(even[i]), "+x"(odd[i]));
  return rounds * 2 * kSums * 32;
}
SWORN_TARGET_END

SWORN_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512vnni")
std::uint64_t Avx512Vnni(std::uint64_t rounds) {
  __m512i even[kSums];
  __m512i odd[kSums];
  SWORN_UNROLL
  for (std::size_t i = 0; i < kSums; ++i) even[i] = odd[i] = _mm512_setzero_si512();
  const __m512i codes = _mm512_set1_epi8(1);
  const __m512i x = _mm512_set1_epi8(3);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    SWORN_UNROLL
    for (std::size_t i = 0; i < kSums; ++i) {
      even[i] = _mm512_dpbusd_epi32(even[i], codes, x);
      odd[i] = _mm512_dpbusd_epi32(odd[i], codes, x);
    }
  }
  SWORN_UNROLL
  for (std::size_t i = 0; i < kSums; ++i) __asm__ volatile("" : "+v"(even[i]), "+v"(odd[i]));
  return rounds * 2 * kSums * 64;
}
SWORN_TARGET_END

SWORN_TARGET_BEGIN("amx-tile,amx-int8")
std::uint64_t AmxTiles(std::uint64_t rounds) {
  alignas(64) std::uint8_t config[64] = {1};
  for (std::size_t tile = 0; tile < 8; ++tile) {
    config[16 + 2 * tile] = 64;
    config[48 + tile] = 16;
  }
  __asm__ volatile("" : : "r"(config) : "memory");
  _tile_loadconfig(config);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    _tile_dpbsud(0, 4, 5);
    _tile_dpbsud(1, 4, 5);
    _tile_dpbsud(2, 4, 5);
    _tile_dpbsud(3, 4, 5);
  }
  _tile_release();
  return rounds * 4 * 16 * 16 * 64;
}
SWORN_TARGET_END

#endif

}  // namespace

std::uint64_t ProbeRead(std::span<const std::uint8_t> bytes) noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") != 0) return ReadVectors(bytes);
#endif
  return ReadWords(bytes);
}

std::uint64_t ProbeIntegerProducts([[maybe_unused]] std::string_view name,
                                   [[maybe_unused]] std::uint64_t rounds) noexcept {
#if defined(__x86_64__)
  if (name == "amx") return AmxTiles(rounds);
  if (name == "avx512vnni") return Avx512Vnni(rounds);
  if (name == "avxvnni") return AvxVnni(rounds);
  if (name == "avx2") return Maddubs(rounds);
#endif
  return 0;
}

}  // namespace sworn::kernels
