// The verbs of the program with their options and help texts.
#pragma once

#include "cli/args.h"

namespace CLI {
class App;
}

namespace sworn::cli {

/// Adds every verb to `app`; the one that is parsed writes its Command to `result`, which outlives
/// the parsing. Values that no command can mean throw kInvalidArgument while `app` parses.
void AddVerbs(CLI::App& app, Command& result);

}  // namespace sworn::cli
