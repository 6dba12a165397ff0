// The options of the verbs that a model serves, and the two of them that search nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/args.h"

namespace CLI {
class App;
}

namespace sworn::cli {

/// Options as they were typed, until all are known: what a preset sets, the others override.
struct WritingWords {
  std::string preset = "precise";
  std::optional<double> temperature;
  std::optional<std::size_t> top_k;
  std::optional<double> top_p;
  std::optional<double> min_p;
  std::optional<double> repeat_penalty;
  std::optional<std::uint64_t> seed;
};

/// Adds --model, --max-tokens, the sampler's options, --stop, --stream, --timing and --threads;
/// everything given outlives the parsing.
void AddWriting(CLI::App& verb, WritingWords& words, service::WritingOptions& options,
                WritingOutput& output);

/// Puts the words into the options; kInvalidArgument for an unknown preset.
void FinishWriting(const WritingWords& words, service::WritingOptions& options);

/// As AddVerbs.
void AddSummarize(CLI::App& app, Command& result);
void AddTranslate(CLI::App& app, Command& result);

}  // namespace sworn::cli
