// Any bytes as the state of a fitted embedder: refused, or they are what encoding gives back and
// embed every term to finite numbers.
#include <cmath>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "llm/embed/lsa.h"
#include "llm/embed/lsa_state.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const sworn::llm::LsaState state = sworn::llm::DecodeLsaState(bytes);
    sworn::test::Require(sworn::llm::EncodeLsaState(state) == bytes);
    std::vector<sworn::TermCount> row;
    for (const sworn::TermKey term : state.terms) row.push_back({term, 0xFFFFFFFFU});
    sworn::TermRows rows;
    rows.Add(std::move(row));
    for (const float value : sworn::llm::LsaFactory(1).Load(bytes)->Embed(rows)) {
      sworn::test::Require(std::isfinite(value));
    }
  } catch (const sworn::Error&) {
  }
  return 0;
}
