// Any bytes as a segment's file of terms: refused, or every row and weight can be read.
#include <cstdint>

#include "core/error.h"
#include "store/term_file.h"
#include "store/term_weights.h"
#include "tests/fuzz/require.h"
#include "tests/support/temp_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sworn::test::TempFolder folder;
  const auto path = folder.Write("terms.bin", {reinterpret_cast<const char*>(data), size});
  try {
    const sworn::store::TermFile file(path);
    const sworn::store::TermFile* const files[] = {&file};
    const sworn::store::TermWeights weights(files);
    for (const sworn::TermKey key : file.keys()) static_cast<void>(weights.Of(key));
    for (std::size_t row = 0; row < file.rows(); ++row) {
      sworn::test::Require(file.FindRow(file.IdOf(row)) == row);
      const auto entries = file.Read(row);
      for (std::size_t i = 1; i < entries.size(); ++i) {
        sworn::test::Require(entries[i - 1].term < entries[i].term);
      }
    }
  } catch (const sworn::Error& error) {
    sworn::test::Require(error.code() == sworn::ErrorCode::kIntegrity);
  }
  return 0;
}
