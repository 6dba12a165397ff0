#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "audit/audit_entry.h"
#include "audit/audit_reader.h"
#include "core/error.h"

// Whatever decodes must encode to the same bytes and have a form in JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const sworn::audit::AuditEntry entry = sworn::audit::DecodeEntry(bytes);
    if (sworn::audit::EncodeEntry(entry) != bytes) std::abort();
    sworn::audit::EntryToJson(0, entry);
  } catch (const sworn::Error&) {
    return 0;
  }
  return 0;
}
