// Random texts for properties of tokenizers.
#pragma once

#include <random>
#include <string>
#include <string_view>

namespace sworn::llm::test {

inline void AppendUtf8(std::string& out, char32_t c) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80 | (static_cast<unsigned>(c) >> shift & 0x3F));
  };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | static_cast<unsigned>(c) >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | static_cast<unsigned>(c) >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | static_cast<unsigned>(c) >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Letters of `common` three times out of four, otherwise any code point.
inline std::string RandomText(std::mt19937_64& random, std::string_view common,
                              std::size_t max_code_points) {
  std::string text;
  for (std::size_t i = random() % (max_code_points + 1); i > 0; --i) {
    if (random() % 4 != 0) {
      text += common[random() % common.size()];
      continue;
    }
    constexpr char32_t kLimits[] = {0x80, 0x800, 0x10000, 0x110000};
    const auto c = static_cast<char32_t>(random() % kLimits[random() % 4]);
    if (c < 0xD800 || c > 0xDFFF) AppendUtf8(text, c);
  }
  return text;
}

}  // namespace sworn::llm::test
