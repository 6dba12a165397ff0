#include "cli/args_model.h"

#include <memory>
#include <string>

#include "cli/args_helpers.h"

namespace sworn::cli {
namespace {

void AddImport(CLI::App& group, Command& result) {
  struct Options {
    ModelImportCommand command;
    std::string path;
  };
  auto options = std::make_shared<Options>();
  service::ModelImportRequest& request = options->command.request;
  CLI::App& verb = *group.add_subcommand("import", "Take a model file into the knowledge base");
  verb.add_option("FILE", options->path, "A GGUF file, a safetensors file or folder")->required();
  verb.add_option("--id", request.id, "Its name here (default: from the file's name)")
      ->type_name("ID");
  verb.add_option("--sha256", request.sha256, "Take it only with this digest")->type_name("HEX");
  verb.add_flag("--pack", request.pack, "Store it in the engine's own layout, which starts faster");
  verb.add_flag("--int8", request.int8,
                "Store an encoder's linear layers as int8: a quarter, faster");
  verb.add_option("--query-prefix", request.query_prefix, "Of an embedder: put before a question")
      ->type_name("TEXT");
  verb.add_option("--passage-prefix", request.passage_prefix,
                  "Of an embedder: put before a passage")
      ->type_name("TEXT");
  verb.add_option("--pooling", request.pooling, "Of an encoder: mean or cls")->type_name("NAME");
  verb.add_option("--storage", request.storage,
                  "Of a ternary embedder's vectors: f32 (default), f16, i8, i4, i2 or i1")
      ->type_name("TYPE");
  verb.callback([options, &result] {
    options->command.request.path = options->path;
    result = options->command;
  });
}

void AddPull(CLI::App& group, Command& result) {
  auto pull = std::make_shared<ModelPullCommand>();
  CLI::App& verb = AddVerb(group, result, "pull",
                           "Download a model file; the only command that uses the network", pull);
  verb.add_option("ID", pull->request.what, "An address, or a name below the base address")
      ->required();
  verb.add_option("--base-url", pull->request.base_url,
                  "Where names are looked for (default: model_base_url)")
      ->type_name("URL");
  verb.add_option("--sha256", pull->request.sha256, "Take it only with this digest")
      ->type_name("HEX");
  verb.add_option("--id", pull->request.id, "Its name here (default: from the address)")
      ->type_name("NAME");
}

void AddLogits(CLI::App& group, Command& result) {
  auto logits = std::make_shared<ModelLogitsCommand>();
  service::LogitsRequest& request = logits->request;
  CLI::App& verb =
      AddVerb(group, result, "logits", "Write a model's logits for given tokens", logits);
  verb.add_option("--model", request.model, "A model file")->type_name("FILE")->required();
  verb.add_option("--tokens", request.tokens, "Token ids, int32 little-endian")
      ->type_name("FILE")
      ->required();
  verb.add_option("--out", request.out, "Gets float32 little-endian, [tokens, vocabulary]")
      ->type_name("FILE")
      ->required();
  verb.add_option("--threads", logits->threads, "Number of threads (default: one per core)")
      ->type_name("N")
      ->check(CheckDigits);
}

template <typename T>
void AddById(CLI::App& group, Command& result, const std::string& name, const std::string& help) {
  auto command = std::make_shared<T>();
  AddVerb(group, result, name, help, command)
      .add_option("ID", command->id, "The model")
      ->required();
}

}  // namespace

void AddBench(CLI::App& app, Command& result) {
  CLI::App& group = *app.add_subcommand("bench", "Measure speed");
  group.require_subcommand(1);
  auto bench = std::make_shared<BenchLlmCommand>();
  service::BenchLlmRequest& request = bench->request;
  CLI::App& verb =
      AddVerb(group, result, "llm", "The engine, beside what this machine can do", bench);
  CLI::Option* shape = verb.add_option("--shape", request.shape,
                                       "Random weights in the shape of 2b-4t, tiny, 270m or 0.6b")
                           ->type_name("NAME");
  CLI::Option* model = verb.add_option("--model", request.model, "Or a model file")
                           ->type_name("FILE")
                           ->excludes(shape);
  verb.add_option("--head", request.head, "Embedding of random weights: f16 or q6_k (default: f16)")
      ->type_name("TYPE")
      ->excludes(model);
  verb.add_option("--write-model", request.write_model, "Keep the random weights as this GGUF file")
      ->type_name("FILE")
      ->excludes(model);
  verb.add_option("--prompt", request.prompt, "Tokens to read at once (default: 512)")
      ->type_name("N")
      ->check(CheckDigits);
  verb.add_option("--generate", request.generate, "Tokens to write (default: 128)")
      ->type_name("N")
      ->check(CheckDigits);
  verb.add_option("--repeat", request.repeat, "Runs, of which medians are shown (default: 3)")
      ->type_name("N")
      ->check(CheckDigits);
  verb.add_option("--threads", bench->threads, "Threads (default: one per core)")
      ->type_name("N")
      ->check(CheckDigits);
  verb.callback([bench, &result] {
    if (bench->request.shape.empty() && bench->request.model.empty()) {
      Refuse("bench llm needs --shape or --model");
    }
    result = *bench;
  });
}

void AddEmbed(CLI::App& app, Command& result) {
  struct Options {
    EmbedCommand command;
    bool query = false;  // says what is meant anyway
    bool passage = false;
  };
  auto options = std::make_shared<Options>();
  service::EmbedRequest& request = options->command.request;
  CLI::App& verb = *app.add_subcommand("embed", "Print the vector of a text");
  verb.add_option("TEXT", request.text, "The text; - reads it from stdin")->required();
  CLI::Option* model =
      verb.add_option("--model", request.model, "An embedder of `model list`")->type_name("ID");
  verb.add_option("--collection", request.collection, "Or what this collection is embedded with")
      ->type_name("NAME")
      ->excludes(model);
  CLI::Option* query = verb.add_flag("--query", options->query, "Embed it as a question (default)");
  verb.add_flag("--passage", options->passage, "Embed it as a passage")->excludes(query);
  verb.callback([options, &result] {
    if (options->passage) options->command.request.kind = service::EmbedKind::kPassage;
    result = options->command;
  });
}

void AddModel(CLI::App& app, Command& result) {
  CLI::App& group = *app.add_subcommand("model", "Model files, each pinned by its SHA-256");
  group.require_subcommand(1);
  AddVerb(group, result, "list", "List the models", std::make_shared<ModelListCommand>());
  AddImport(group, result);
  AddPull(group, result);
  AddById<ModelVerifyCommand>(group, result, "verify",
                              "Compare a model's file with the pinned digest");
  AddById<ModelInfoCommand>(group, result, "info", "Show a model");
  AddById<ModelRemoveCommand>(group, result, "remove", "Delete a model");
  AddLogits(group, result);
}

}  // namespace sworn::cli
