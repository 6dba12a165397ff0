#include "cli/signals.h"

#include <atomic>
#include <csignal>

namespace sworn::cli {
namespace {

// What a signal handler can reach is global by nature.
std::atomic<CancelFlag*> target{nullptr};
std::atomic<int> received{0};
static_assert(std::atomic<CancelFlag*>::is_always_lock_free);

extern "C" void HandleSignal(int number) {
  received.store(number, std::memory_order_relaxed);
  if (CancelFlag* flag = target.load(std::memory_order_relaxed)) flag->Cancel();
}

void Install(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

CancelOnSignal::CancelOnSignal(CancelFlag& flag) {
  target.store(&flag, std::memory_order_relaxed);
  received.store(0, std::memory_order_relaxed);
  // One shot: the second signal meets the default action. The cast is glibc's own flag type.
  Install(HandleSignal, static_cast<int>(SA_RESETHAND));
}

CancelOnSignal::~CancelOnSignal() {
  Install(SIG_DFL, 0);
  target.store(nullptr, std::memory_order_relaxed);
}

int ReceivedSignal() noexcept { return received.load(std::memory_order_relaxed); }

}  // namespace sworn::cli
