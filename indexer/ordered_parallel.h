// Work in several threads, results in order.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace sworn::indexer {

/// Calls produce(i) for i in [0, count) in `threads` threads and consume(i, result) in the caller's
/// thread, strictly in ascending order. At most `window` results wait. The first exception of
/// either side stops the work and is rethrown here.
template <typename Result>
void ForEachOrdered(std::size_t count, std::size_t threads, std::size_t window,
                    const std::function<Result(std::size_t)>& produce,
                    const std::function<void(std::size_t, Result)>& consume) {
  struct Shared {
    std::mutex mutex;  // guards everything below
    std::condition_variable room;
    std::condition_variable ready;
    std::map<std::size_t, Result> results;
    std::size_t next_input = 0;
    std::size_t next_output = 0;
    std::exception_ptr failure;
    bool stop = false;
  } shared;

  const auto work = [&] {
    std::unique_lock lock(shared.mutex);
    for (;;) {
      shared.room.wait(lock, [&] {
        return shared.stop || shared.next_input >= count ||
               shared.next_input < shared.next_output + window;
      });
      if (shared.stop || shared.next_input >= count) return;
      const std::size_t index = shared.next_input++;
      lock.unlock();
      try {
        Result result = produce(index);
        lock.lock();
        shared.results.emplace(index, std::move(result));
      } catch (...) {
        if (!lock.owns_lock()) lock.lock();
        if (shared.failure == nullptr) shared.failure = std::current_exception();
        shared.stop = true;
        shared.room.notify_all();
      }
      shared.ready.notify_one();
    }
  };

  std::vector<std::jthread> pool;
  const auto finish = [&] {
    {
      const std::lock_guard lock(shared.mutex);
      shared.stop = true;
    }
    shared.room.notify_all();
    pool.clear();
  };
  try {
    for (std::size_t i = 0; i < threads; ++i) pool.emplace_back(work);
    for (std::size_t i = 0; i < count; ++i) {
      std::unique_lock lock(shared.mutex);
      shared.ready.wait(lock, [&] { return shared.failure || shared.results.contains(i); });
      if (shared.failure) std::rethrow_exception(shared.failure);
      Result result = std::move(shared.results.extract(i).mapped());
      shared.next_output = i + 1;
      lock.unlock();
      shared.room.notify_all();
      consume(i, std::move(result));
    }
  } catch (...) {
    finish();
    throw;
  }
  finish();
}

}  // namespace sworn::indexer
