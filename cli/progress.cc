#include "cli/progress.h"

#include <algorithm>
#include <cmath>

#include "api/service/json.h"

namespace sworn::cli {
namespace {

constexpr std::int64_t kBarIntervalNs = 100'000'000;
constexpr std::int64_t kJsonIntervalNs = 500'000'000;
constexpr std::size_t kBarColumns = 24;

std::string Duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  const std::string rest = std::to_string(whole % 60);
  const std::string minutes = std::to_string(whole / 60 % 60);
  const std::string tail = (rest.size() < 2 ? "0" : "") + rest;
  if (whole < 3600) return minutes + ":" + tail;
  return std::to_string(whole / 3600) + ":" + (minutes.size() < 2 ? "0" : "") + minutes + ":" +
         tail;
}

}  // namespace

std::string ProgressBar(const service::IndexProgress& progress, double seconds, std::size_t width) {
  std::string line = progress.phase;
  if (progress.total == 0) {
    if (progress.done > 0) line += " " + WithThousands(progress.done);
    return line.substr(0, width);
  }
  const std::uint64_t done = std::min(progress.done, progress.total);
  const double share = static_cast<double>(done) / static_cast<double>(progress.total);
  const auto filled = static_cast<std::size_t>(share * kBarColumns);
  line += " [" + std::string(filled, '#') + std::string(kBarColumns - filled, ' ') + "] " +
          WithThousands(done) + "/" + WithThousands(progress.total);
  if (done > 0 && seconds > 0) {
    const double rate = static_cast<double>(done) / seconds;
    line += "  " + WithThousands(static_cast<std::uint64_t>(std::llround(rate))) + "/s  " +
            Duration(static_cast<double>(progress.total - done) / rate) + " left";
  }
  return line.substr(0, width);
}

bool ProgressPrinter::Due(const service::IndexProgress& progress, std::int64_t interval_ns) {
  const std::int64_t now = clock_.MonotonicNanos();
  const bool new_phase = progress.phase != phase_;
  const bool complete = progress.total > 0 && progress.done >= progress.total;
  if (new_phase) {
    phase_ = progress.phase;
    phase_start_seconds_ = progress.seconds;
    end_shown_ = false;
  }
  // Once: a phase that counts as it goes (total = done) would come to its end all the time.
  const bool end = complete && !end_shown_;
  if (!new_phase && !end && now - last_shown_ns_ < interval_ns) return false;
  if (complete) end_shown_ = true;
  last_shown_ns_ = now;
  return true;
}

void ProgressPrinter::Show(const service::IndexProgress& progress) {
  if (console_.quiet) return;
  if (console_.json) {
    if (Due(progress, kJsonIntervalNs)) {
      PrintJson(console_.err, service::ToJson(progress));
      console_.err.flush();
    }
    return;
  }
  if (console_.verbose && !progress.path.empty() && progress.path != last_path_) {
    Clear();
    console_.err << OneLine(progress.path) << '\n';
    last_path_ = progress.path;
  }
  if (console_.err_is_terminal && Due(progress, kBarIntervalNs)) DrawBar(progress);
}

void ProgressPrinter::DrawBar(const service::IndexProgress& progress) {
  const double seconds = progress.seconds - phase_start_seconds_;
  console_.err << "\r\x1b[K" << OneLine(ProgressBar(progress, seconds, console_.width - 1));
  console_.err.flush();
  bar_visible_ = true;
}

void ProgressPrinter::Clear() {
  if (!bar_visible_) return;
  console_.err << "\r\x1b[K";
  console_.err.flush();
  bar_visible_ = false;
}

}  // namespace sworn::cli
