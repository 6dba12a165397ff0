// The port through which a prompt becomes text. Implemented by llm/model_generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"

namespace sworn {

/// What an answer must record so that the same model can give it again.
struct GeneratorIdentity {
  std::string id;           // "bitnet-b1.58-2b-4t"
  std::string sha256;       // of the model file, hexadecimal
  std::string kernels;      // name of the kernel table
  std::size_t context = 0;  // tokens of prompt and answer together
};

/// How the next token is chosen. The defaults are the preset "precise": the most probable one.
struct SamplerOptions {
  double temperature = 0;          // 0: greedy; at most 5
  std::size_t top_k = 40;          // most probable tokens considered; 1 to 1,000
  double top_p = 1;                // (0, 1]: the smallest set with this probability
  double min_p = 0;                // [0, 1]: at least this share of the best token's probability
  double repeat_penalty = 1;       // [1, 2]: divides positive and multiplies negative logits
  std::size_t repeat_window = 64;  // of the latest tokens, prompt included; at most 1,024
  std::uint64_t seed = 0;
};

/// "precise", "balanced", "creative"; throws kInvalidArgument for any other name.
SamplerOptions SamplerPreset(std::string_view name);
/// Throws kInvalidArgument naming the option that is out of its range.
void CheckSampler(const SamplerOptions& options);

/// Which texts may come out. kFree: any. kCite: "[" may only be followed by one of 1..passages and
/// "]". kQuote: as kCite, and every other text must be a run of whole words of one of the passages,
/// beginning at the start of a sentence or continuing one.
enum class TextConstraint { kFree, kCite, kQuote };

struct PromptTurn {
  bool from_user = true;
  std::string text;
};

struct Prompt {
  std::string system;
  std::vector<PromptTurn> turns;  // the last one is the user's
  /// The texts that stand in the turns and may be cited (number = index + 1) or copied.
  std::vector<std::string> passages;
  /// Cached prefixes are shared among prompts of one partition only: who may read the same texts.
  std::string cache_partition;
};

struct GenerationOptions {
  SamplerOptions sampler;
  std::size_t max_tokens = 256;   // of the answer
  std::vector<std::string> stop;  // texts that end the answer and are not part of it
  TextConstraint constraint = TextConstraint::kFree;
  bool draft_from_passages = true;  // speculative decoding; changes nothing but the speed
};

enum class StopReason { kEnd, kStopText, kLength, kCancelled };

struct Completion {
  std::string text;  // valid UTF-8
  StopReason stop = StopReason::kEnd;
  std::size_t prompt_tokens = 0;
  std::size_t cached_tokens = 0;  // of the prompt, taken from an earlier one
  std::size_t completion_tokens = 0;
  std::size_t drafted_tokens = 0;   // proposed by copying
  std::size_t accepted_tokens = 0;  // of them kept
  double prefill_seconds = 0;
  double decode_seconds = 0;
};

/// Called with each piece of text, whole code points only, in the generating thread.
using TextSink = std::function<void(std::string_view)>;

/// Safe to share between threads; each call has its own state.
class Generator {
 public:
  virtual ~Generator() = default;

  [[nodiscard]] virtual const GeneratorIdentity& identity() const = 0;
  [[nodiscard]] virtual std::size_t CountTokens(std::string_view text) const = 0;
  /// The tokens that `prompt` takes, role markers included.
  [[nodiscard]] virtual std::size_t CountTokens(const Prompt& prompt) const = 0;

  /// The same prompt, options and kernel table give the same text, whatever is cached, whatever the
  /// number of threads. Stops within one token of `cancel` and returns what there is (kCancelled).
  /// Throws kTooLarge if the prompt and max_tokens exceed the context, kInvalidArgument for options
  /// out of range.
  [[nodiscard]] virtual Completion Generate(const Prompt& prompt, const GenerationOptions& options,
                                            const CancelFlag& cancel,
                                            const TextSink& on_text) const = 0;
};

}  // namespace sworn
