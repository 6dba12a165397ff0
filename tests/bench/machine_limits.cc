#include "tests/bench/machine_limits.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstring>

#include "kernels/target.h"

namespace sworn::bench {
namespace {

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

// Twelve sums, so that none waits for itself; two 16-bit additions for each four 8-bit products.
double PeakMaddubs(std::size_t rounds) {
  __m256i sums[12];
  SWORN_UNROLL
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  __m256i codes = _mm256_set1_epi8(1);
  const __m256i x = _mm256_set1_epi8(3);
  for (std::size_t round = 0; round < rounds; ++round) {
    __asm__ volatile("" : "+x"(codes));  // or the products would be computed once
    __m256i products[12];
    SWORN_UNROLL
    for (std::size_t i = 0; i < 12; ++i) {
      __asm__ volatile("vpmaddubsw %2, %1, %0" : "=x"(products[i]) : "x"(codes), "x"(x));
      sums[i] = _mm256_add_epi16(sums[i], products[i]);
    }
  }
  SWORN_UNROLL
  for (__m256i& sum : sums) __asm__ volatile("" : "+x"(sum));
  return static_cast<double>(rounds) * 12 * 32;
}
SWORN_TARGET_END

SWORN_TARGET_BEGIN("avx2,avxvnni")
double PeakAvxVnni(std::size_t rounds) {
  __m256i sums[12];
  SWORN_UNROLL
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  const __m256i codes = _mm256_set1_epi8(1);
  const __m256i x = _mm256_set1_epi8(3);
  for (std::size_t round = 0; round < rounds; ++round) {
    SWORN_UNROLL
    for (__m256i& sum : sums) sum = _mm256_dpbusd_avx_epi32(sum, codes, x);
  }
  SWORN_UNROLL
  for (__m256i& sum : sums) __asm__ volatile("" : "+x"(sum));
  return static_cast<double>(rounds) * 12 * 32;
}
SWORN_TARGET_END

SWORN_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512vnni")
double PeakAvx512Vnni(std::size_t rounds) {
  __m512i sums[12];
  SWORN_UNROLL
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  const __m512i codes = _mm512_set1_epi8(1);
  const __m512i x = _mm512_set1_epi8(3);
  for (std::size_t round = 0; round < rounds; ++round) {
    SWORN_UNROLL
    for (__m512i& sum : sums) sum = _mm512_dpbusd_epi32(sum, codes, x);
  }
  SWORN_UNROLL
  for (__m512i& sum : sums) __asm__ volatile("" : "+v"(sum));
  return static_cast<double>(rounds) * 12 * 64;
}
SWORN_TARGET_END

SWORN_TARGET_BEGIN("amx-tile,amx-int8")
double PeakAmx(std::size_t rounds) {
  alignas(64) std::uint8_t config[64] = {1};
  for (std::size_t tile = 0; tile < 8; ++tile) {
    config[16 + 2 * tile] = 64;
    config[48 + tile] = 16;
  }
  __asm__ volatile("" : : "r"(config) : "memory");
  _tile_loadconfig(config);
  for (std::size_t round = 0; round < rounds; ++round) {
    _tile_dpbsud(0, 4, 5);
    _tile_dpbsud(1, 4, 5);
    _tile_dpbsud(2, 4, 5);
    _tile_dpbsud(3, 4, 5);
  }
  _tile_release();
  return static_cast<double>(rounds) * 4 * 16 * 16 * 64;
}
SWORN_TARGET_END

#endif

}  // namespace

std::uint64_t ReadAll(std::span<const std::uint8_t> bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") != 0) return ReadVectors(bytes);
#endif
  return ReadWords(bytes);
}

double PeakLoop([[maybe_unused]] std::string_view table, [[maybe_unused]] std::size_t rounds) {
#if defined(__x86_64__)
  if (table == "amx") return PeakAmx(rounds);
  if (table == "avx512vnni") return PeakAvx512Vnni(rounds);
  if (table == "avxvnni") return PeakAvxVnni(rounds);
  if (table == "avx2") return PeakMaddubs(rounds);
#endif
  return 0;
}

}  // namespace sworn::bench
