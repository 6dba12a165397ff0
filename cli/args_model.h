// The verbs around model files.
#pragma once

#include "cli/args.h"

namespace CLI {
class App;
}

namespace sworn::cli {

/// As AddVerbs.
void AddModel(CLI::App& app, Command& result);
void AddBench(CLI::App& app, Command& result);
void AddEmbed(CLI::App& app, Command& result);

}  // namespace sworn::cli
