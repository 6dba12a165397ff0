// Runs the real program: to its end, or until it is killed.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sworn::test {

struct Command {
  std::vector<std::string> arguments;                // arguments[0] is the program
  std::vector<std::string> environment;              // added: "NAME=value"
  std::optional<std::chrono::microseconds> kill_at;  // SIGKILL this long after the start
};

struct Finished {
  int exit_status = -1;  // -1: killed by a signal
  std::string out;
  std::string err;
  double seconds = 0;
};

/// Waits for the end of the process. Throws std::runtime_error if it cannot be started.
Finished RunProcess(const Command& command);

}  // namespace sworn::test
