#include "kernels/probe.h"

#include <atomic>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/target.h"

namespace sworn::kernels {
namespace {

// Enough sums in flight for the latency of four or five cycles at two instructions a cycle.
constexpr int kSums = 12;

}  // namespace
}  // namespace sworn::kernels

#if defined(__x86_64__)

SWORN_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512vnni")
namespace sworn::kernels {
namespace {

std::uint64_t Vnni512(std::uint64_t rounds) noexcept {
  __m512i sums[kSums];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  __m512i a = _mm512_set1_epi8(1);
  __m512i b = _mm512_set1_epi8(2);
  __asm__ volatile("" : "+v"(a), "+v"(b));  // may hold anything now
  for (std::uint64_t round = 0; round < rounds; ++round) {
#if !defined(__clang__)
#pragma GCC unroll 12
#endif
    for (int i = 0; i < kSums; ++i) {
      sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
      __asm__ volatile("" : "+v"(sums[i]));
    }
  }
  return rounds * kSums * 64;
}

}  // namespace
}  // namespace sworn::kernels
SWORN_TARGET_END

SWORN_TARGET_BEGIN("amx-tile,amx-int8")
namespace sworn::kernels {
namespace {

// Palette 1: eight tiles of 16 rows and 64 bytes.
struct alignas(64) ProbeTiles {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(ProbeTiles) == 64);

std::uint64_t Tiles(std::uint64_t rounds) noexcept {
  const ProbeTiles tiles;
  // The compiler does not know that the next instruction reads all of it.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  _tile_loadconfig(&tiles);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    _tile_dpbsud(0, 4, 6);
    _tile_dpbsud(1, 4, 7);
    _tile_dpbsud(2, 5, 6);
    _tile_dpbsud(3, 5, 7);
  }
  _tile_release();
  return rounds * 4 * 16 * 16 * 64;
}

}  // namespace
}  // namespace sworn::kernels
SWORN_TARGET_END

SWORN_TARGET_BEGIN("avx2,avxvnni")
namespace sworn::kernels {
namespace {

std::uint64_t Vnni256(std::uint64_t rounds) noexcept {
  __m256i sums[kSums];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  __m256i a = _mm256_set1_epi8(1);
  __m256i b = _mm256_set1_epi8(2);
  __asm__ volatile("" : "+x"(a));  // may hold anything now
  __asm__ volatile("" : "+x"(b));  // may hold anything now
  for (std::uint64_t round = 0; round < rounds; ++round) {
#if !defined(__clang__)
#pragma GCC unroll 12
#endif
    for (int i = 0; i < kSums; ++i) {
      sums[i] = _mm256_dpbusd_avx_epi32(sums[i], a, b);
      __asm__ volatile("" : "+x"(sums[i]));  // may hold anything now
    }
  }
  return rounds * kSums * 32;
}

}  // namespace
}  // namespace sworn::kernels
SWORN_TARGET_END

SWORN_TARGET_BEGIN("avx2")
namespace sworn::kernels {
namespace {

// The two instructions that the products take without VNNI, and the addition.
std::uint64_t Maddubs256(std::uint64_t rounds) noexcept {
  __m256i sums[kSums];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  __m256i a = _mm256_set1_epi8(1);
  __m256i b = _mm256_set1_epi8(2);
  __m256i ones = _mm256_set1_epi16(1);
  __asm__ volatile("" : "+x"(ones));  // may hold anything now
  for (std::uint64_t round = 0; round < rounds; ++round) {
#if !defined(__clang__)
#pragma GCC unroll 12
#endif
    for (int i = 0; i < kSums; ++i) {
      __asm__ volatile("" : "+x"(a));  // may hold anything now
      __asm__ volatile("" : "+x"(b));  // may hold anything now
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
      __asm__ volatile("" : "+x"(sums[i]));  // may hold anything now
    }
  }
  return rounds * kSums * 32;
}

}  // namespace
}  // namespace sworn::kernels
SWORN_TARGET_END

#endif

namespace sworn::kernels {

std::uint64_t ProbeIntegerProducts([[maybe_unused]] std::string_view name,
                                   [[maybe_unused]] std::uint64_t rounds) noexcept {
#if defined(__x86_64__)
  if (name == "amx") return Tiles(rounds);
  if (name == "avx512vnni") return Vnni512(rounds);
  if (name == "avxvnni") return Vnni256(rounds);
  if (name == "avx2") return Maddubs256(rounds);
#endif
  return 0;
}

std::uint64_t ProbeRead(const std::uint64_t* words, std::size_t count) noexcept {
  std::uint64_t sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    sums[0] += words[i];
    sums[1] += words[i + 1];
    sums[2] += words[i + 2];
    sums[3] += words[i + 3];
    sums[4] += words[i + 4];
    sums[5] += words[i + 5];
    sums[6] += words[i + 6];
    sums[7] += words[i + 7];
  }
  for (; i < count; ++i) sums[0] += words[i];
  return sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7];
}

}  // namespace sworn::kernels
