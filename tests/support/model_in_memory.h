// A model file that a test puts together, without a container.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/files/model_file.h"

namespace sworn::test {

class ModelInMemory : public llm::ModelFile {
 public:
  void Set(const std::string& key, llm::MetadataValue value) {
    metadata_.insert_or_assign(key, std::move(value));
  }
  void Remove(const std::string& key) { metadata_.erase(key); }
  /// A later tensor of the same name replaces the earlier one. Ends what Find returned.
  void Add(const std::string& name, llm::DType dtype, std::vector<std::size_t> shape,
           std::vector<std::uint8_t> bytes) {
    std::erase_if(tensors_, [&](const llm::TensorView& tensor) { return tensor.name == name; });
    llm::TensorView tensor;
    tensor.name = name;
    tensor.dtype = dtype;
    tensor.shape = std::move(shape);
    tensor.bytes = bytes_.emplace_back(std::move(bytes));
    tensors_.push_back(std::move(tensor));
  }

  [[nodiscard]] const std::map<std::string, llm::MetadataValue>& metadata() const override {
    return metadata_;
  }
  [[nodiscard]] const std::vector<llm::TensorView>& tensors() const override { return tensors_; }
  [[nodiscard]] const llm::TensorView* Find(std::string_view name) const override {
    for (const llm::TensorView& tensor : tensors_) {
      if (tensor.name == name) return &tensor;
    }
    return nullptr;
  }
  [[nodiscard]] std::string Sha256() const override { return std::string(64, '0'); }
  [[nodiscard]] std::uint64_t size_bytes() const override { return 0; }
  void Release(const llm::TensorView& /*tensor*/) const noexcept override {}

 private:
  std::map<std::string, llm::MetadataValue> metadata_;
  std::vector<llm::TensorView> tensors_;
  std::deque<std::vector<std::uint8_t>> bytes_;
};

}  // namespace sworn::test
