// What a fuzz target does when something does not hold.
#pragma once

#include <cstdlib>

namespace sworn::test {

inline void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace sworn::test
