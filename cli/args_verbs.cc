#include "cli/args_verbs.h"

#include <map>
#include <memory>
#include <utility>

#include "cli/args_helpers.h"
#include "cli/args_model.h"
#include "cli/args_writing.h"
#include "core/clock.h"

namespace sworn::cli {
namespace {

using service::SearchMode;

const std::map<std::string, SearchMode>& Modes() {
  static const std::map<std::string, SearchMode> modes = {{"hybrid", SearchMode::kHybrid},
                                                          {"keyword", SearchMode::kKeyword},
                                                          {"vector", SearchMode::kVector}};
  return modes;
}

SearchMode ParseMode(const std::string& text) {
  const auto found = Modes().find(text);
  if (found == Modes().end()) {
    Refuse("--mode must be hybrid, keyword or vector, not '" + text + "'");
  }
  return found->second;
}

std::pair<std::string, std::string> ParsePair(const std::string& option, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    Refuse(option + " must be key=value, not '" + text + "'");
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::map<std::string, std::string> ParsePairs(const std::string& option,
                                              const std::vector<std::string>& texts) {
  std::map<std::string, std::string> pairs;
  for (const std::string& text : texts) {
    auto pair = ParsePair(option, text);
    if (!pairs.insert(pair).second) Refuse(option + " gives '" + pair.first + "' twice");
  }
  return pairs;
}

std::optional<std::int64_t> ParseDate(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return ParseRfc3339(text);
}

// The filters that search and ask have in common, as text until all are read.
struct FilterOptions {
  std::vector<std::string> collections;
  std::vector<std::string> paths;
  std::vector<std::string> types;
  std::vector<std::string> where;
  std::string since;
  std::string until;
};

void AddFilters(CLI::App& app, FilterOptions& options) {
  AddRepeated(app, "--collection", options.collections, "Only this collection (repeatable)",
              "NAME");
  AddRepeated(app, "--path", options.paths, "Only paths that match (repeatable)", "GLOB");
  AddRepeated(app, "--type", options.types, "Only this media type or file extension (repeatable)",
              "TYPE");
  AddRepeated(app, "--where", options.where, "Only documents with this metadata (repeatable)",
              "KEY=VALUE");
  app.add_option("--since", options.since, "Only documents of this date or later")
      ->type_name("DATE");
  app.add_option("--until", options.until, "Only documents before this date")->type_name("DATE");
}

store::DocumentFilter MakeFilter(const FilterOptions& options) {
  store::DocumentFilter filter;
  filter.path_globs = options.paths;
  filter.media_types = options.types;
  filter.since_ms = ParseDate(options.since);
  filter.until_ms = ParseDate(options.until);
  filter.where = ParsePairs("--where", options.where);
  if (filter.since_ms && filter.until_ms && *filter.since_ms >= *filter.until_ms) {
    Refuse("--since must be before --until");
  }
  return filter;
}

void AddIndex(CLI::App& app, Command& result) {
  struct Options {
    IndexCommand command;
    std::vector<std::string> paths;
    std::vector<std::string> meta;
  };
  auto options = std::make_shared<Options>();
  service::IndexRequest& request = options->command.request;
  CLI::App& verb = *app.add_subcommand("index", "Make a collection mirror files and folders");
  verb.add_option("PATH", options->paths, "Files and folders")->required();
  verb.add_option("--collection", request.collection, "The collection (default: default)")
      ->type_name("NAME");
  AddRepeated(verb, "--include", request.include, "Only files that match (repeatable)", "GLOB");
  AddRepeated(verb, "--exclude", request.exclude, "Not files that match (repeatable)", "GLOB");
  AddRepeated(verb, "--meta", options->meta, "Label every document of this run (repeatable)",
              "KEY=VALUE");
  verb.add_option("--embedder", request.embedder,
                  "What makes the vectors: a model's id or lsa (default: what the collection has)")
      ->type_name("ID");
  verb.add_flag("--dry-run", request.dry_run, "Say what would change and change nothing");
  verb.add_flag("--allow-mass-remove", request.allow_mass_remove,
                "Withdraw more than half of a folder's documents if their files are gone");
  verb.add_flag("--watch", options->command.watch, "Stay and follow changes until interrupted");
  verb.callback([options, &result] {
    IndexCommand& command = options->command;
    command.request.paths.assign(options->paths.begin(), options->paths.end());
    command.request.meta = ParsePairs("--meta", options->meta);
    if (command.watch && command.request.dry_run)
      Refuse("--watch and --dry-run exclude each other");
    result = command;
  });
}

void AddSearch(CLI::App& app, Command& result) {
  struct Options {
    SearchCommand command;
    FilterOptions filter;
    std::string mode = "hybrid";
  };
  auto options = std::make_shared<Options>();
  CLI::App& verb = *app.add_subcommand("search", "Find passages");
  verb.add_option("TEXT", options->command.request.text, "What to look for; - reads it from stdin")
      ->required();
  verb.add_option("-n", options->command.request.top_k, "Number of passages (default: 10)")
      ->type_name("K")
      ->check(CheckDigits);
  verb.add_option("--mode", options->mode, "hybrid, keyword or vector (default: hybrid)")
      ->type_name("MODE");
  AddFilters(verb, options->filter);
  verb.add_flag("--explain", options->command.explain, "Show each leg's rank and score");
  verb.callback([options, &result] {
    service::SearchRequest& request = options->command.request;
    constexpr std::size_t kMaxPassages = 1000;
    if (request.top_k < 1 || request.top_k > kMaxPassages) Refuse("-n must be from 1 to 1000");
    request.mode = ParseMode(options->mode);
    request.collections = options->filter.collections;
    request.filter = MakeFilter(options->filter);
    result = options->command;
  });
}

void AddAsk(CLI::App& app, Command& result) {
  struct Options {
    AskCommand command;
    FilterOptions filter;
    WritingWords words;
  };
  auto options = std::make_shared<Options>();
  service::AskRequest& request = options->command.request;
  CLI::App& verb = *app.add_subcommand("ask", "Answer a question with quotations that are checked");
  verb.add_option("TEXT", request.text, "The question; - reads it from stdin")->required();
  AddWriting(verb, options->words, request.writing, options->command.output);
  verb.add_flag("--quote", request.writing.quote,
                "The model may only copy what stands in the passages");
  verb.add_flag("--keep-unverified", request.writing.keep_unverified,
                "Label sentences without support instead of leaving them out");
  AddFilters(verb, options->filter);
  verb.add_option("--matter", request.matter, "Matter label for the log")->type_name("LABEL");
  verb.add_option("--purpose", request.purpose, "Purpose of the question for the log")
      ->type_name("LABEL");
  verb.callback([options, &result] {
    AskCommand& command = options->command;
    FinishWriting(options->words, command.request.writing);
    command.request.collections = options->filter.collections;
    command.request.filter = MakeFilter(options->filter);
    result = command;
  });
}

void AddDocuments(CLI::App& app, Command& result) {
  auto list = std::make_shared<ListCommand>();
  CLI::App& list_verb = AddVerb(app, result, "list", "List the documents", list);
  AddRepeated(list_verb, "--collection", list->request.collections,
              "Only this collection (repeatable)", "NAME");
  list_verb.add_flag("--withdrawn", list->request.with_withdrawn,
                     "Also documents that were withdrawn");
  list_verb.add_option("--limit", list->request.limit, "At most so many (default: all)")
      ->type_name("N")
      ->check(CheckDigits);
  list_verb.add_option("--after", list->request.after, "Go on behind this document id")
      ->type_name("ID");

  auto show = std::make_shared<ShowCommand>();
  CLI::App& show_verb = AddVerb(app, result, "show", "Show a document", show);
  show_verb.add_option("ID", show->id_or_path, "Document id or path")->required();
  CLI::Option* text = show_verb.add_flag("--text", show->text, "Print its stored text");
  show_verb
      .add_option("--version", show->version, "The text of this version (default: the newest)")
      ->type_name("N")
      ->check(CheckDigits)
      ->needs(text);

  auto remove = std::make_shared<RemoveCommand>();
  CLI::App& remove_verb = AddVerb(
      app, result, "remove",
      "Withdraw documents from the indexes; their text stays in the catalog until it is erased",
      remove);
  remove_verb.add_option("ID", remove->id_or_path, "Document id, path or folder")->required();

  AddVerb(app, result, "status", "Show what the knowledge base holds",
          std::make_shared<StatusCommand>());
}

void AddCollection(CLI::App& app, Command& result) {
  CLI::App& group = *app.add_subcommand("collection", "Collections: the unit of access");
  group.require_subcommand(1);
  AddVerb(group, result, "list", "List the collections", std::make_shared<CollectionListCommand>());
  auto create = std::make_shared<CollectionCreateCommand>();
  AddVerb(group, result, "create", "Make an empty collection", create)
      .add_option("NAME", create->name, "1 to 64 of a-z, 0-9, _ and -")
      ->required();
  auto remove = std::make_shared<CollectionRemoveCommand>();
  AddVerb(group, result, "remove", "Withdraw a collection's documents and drop its indexes", remove)
      .add_option("NAME", remove->name, "The collection")
      ->required();
}

void AddAudit(CLI::App& app, Command& result) {
  struct ListOptions {
    AuditListCommand command;
    std::string since;
  };
  CLI::App& group = *app.add_subcommand("audit", "The record of what was asked and answered");
  group.require_subcommand(1);

  auto list = std::make_shared<ListOptions>();
  CLI::App& list_verb = *group.add_subcommand("list", "List entries, newest first");
  list_verb.add_option("-n", list->command.request.limit, "At most so many; 0: all (default: 50)")
      ->type_name("N")
      ->check(CheckDigits);
  list_verb.add_option("--type", list->command.request.type, "Only entries of this type")
      ->type_name("TYPE");
  list_verb.add_option("--since", list->since, "Only entries of this time or later")
      ->type_name("DATE");
  list_verb.callback([list, &result] {
    list->command.request.since_ms = ParseDate(list->since);
    result = list->command;
  });

  auto show = std::make_shared<AuditShowCommand>();
  AddVerb(group, result, "show", "Show an entry and what it speaks of", show)
      .add_option("N", show->index, "The entry's number")
      ->check(CheckDigits)
      ->required();
  AddVerb(group, result, "verify", "Check every entry, the tree and the signatures",
          std::make_shared<AuditVerifyCommand>());
  AddVerb(group, result, "export", "Print every entry with its proof, one JSON object a line",
          std::make_shared<AuditExportCommand>());
  auto receipt = std::make_shared<AuditReceiptCommand>();
  AddVerb(group, result, "receipt", "Print the proof that an entry is in the log", receipt)
      .add_option("N", receipt->index, "The entry's number")
      ->check(CheckDigits)
      ->required();
}

void AddEval(CLI::App& app, Command& result) {
  struct BeirOptions {
    std::vector<std::string> folders;
    std::string mode = "all";
    bool mixed = false;
  };
  CLI::App& group = *app.add_subcommand("eval", "Measure search and answers");
  group.require_subcommand(1);

  auto beir = std::make_shared<BeirOptions>();
  CLI::App& beir_verb = *group.add_subcommand("beir", "Search quality on BEIR folders");
  beir_verb.add_option("DIR", beir->folders, "Folders with corpus.jsonl, queries.jsonl and qrels/")
      ->required();
  beir_verb
      .add_option("--mode", beir->mode,
                  "all (and every leg), hybrid, keyword or vector; default all")
      ->type_name("MODE");
  beir_verb.add_flag("--mixed", beir->mixed, "Put all folders into one index");
  beir_verb.callback([beir, &result] {
    EvalBeirCommand command;
    command.request.folders.assign(beir->folders.begin(), beir->folders.end());
    command.request.mixed = beir->mixed;
    if (beir->mode == "all") {
      command.request.modes = {SearchMode::kKeyword, SearchMode::kVector, SearchMode::kHybrid};
      command.request.legs = true;
    } else if (Modes().contains(beir->mode)) {
      command.request.modes = {ParseMode(beir->mode)};
    } else {
      Refuse("--mode must be all, hybrid, keyword or vector, not '" + beir->mode + "'");
    }
    result = command;
  });

  auto answers = std::make_shared<EvalAnswersCommand>();
  CLI::App& answers_verb =
      AddVerb(group, result, "answers", "Answers to questions with known evidence", answers);
  answers_verb.add_option("FILE", answers->file, "Questions, one JSON object a line")->required();
  answers_verb.add_option("--split", answers->split, "Only questions of this split")
      ->type_name("NAME");
}

void AddMaintenance(CLI::App& app, Command& result) {
  auto fsck = std::make_shared<FsckCommand>();
  AddVerb(app, result, "fsck", "Check catalog, texts and indexes against each other", fsck)
      .add_flag("--repair", fsck->repair, "Build damaged indexes again from the catalog");
  AddVerb(app, result, "doctor", "Check the environment", std::make_shared<DoctorCommand>());

  auto backup = std::make_shared<BackupCommand>();
  CLI::App& backup_verb =
      AddVerb(app, result, "backup", "Write catalog, log and keys into one archive", backup);
  backup_verb.add_option("FILE", backup->file, "The archive; must not exist yet")->required();
  backup_verb.add_flag(
      "--with-keys", backup->with_keys,
      "Include the keys of the log's payloads: whoever has the file can read them");

  auto restore = std::make_shared<RestoreCommand>();
  CLI::App& restore_verb =
      AddVerb(app, result, "restore", "Fill an empty knowledge base from an archive", restore);
  restore_verb.add_option("FILE", restore->file, "An archive that backup wrote")->required();
  restore_verb.add_option("--reason", restore->reason, "Why; kept in the log")
      ->type_name("TEXT")
      ->required();
}

}  // namespace

void AddVerbs(CLI::App& app, Command& result) {
  AddIndex(app, result);
  AddSearch(app, result);
  AddAsk(app, result);
  AddSummarize(app, result);
  AddTranslate(app, result);
  AddDocuments(app, result);
  AddCollection(app, result);
  AddAudit(app, result);
  AddModel(app, result);
  AddEval(app, result);
  AddBench(app, result);
  AddEmbed(app, result);
  AddMaintenance(app, result);
}

}  // namespace sworn::cli
