// Any bytes as a GGUF file: refused, or everything that is given out can be read.
#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/error.h"
#include "llm/files/model_file.h"
#include "tests/fuzz/read_model.h"
#include "tests/support/temp_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sworn::test::TempFolder folder;
  const auto path = folder.Write("input.gguf", {reinterpret_cast<const char*>(data), size});
  try {
    const auto file = sworn::llm::OpenModelFile(path);
    sworn::test::ReadModel(*file);
  } catch (const sworn::Error&) {
  }
  return 0;
}
