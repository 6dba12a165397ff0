// A fixed team of threads for short parallel steps: they spin between steps of one piece of work
// and sleep between pieces, so that a step costs less than a microsecond to start.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace sworn::llm {

/// One caller at a time; a second thread that calls Run waits for the first.
class ThreadTeam {
 public:
  /// The calling thread is one of `threads`; 1 starts none. 1 to 256.
  explicit ThreadTeam(std::size_t threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  [[nodiscard]] std::size_t size() const noexcept;

  /// Calls work(index, thread) once for every index below `count`, in any order, on the members of
  /// the team (thread: 0 to size() - 1); returns when all are done. `work` must not throw.
  void For(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Cores that this process may run on.
std::size_t AvailableCores() noexcept;

}  // namespace sworn::llm
