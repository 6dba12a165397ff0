// The program: read the command line, run the command, turn an error into a message and a status.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/service/internal_verb.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/error.h"

namespace sworn::cli {
namespace {

// A reader that went away (`sworn list | head`) is no failure of ours; another fault of standard
// output is.
int CheckOutput(Console& console, int status) {
  errno = 0;
  console.out.flush();
  if (console.out.good()) return status;
  if (errno == EPIPE) return 128 + SIGPIPE;
  PrintError(console, Error(ErrorCode::kInternal, "cannot write to standard output"));
  return ExitCode(ErrorCode::kInternal);
}

int Run(const std::vector<std::string>& words) {
  const Environment environment = CurrentEnvironment();
  Console console = StandardConsole(environment.contains("NO_COLOR"));
  console.json = WantsJson(words);
  std::optional<Error> error;
  try {
    const Arguments arguments = ParseArguments(words);
    console.json = arguments.global.json;
    console.quiet = arguments.global.quiet;
    console.verbose = arguments.global.verbose;
    if (const auto* print = std::get_if<PrintCommand>(&arguments.command)) {
      console.out << print->text;
      return CheckOutput(console, kExitSuccess);
    }
    const service::Config config = LoadSettings(arguments.global, environment);
    const SystemClock clock;
    CancelFlag cancel;
    Session session{
        .config = config, .console = console, .in = std::cin, .clock = clock, .cancel = cancel};
    return CheckOutput(console, RunCommand(arguments.command, session));
  } catch (const Error& failure) {
    error = failure;
  } catch (const std::bad_alloc&) {
    error = Error(ErrorCode::kInternal, "out of memory");
  } catch (const std::exception& failure) {
    error = Error(ErrorCode::kInternal, std::string("internal error: ") + failure.what());
  }
  console.out.flush();
  PrintError(console, *error);
  return ExitCode(error->code());
}

}  // namespace
}  // namespace sworn::cli

int main(int argc, char** argv) {
  if (const auto status = sworn::service::MaybeRunInternalVerb(argc, argv)) return *status;
  // A closed pipe ends the process in silence, also where the parent ignores the signal.
  std::signal(SIGPIPE, SIG_DFL);
  std::ios::sync_with_stdio(false);
  return sworn::cli::Run(std::vector<std::string>(argv + 1, argv + argc));
}
