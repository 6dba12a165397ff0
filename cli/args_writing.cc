#include "cli/args_writing.h"

#include <memory>
#include <string>

#include "cli/args_helpers.h"
#include "core/generator.h"

namespace sworn::cli {
namespace {

// A verb with options of its own, which `add_own` adds, and those of writing.
template <typename CommandOfVerb, typename AddOwn>
void AddWritingVerb(CLI::App& app, Command& result, const char* name, const char* help,
                    const AddOwn& add_own) {
  struct Options {
    CommandOfVerb command;
    WritingWords words;
  };
  auto options = std::make_shared<Options>();
  CommandOfVerb& command = options->command;
  CLI::App& verb = *app.add_subcommand(name, help);
  add_own(verb, command.request);
  AddWriting(verb, options->words, command.request.writing, command.output);
  verb.callback([options, &result] {
    FinishWriting(options->words, options->command.request.writing);
    result = options->command;
  });
}

}  // namespace

void AddWriting(CLI::App& verb, WritingWords& words, service::WritingOptions& options,
                WritingOutput& output) {
  verb.add_option("--model", options.model, "Who writes: an id of `model list`, or extractive")
      ->type_name("ID");
  verb.add_option("--max-tokens", options.generation.max_tokens,
                  "Longest answer of a model (default: 256)")
      ->type_name("N")
      ->check(CheckDigits);
  verb.add_option("--preset", words.preset, "precise, balanced or creative (default: precise)")
      ->type_name("NAME");
  verb.add_option("--temperature", words.temperature, "0 to 5; 0: the most probable token")
      ->type_name("F");
  verb.add_option("--top-k", words.top_k, "Tokens considered, 1 to 1000")
      ->type_name("N")
      ->check(CheckDigits);
  verb.add_option("--top-p", words.top_p, "Of them those that make up this probability")
      ->type_name("F");
  verb.add_option("--min-p", words.min_p, "Of them those with this share of the best one's")
      ->type_name("F");
  verb.add_option("--repeat-penalty", words.repeat_penalty, "1 to 2, against repetitions")
      ->type_name("F");
  verb.add_option("--seed", words.seed, "The same seed, the same answer (default: 0)")
      ->type_name("N")
      ->check(CheckDigits);
  AddRepeated(verb, "--stop", options.generation.stop, "A text that ends the answer (repeatable)",
              "TEXT");
  verb.add_flag("--stream", output.stream, "Print each sentence as soon as it was checked");
  verb.add_flag("--timing", output.timing, "Show how long each step took");
  verb.add_option("--threads", output.threads, "Threads of the model (default: one per core)")
      ->type_name("N")
      ->check(CheckDigits);
}

void FinishWriting(const WritingWords& words, service::WritingOptions& options) {
  SamplerOptions sampler = SamplerPreset(words.preset);
  sampler.temperature = words.temperature.value_or(sampler.temperature);
  sampler.top_k = words.top_k.value_or(sampler.top_k);
  sampler.top_p = words.top_p.value_or(sampler.top_p);
  sampler.min_p = words.min_p.value_or(sampler.min_p);
  sampler.repeat_penalty = words.repeat_penalty.value_or(sampler.repeat_penalty);
  sampler.seed = words.seed.value_or(sampler.seed);
  options.generation.sampler = sampler;
}

void AddSummarize(CLI::App& app, Command& result) {
  AddWritingVerb<SummarizeCommand>(
      app, result, "summarize", "Summarise a document or a text with a model",
      [](CLI::App& verb, service::SummarizeRequest& request) {
        verb.add_option("TEXT", request.what,
                        "Document id or path, or a text; - reads it from stdin")
            ->required();
        verb.add_option("--to", request.language, "Language to write in (default: the text's)")
            ->type_name("LANG");
      });
}

void AddTranslate(CLI::App& app, Command& result) {
  AddWritingVerb<TranslateCommand>(
      app, result, "translate", "Translate a text with a model, unverified",
      [](CLI::App& verb, service::TranslateRequest& request) {
        verb.add_option("TEXT", request.text, "The text; - reads it from stdin")->required();
        verb.add_option("--to", request.to, "Language to write in, for example de")
            ->type_name("LANG")
            ->required();
      });
}

}  // namespace sworn::cli
