#include "llm/graph/rope.h"

#include <cmath>

namespace sworn::llm {

RopeTable::RopeTable(std::size_t head_dim, float theta, std::size_t positions)
    : half_(head_dim / 2),
      frequencies_(half_),
      cosines_(positions * half_),
      sines_(positions * half_),
      held_(positions) {
  for (std::size_t i = 0; i < half_; ++i) {
    const double exponent = -static_cast<double>(i) / static_cast<double>(half_);
    frequencies_[i] = static_cast<float>(std::pow(static_cast<double>(theta), exponent));
  }
}

void RopeTable::Set(std::size_t index, std::size_t position) noexcept {
  if (held_[index] == position + 1) return;
  held_[index] = position + 1;
  for (std::size_t i = 0; i < half_; ++i) {
    const double angle = static_cast<double>(position) * static_cast<double>(frequencies_[i]);
    cosines_[index * half_ + i] = static_cast<float>(std::cos(angle));
    sines_[index * half_ + i] = static_cast<float>(std::sin(angle));
  }
}

}  // namespace sworn::llm
