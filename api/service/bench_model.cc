#include "api/service/bench_model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "llm/files/gguf_writer.h"

namespace sworn::service {
namespace {

using llm::DType;

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kI2sTailBytes = 32;
constexpr std::size_t kQ6Weights = 256;
constexpr std::size_t kQ6Bytes = 210;
constexpr std::size_t kControlTokens = 256;  // of Llama 3
constexpr std::size_t kBytes = 256;
constexpr float kRopeTheta = 500'000.0F;

const std::array<BenchShape, 4>& Shapes() {
  static const std::array<BenchShape, 4> shapes = {
      BenchShape{"2b-4t", "bitnet-b1.58", 128'256, 2560, 30, 20, 5, 128, 6912, 4096},
      BenchShape{"tiny", "bitnet-b1.58", 1'024, 256, 2, 4, 2, 64, 512, 4096},
      BenchShape{"270m", "gemma3", 262'144, 640, 18, 4, 1, 256, 2048, 32'768},
      BenchShape{"0.6b", "qwen3", 151'936, 1024, 28, 16, 8, 128, 3072, 32'768}};
  return shapes;
}

// splitmix64 (Steele, Lea, Flood 2014): good enough for weights, and fast.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  double Uniform() { return static_cast<double>(Next() >> 11U) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

// A normal number below 65,504 in binary16, rounded towards zero.
std::uint16_t ToHalf(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const int exponent = static_cast<int>((bits >> 23U) & 0xFFU) - 127 + 15;
  if (exponent <= 0) return 0;
  return static_cast<std::uint16_t>(((bits >> 16U) & 0x8000U) |
                                    (static_cast<std::uint32_t>(exponent) << 10U) |
                                    ((bits >> 13U) & 0x3FFU));
}

void PutFloat(float value, std::vector<std::uint8_t>& bytes) {
  std::array<std::uint8_t, sizeof value> raw{};
  std::memcpy(raw.data(), &value, sizeof value);
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

// GPT-2's letter for each byte.
std::array<std::string, kBytes> ByteLetters() {
  std::array<std::string, kBytes> letters;
  unsigned next = 0x100;
  for (unsigned byte = 0; byte < kBytes; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    const unsigned letter = printable ? byte : next++;
    if (letter < 0x80) {
      letters[byte] = static_cast<char>(letter);
    } else {
      letters[byte] = {static_cast<char>(0xC0U | letter >> 6U),
                       static_cast<char>(0x80U | (letter & 0x3FU))};
    }
  }
  return letters;
}

class Writer {
 public:
  Writer(const BenchShape& shape, BenchHead head, std::uint64_t seed,
         const std::filesystem::path& file, FileOps& ops, const CancelFlag& cancel)
      : shape_(shape), head_(head), random_(seed), cancel_(cancel), writer_(file, ops) {
    // Four weights of a byte, each with one of the codes 0, 1, 2.
    for (std::size_t i = 0; i < ternary_.size(); ++i) {
      std::size_t rest = i % 81;
      std::uint8_t byte = 0;
      for (int weight = 0; weight < 4; ++weight, rest /= 3) {
        byte = static_cast<std::uint8_t>(byte << 2U | rest % 3);
      }
      ternary_[i] = byte;
    }
    // Normal numbers by Box and Muller, as embeddings nearly are.
    for (std::uint16_t& half : normal_) {
      const double radius = std::sqrt(-2 * std::log(1 - random_.Uniform()));
      half = ToHalf(static_cast<float>(radius * std::cos(2 * M_PI * random_.Uniform())));
    }
  }

  void Write() {
    SetMetadata();
    SetVocabulary();
    Plan();
    Embedding();
    for (const auto& [rows, columns] : planned_) {
      if (columns == 0) {
        Norm(rows);
      } else {
        Linear(rows, columns);
      }
    }
    writer_.Finish();
  }

 private:
  void SetMetadata() {
    const std::string prefix = shape_.architecture + ".";
    const auto number = [&](const std::string& key, std::size_t value) {
      writer_.Set(prefix + key, static_cast<std::uint32_t>(value));
    };
    writer_.Set("general.architecture", shape_.architecture);
    writer_.Set("general.name", "random " + shape_.name);
    writer_.Set("general.file_type", std::uint32_t{40});
    writer_.Set("general.quantization_version", std::uint32_t{2});
    number("vocab_size", shape_.vocabulary);
    number("context_length", shape_.context);
    number("embedding_length", shape_.hidden);
    number("block_count", shape_.layers);
    number("feed_forward_length", shape_.ffn);
    number("rope.dimension_count", shape_.head_dim);
    number("attention.key_length", shape_.head_dim);
    number("attention.value_length", shape_.head_dim);
    number("attention.head_count", shape_.heads);
    number("attention.head_count_kv", shape_.kv_heads);
    writer_.Set(prefix + "attention.layer_norm_rms_epsilon", 1e-5F);
    writer_.Set(prefix + "rope.freq_base", kRopeTheta);
  }

  // The bytes, then pairs and triples of them in order, then control tokens.
  void SetVocabulary() {
    const auto letters = ByteLetters();
    const std::size_t normal = shape_.vocabulary - kControlTokens;
    std::vector<std::string> tokens(letters.begin(), letters.end());
    std::vector<std::string> merges;
    const auto add = [&](const std::string& left, const std::string& right) {
      if (tokens.size() == normal) return;
      merges.push_back(left + ' ' + right);
      tokens.push_back(left + right);
    };
    for (std::size_t i = 0; i < kBytes * kBytes; ++i) add(letters[i / kBytes], letters[i % kBytes]);
    for (std::size_t i = 0; tokens.size() < normal; ++i) {
      const std::size_t pair = i / kBytes;
      add(letters[pair / kBytes] + letters[pair % kBytes], letters[i % kBytes]);
    }
    std::vector<std::int32_t> types(tokens.size(), 1);
    tokens.emplace_back("<|begin_of_text|>");
    tokens.emplace_back("<|end_of_text|>");
    tokens.emplace_back("<|eot_id|>");
    for (std::size_t i = 0; tokens.size() < shape_.vocabulary; ++i) {
      tokens.push_back("<|reserved_special_token_" + std::to_string(i) + "|>");
    }
    types.resize(tokens.size(), 3);
    if (shape_.architecture == "gemma3") {
      // Its vocabulary is one of scored pieces; these are never joined.
      writer_.Set("tokenizer.ggml.model", std::string("llama"));
      writer_.Set("tokenizer.ggml.scores", std::vector<float>(tokens.size()));
    } else {
      writer_.Set("tokenizer.ggml.model", std::string("gpt2"));
      writer_.Set("tokenizer.ggml.pre", std::string("llama-bpe"));
      writer_.Set("tokenizer.ggml.merges", std::move(merges));
    }
    writer_.Set("tokenizer.ggml.tokens", std::move(tokens));
    writer_.Set("tokenizer.ggml.token_type", std::move(types));
    writer_.Set("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(normal));
    writer_.Set("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(normal + 1));
    writer_.Set("tokenizer.ggml.padding_token_id", static_cast<std::uint32_t>(normal + 1));
    writer_.Set("tokenizer.ggml.add_bos_token", true);
  }

  void PlanNorm(const std::string& name, std::size_t width) {
    writer_.AddTensor(name + ".weight", DType::kF32, {width});
    planned_.emplace_back(width, 0);
  }

  // With the norm in front of it that embedding models have.
  void PlanLinear(const std::string& name, std::size_t rows, std::size_t columns) {
    writer_.AddTensor(name + ".weight", DType::kI2S, {rows, columns});
    planned_.emplace_back(rows, columns);
    if (shape_.embeds()) PlanNorm(name + "_norm_in", columns);
  }

  void PlanLayer(const std::string& prefix) {
    const std::size_t width = shape_.heads * shape_.head_dim;
    const std::size_t kv = shape_.kv_heads * shape_.head_dim;
    PlanNorm(prefix + "attn_norm", shape_.hidden);
    PlanLinear(prefix + "attn_q", width, shape_.hidden);
    PlanLinear(prefix + "attn_k", kv, shape_.hidden);
    PlanLinear(prefix + "attn_v", kv, shape_.hidden);
    if (!shape_.embeds()) PlanNorm(prefix + "attn_sub_norm", width);
    PlanLinear(prefix + "attn_output", shape_.hidden, width);
    PlanNorm(prefix + "ffn_norm", shape_.hidden);
    PlanLinear(prefix + "ffn_gate", shape_.ffn, shape_.hidden);
    PlanLinear(prefix + "ffn_up", shape_.ffn, shape_.hidden);
    if (!shape_.embeds()) PlanNorm(prefix + "ffn_sub_norm", shape_.ffn);
    PlanLinear(prefix + "ffn_down", shape_.hidden, shape_.ffn);
    if (!shape_.embeds()) return;
    PlanNorm(prefix + "attn_q_norm", shape_.head_dim);
    PlanNorm(prefix + "attn_k_norm", shape_.head_dim);
    if (shape_.architecture != "gemma3") return;
    PlanNorm(prefix + "post_attention_norm", shape_.hidden);
    PlanNorm(prefix + "post_ffw_norm", shape_.hidden);
  }

  void Plan() {
    writer_.AddTensor("token_embd.weight", head_ == BenchHead::kF16 ? DType::kF16 : DType::kQ6K,
                      {shape_.vocabulary, shape_.hidden});
    for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
      PlanLayer("blk." + std::to_string(layer) + ".");
    }
    PlanNorm("output_norm", shape_.hidden);
  }

  void Norm(std::size_t width) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < width; ++i) {
      PutFloat(static_cast<float>(0.5 + random_.Uniform()), bytes);
    }
    writer_.Append(bytes);
  }

  void Linear(std::size_t rows, std::size_t columns) {
    std::vector<std::uint8_t> bytes;
    std::size_t left = rows * columns / 4;
    while (left > 0) {
      cancel_.ThrowIfCancelled();
      bytes.resize(std::min(left, kPieceBytes));
      for (std::size_t i = 0; i < bytes.size();) {
        std::uint64_t random = random_.Next();
        for (int byte = 0; byte < 8 && i < bytes.size(); ++byte, random >>= 8U) {
          bytes[i++] = ternary_[random & 0xFFU];
        }
      }
      left -= bytes.size();
      writer_.Append(bytes);
    }
    bytes.clear();
    PutFloat(1.0F / std::sqrt(static_cast<float>(columns)), bytes);
    bytes.resize(kI2sTailBytes);
    writer_.Append(bytes);
  }

  void Embedding() {
    const std::size_t weights = shape_.vocabulary * shape_.hidden;
    std::vector<std::uint8_t> bytes;
    for (std::size_t done = 0; done < weights;) {
      cancel_.ThrowIfCancelled();
      bytes.clear();
      while (done < weights && bytes.size() < kPieceBytes) {
        head_ == BenchHead::kF16 ? PutHalves(bytes) : PutQ6Block(bytes);
        done += kQ6Weights;
      }
      writer_.Append(bytes);
    }
  }

  void PutHalves(std::vector<std::uint8_t>& bytes) {
    for (std::size_t i = 0; i < kQ6Weights; ++i) {
      const std::uint16_t half = normal_[random_.Next() % normal_.size()];
      bytes.push_back(static_cast<std::uint8_t>(half));
      bytes.push_back(static_cast<std::uint8_t>(half >> 8U));
    }
  }

  // 128 bytes of low and 64 of high bits, 16 scales, one binary16.
  void PutQ6Block(std::vector<std::uint8_t>& bytes) {
    const std::size_t begin = bytes.size();
    for (std::size_t i = 0; i < 192; i += 8) {
      const std::uint64_t random = random_.Next();
      std::array<std::uint8_t, 8> raw{};
      std::memcpy(raw.data(), &random, sizeof random);
      bytes.insert(bytes.end(), raw.begin(), raw.end());
    }
    for (std::size_t i = 0; i < 16; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(32 + random_.Next() % 64));
    }
    const std::uint16_t scale = ToHalf(0x1p-10F);
    bytes.push_back(static_cast<std::uint8_t>(scale));
    bytes.push_back(static_cast<std::uint8_t>(scale >> 8U));
    if (bytes.size() - begin != kQ6Bytes) throw Error(ErrorCode::kInternal, "a Q6_K block");
  }

  const BenchShape& shape_;
  BenchHead head_;
  Random random_;
  const CancelFlag& cancel_;
  llm::GgufWriter writer_;
  std::vector<std::pair<std::size_t, std::size_t>> planned_;  // rows, columns; norms: width, 0
  std::array<std::uint8_t, 256> ternary_{};
  std::array<std::uint16_t, 4096> normal_{};
};

}  // namespace

BenchShape FindBenchShape(const std::string& name) {
  for (const BenchShape& shape : Shapes()) {
    if (shape.name == name) return shape;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "--shape must be 2b-4t, tiny, 270m or 0.6b, not '" + name + "'");
}

BenchHead ParseBenchHead(const std::string& name) {
  if (name == "f16") return BenchHead::kF16;
  if (name == "q6_k") return BenchHead::kQ6K;
  throw Error(ErrorCode::kInvalidArgument, "--head must be f16 or q6_k, not '" + name + "'");
}

void WriteBenchModel(const BenchShape& shape, BenchHead head, std::uint64_t seed,
                     const std::filesystem::path& file, FileOps& ops, const CancelFlag& cancel) {
  Writer(shape, head, seed, file, ops, cancel).Write();
}

}  // namespace sworn::service
