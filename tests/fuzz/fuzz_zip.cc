// The container alone: every member is wanted, under small limits.
#include "indexer/extract/zip_reader.h"
#include "tests/fuzz/check_extraction.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sworn::indexer::ExtractLimits limits;
  limits.max_inflated_bytes = 16 * sworn::indexer::kMebibyte;
  limits.max_archive_entries = 100;
  try {
    const auto members =
        sworn::indexer::ReadZipMembers(std::string_view(reinterpret_cast<const char*>(data), size),
                                       limits, [](std::string_view) { return true; });
    std::uint64_t total = 0;
    for (const auto& [name, content] : members) total += content.size();
    sworn::test::Require(members.size() <= limits.max_archive_entries);
    sworn::test::Require(total <= limits.max_inflated_bytes);
  } catch (const sworn::Error& error) {
    sworn::test::Require(error.code() != sworn::ErrorCode::kInternal);
  }
  return 0;
}
