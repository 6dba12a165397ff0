// How far long work has come, on standard error.
#pragma once

#include <cstdint>
#include <string>

#include "api/service/requests.h"
#include "cli/output.h"
#include "core/clock.h"

namespace sworn::cli {

/// On a terminal a bar that rewrites its line; with --json one object a line; with -v a line for
/// every file; else (or with -q) nothing. Bars come at most every 100 ms, objects every 500 ms, but
/// a new phase and a phase's first end always show. One thread at a time.
class ProgressPrinter {
 public:
  ProgressPrinter(Console& console, const Clock& clock) : console_(console), clock_(clock) {}
  ~ProgressPrinter() { Clear(); }
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  void Show(const service::IndexProgress& progress);

  /// Takes the bar away, so that other lines can be written.
  void Clear();

 private:
  [[nodiscard]] bool Due(const service::IndexProgress& progress, std::int64_t interval_ns);
  void DrawBar(const service::IndexProgress& progress);

  Console& console_;
  const Clock& clock_;
  std::string phase_;
  std::string last_path_;
  double phase_start_seconds_ = 0;
  std::int64_t last_shown_ns_ = 0;
  bool end_shown_ = false;
  bool bar_visible_ = false;
};

/// "indexing [####      ] 400/1,000  200/s  0:03 left"; `seconds` are those of this phase.
std::string ProgressBar(const service::IndexProgress& progress, double seconds, std::size_t width);

}  // namespace sworn::cli
