// Any bytes as the files of a Hugging Face folder. The input is cut at its first two zero bytes:
// config.json, tokenizer.json (or tokenizer.model where it does not begin with a brace) and
// model.safetensors.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "core/error.h"
#include "llm/files/model_file.h"
#include "tests/fuzz/read_model.h"
#include "tests/support/temp_folder.h"

namespace {

std::string_view TakePart(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sworn::test::TempFolder folder;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  folder.Write("config.json", TakePart(rest));
  const std::string_view tokenizer = TakePart(rest);
  std::filesystem::remove(folder.path() / "tokenizer.json");
  std::filesystem::remove(folder.path() / "tokenizer.model");
  folder.Write(tokenizer.starts_with('{') ? "tokenizer.json" : "tokenizer.model", tokenizer);
  folder.Write("model.safetensors", rest);
  try {
    const auto file = sworn::llm::OpenModelFile(folder.path());
    sworn::test::ReadModel(*file);
  } catch (const sworn::Error&) {
  }
  return 0;
}
