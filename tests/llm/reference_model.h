// The decoder once more, in plain loops: what the engine is compared with.
//
// It calls no kernel. Norms sum in the order that kernels/kernels.h states, because their bits
// decide how activations round to int8; softmax sees all positions at once, dense layers sum in
// double, and rotated pairs are taken as they stand in the file. It rounds where the engine rounds:
// activations of ternary layers to int8, keys and values to binary16, everything else to binary32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "llm/files/model_config.h"
#include "llm/files/model_file.h"

namespace sworn::llm::test {

/// The numbers of a tensor, row-major; empty if the model has none of that name.
using TensorSource = std::function<std::vector<float>(const std::string& name)>;

/// Reads F32, F16 and I2_S by itself; throws std::invalid_argument for any other type.
TensorSource ReadTensors(const ModelFile& file);

class ReferenceModel {
 public:
  /// `config` gives the sizes, the scale of attention and the local layers; `architecture` and the
  /// tensors that there are decide the graph. `rounding` off: no int8 and no binary16, binary32
  /// alone.
  ReferenceModel(const ModelConfig& config, TensorSource source, bool rounding = true);

  /// The hidden states after the output norm, [tokens, hidden].
  [[nodiscard]] std::vector<float> Hidden(std::span<const std::int32_t> tokens);
  /// [tokens, vocabulary].
  [[nodiscard]] std::vector<float> Logits(std::span<const std::int32_t> tokens);

 private:
  using Rows = std::vector<std::vector<float>>;

  const std::vector<float>& Tensor(const std::string& name);
  Rows Linear(const Rows& unnormed, const std::string& name, std::size_t outputs);
  Rows Norm(const Rows& input, const std::string& name);
  void NormHeads(Rows& rows, const std::string& name);
  void Rotate(Rows& rows, std::size_t heads, double theta) const;
  Rows Attend(const Rows& queries, const Rows& keys, const Rows& values) const;
  void Layer(std::size_t layer, Rows& x);

  ModelConfig config_;
  TensorSource source_;
  bool rounding_;
  bool relu2_;
  bool gemma_;
  bool interleaved_;
  std::map<std::string, std::vector<float>> tensors_;
};

/// Rounded to binary16, ties to even, and back.
float RoundToHalf(float value);

/// Root of the mean squared difference over the root of the mean square of `expected`.
double RelativeRms(std::span<const float> actual, std::span<const float> expected);

}  // namespace sworn::llm::test
