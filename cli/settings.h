// Where settings come from: command line, then environment, then file, then default.
#pragma once

#include <map>
#include <string>

#include "api/service/config.h"
#include "cli/args.h"

namespace sworn::cli {

using Environment = std::map<std::string, std::string>;

/// The process's variables.
Environment CurrentEnvironment();

/// A complete, validated Config.
///
/// File: --config, else $SWORN_CONFIG, else $XDG_CONFIG_HOME/sworn/config.json (~/.config) if it is
/// there. Folder: --kb, else $SWORN_KB, else the file's, else $XDG_DATA_HOME/sworn
/// (~/.local/share). Every key of the file has a variable (SWORN_WORKERS). An unknown SWORN_
/// variable is kInvalidArgument like an unknown key, because a mistyped limit must not be silently
/// off; SWORN_SHARED_DATA and SWORN_TEST_* belong to the tests and pass.
service::Config LoadSettings(const GlobalOptions& options, const Environment& environment);

}  // namespace sworn::cli
