// Ctrl-C and SIGTERM as a request to stop.
#pragma once

#include "core/cancel.h"

namespace sworn::cli {

/// While it lives, the first SIGINT or SIGTERM sets `flag`; the second one ends the process at
/// once, as if nobody had caught it. One object at a time; the flag outlives it.
class CancelOnSignal {
 public:
  explicit CancelOnSignal(CancelFlag& flag);
  ~CancelOnSignal();
  CancelOnSignal(const CancelOnSignal&) = delete;
  CancelOnSignal& operator=(const CancelOnSignal&) = delete;
};

/// The number of the signal that set a flag last; 0 if none did.
int ReceivedSignal() noexcept;

}  // namespace sworn::cli
