#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "audit/checkpoint.h"
#include "core/error.h"

// No input may be taken for a checkpoint or key of somebody who did not sign it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const sworn::audit::VerifierKey nobody{"sworn/k_fuzz", std::string(32, '\x01')};
  try {
    if (sworn::audit::FormatVerifierKey(sworn::audit::ParseVerifierKey(text)) != text &&
        !text.ends_with('\n')) {
      std::abort();
    }
  } catch (const sworn::Error&) {
  }
  try {
    sworn::audit::ParseCheckpointUnverified(text);
    sworn::audit::OpenCheckpoint(text, nobody);
    std::abort();
  } catch (const sworn::Error&) {
  }
  return 0;
}
