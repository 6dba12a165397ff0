// A model file that is nothing but metadata, and the vocabularies that the tests build with it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/files/model_file.h"

namespace sworn::llm::test {

class FakeModelFile final : public ModelFile {
 public:
  std::map<std::string, MetadataValue> values;

  [[nodiscard]] const std::map<std::string, MetadataValue>& metadata() const override {
    return values;
  }
  [[nodiscard]] const std::vector<TensorView>& tensors() const override { return tensors_; }
  [[nodiscard]] const TensorView* Find(std::string_view /*name*/) const override { return nullptr; }
  [[nodiscard]] std::string Sha256() const override { return {}; }
  [[nodiscard]] std::uint64_t size_bytes() const override { return 0; }
  void Release(const TensorView& /*tensor*/) const noexcept override {}

  /// The strings under `key`, for changing them.
  std::vector<std::string>& Strings(const std::string& key) {
    return std::get<std::vector<std::string>>(values.at(key));
  }
  std::vector<std::int64_t>& Integers(const std::string& key) {
    return std::get<std::vector<std::int64_t>>(values.at(key));
  }
  std::vector<double>& Reals(const std::string& key) {
    return std::get<std::vector<double>>(values.at(key));
  }

 private:
  std::vector<TensorView> tensors_;
};

struct FakeToken {
  std::string text;
  int type = 1;
  double score = 0;
};

/// The byte in GPT-2's printable form.
std::string PrintableByte(unsigned byte);
/// All bytes of `text` in that form.
std::string Printable(std::string_view text);

/// Adds a token and returns its id.
int AddToken(FakeModelFile& file, const FakeToken& token);

/// "gpt2": tokens 0 to 255 are the bytes, then come the results of `merges` (each "left right",
/// here as plain text without blanks inside the parts), then `more`.
FakeModelFile ByteLevelFile(const std::vector<std::pair<std::string, std::string>>& merges,
                            const std::vector<FakeToken>& more, const std::string& pre);

/// "llama" or "t5": <unk>, <s>, </s>, the 256 byte tokens (3 to 258), then `tokens`.
FakeModelFile PiecesFile(const std::string& model, const std::vector<FakeToken>& tokens);

}  // namespace sworn::llm::test
