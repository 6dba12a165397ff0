// What the files that declare verbs have in common. Internal to cli/args*.cc.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/args.h"
#include "core/error.h"

namespace sworn::cli {

[[noreturn]] inline void Refuse(const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message);
}

/// CLI11 would read "-1" as the largest number.
inline std::string CheckDigits(const std::string& text) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  return digits ? "" : "must be a whole number, not '" + text + "'";
}

/// An option that may be given several times, each time with one value; CLI11 would otherwise take
/// the words behind it too.
inline void AddRepeated(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                        const std::string& help, const std::string& type) {
  app.add_option(name, values, help)->allow_extra_args(false)->type_name(type);
}

/// Adds a verb whose options fill a T, which becomes the Command.
template <typename T>
CLI::App& AddVerb(CLI::App& parent, Command& result, const std::string& name,
                  const std::string& help, std::shared_ptr<T> parsed) {
  CLI::App* verb = parent.add_subcommand(name, help);
  verb->callback([parsed, &result] { result = *parsed; });
  return *verb;
}

}  // namespace sworn::cli
