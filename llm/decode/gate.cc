#include "llm/decode/gate.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"

namespace sworn::llm {
namespace {

// How often a waiting caller looks at its flag, which a signal handler may have set.
constexpr std::chrono::milliseconds kPoll{50};

}  // namespace

void Gate::Enter(const CancelFlag& cancel) {
  std::unique_lock lock(mutex_);
  const bool free = now_inside_ < inside_ && queue_.empty();
  if (!free && queue_.size() >= waiting_) {
    throw Error(ErrorCode::kBusy, "too many answers are being written; try again later");
  }
  const std::uint64_t ticket = next_ticket_++;
  queue_.push_back(ticket);
  while (queue_.front() != ticket || now_inside_ >= inside_) {
    if (cancel.cancelled()) {
      queue_.erase(std::find(queue_.begin(), queue_.end(), ticket));
      turn_.notify_all();
      throw Error(ErrorCode::kCancelled, "cancelled");
    }
    turn_.wait_for(lock, kPoll);
  }
  queue_.pop_front();
  ++now_inside_;
  turn_.notify_all();  // there may be room for the next one too
}

void Gate::Leave() {
  const std::lock_guard lock(mutex_);
  --now_inside_;
  turn_.notify_all();
}

}  // namespace sworn::llm
