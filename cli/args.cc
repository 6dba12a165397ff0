#include "cli/args.h"

#include <algorithm>
#include <string_view>

#include <CLI/CLI.hpp>

#include "cli/args_verbs.h"
#include "cli/suggest.h"
#include "core/error.h"

namespace sworn::cli {
namespace {

[[noreturn]] void Refuse(const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message);
}

void AddGlobals(CLI::App& app, GlobalOptions& options) {
  app.add_option("--kb", options.kb, "Folder of the knowledge base (default: $SWORN_KB)")
      ->type_name("DIR");
  app.add_option("--config", options.config, "Settings file (default: $SWORN_CONFIG)")
      ->type_name("FILE");
  app.add_flag("--json", options.json, "Results as JSON on stdout, errors and progress on stderr");
  CLI::Option* quiet = app.add_flag("-q,--quiet", options.quiet, "Results and errors only");
  app.add_flag("-v,--verbose", options.verbose, "More detail")->excludes(quiet);
}

std::vector<std::string> VerbNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(verb->get_name());
  }
  return names;
}

std::vector<std::string> OptionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
  }
  return names;
}

// The innermost verb that was recognised.
const CLI::App& Deepest(const CLI::App& app) {
  const CLI::App* level = &app;
  while (!level->get_subcommands().empty()) level = level->get_subcommands().back();
  return *level;
}

std::string WithSuggestion(const std::string& message, std::string_view word,
                           const std::vector<std::string>& known) {
  const auto meant = Suggest(word, known);
  return meant ? message + ": did you mean '" + *meant + "'?" : message;
}

// Words that nobody took: a mistyped verb or option, or a question without quotation marks.
void RefuseUnknownWords(const CLI::App& app) {
  std::vector<std::string> left = app.remaining(true);
  left.erase(std::remove(left.begin(), left.end(), "--"), left.end());  // CLI11 leaves the mark
  if (left.empty()) return;
  const CLI::App& deepest = Deepest(app);
  const std::string full_name =
      deepest.get_parent() == nullptr ? "sworn" : "sworn " + deepest.get_display_name();
  const auto option = std::find_if(left.begin(), left.end(), [](const std::string& word) {
    return word.size() > 1 && word.front() == '-';
  });
  if (option != left.end()) {
    const std::string name = option->substr(0, option->find('='));
    Refuse(WithSuggestion("unknown option '" + name + "'", name, OptionNames(deepest)));
  }
  const std::vector<std::string> verbs = VerbNames(deepest);
  if (!verbs.empty()) {
    std::string message = "unknown command '" + left.front() + "'";
    if (!Suggest(left.front(), verbs)) message += "; see '" + full_name + " --help'";
    Refuse(WithSuggestion(message, left.front(), verbs));
  }
  Refuse("unexpected word '" + left.front() + "' (a text with spaces needs quotation marks)");
}

// CLI11's words in our form: lower case and a hint at the help.
[[noreturn]] void RefuseParseError(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& deepest = Deepest(app);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !VerbNames(deepest).empty()) {
    std::string verbs;
    for (const std::string& name : VerbNames(deepest)) verbs += (verbs.empty() ? "" : ", ") + name;
    Refuse("a command is missing; one of: " + verbs);
  }
  Refuse(error.what());
}

}  // namespace

Arguments ParseArguments(const std::vector<std::string>& words) {
  Arguments arguments;
  CLI::App app("A local knowledge base whose answers can be checked", "sworn");
  app.require_subcommand(1);
  app.fallthrough();   // inherited by the verbs: global options may stand behind them
  app.allow_extras();  // inherited too: RefuseUnknownWords says more than CLI11 would
  app.set_version_flag("--version", std::string("sworn ") + SWORN_VERSION);
  app.footer(
      "Global options may stand before or after the command. Results go to stdout, all else\n"
      "to stderr. 'sworn COMMAND --help' shows a command's options.");
  AddGlobals(app, arguments.global);
  AddVerbs(app, arguments.command);
  std::vector<std::string> reversed(words.rbegin(), words.rend());  // CLI11 takes them from the end
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    arguments.command = PrintCommand{app.help()};
    return arguments;
  } catch (const CLI::CallForVersion& version) {
    arguments.command = PrintCommand{std::string(version.what()) + "\n"};
    return arguments;
  } catch (const CLI::ParseError& error) {
    RefuseUnknownWords(app);
    RefuseParseError(app, error);
  }
  RefuseUnknownWords(app);
  return arguments;
}

bool WantsJson(const std::vector<std::string>& words) {
  const auto end = std::find(words.begin(), words.end(), "--");
  return std::find(words.begin(), end, "--json") != end;
}

}  // namespace sworn::cli
