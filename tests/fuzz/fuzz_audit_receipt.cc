#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "audit/tlog_proof.h"
#include "core/error.h"

// A receipt has one text only, and none verifies under a key that signed nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const sworn::audit::VerifierKey nobody{"sworn/k_fuzz", std::string(32, '\x01')};
  try {
    const sworn::audit::TlogProof proof = sworn::audit::ParseTlogProof(text);
    if (sworn::audit::FormatTlogProof(proof) != text) std::abort();
    sworn::audit::VerifyTlogProof(proof, nobody);
    std::abort();
  } catch (const sworn::Error&) {
  }
  return 0;
}
