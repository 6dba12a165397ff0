#include "audit/signature_batch.h"

#include <algorithm>
#include <future>
#include <span>
#include <thread>

#include "core/error.h"

namespace sworn::audit {
namespace {

constexpr std::size_t kBatch = 2048;
constexpr unsigned kMaxThreads = 8;

using Fault = SignatureBatch::Fault;

std::optional<Fault> FirstFault(std::span<const StoredCheckpoint> checkpoints,
                                const VerifierKey& key) {
  for (const StoredCheckpoint& checkpoint : checkpoints) {
    try {
      OpenCheckpoint(checkpoint.note, key);
    } catch (const Error& error) {
      return Fault{checkpoint.size, error.what()};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Fault> SignatureBatch::Add(StoredCheckpoint checkpoint) {
  waiting_.push_back(std::move(checkpoint));
  return waiting_.size() < kBatch ? std::nullopt : Flush();
}

std::optional<Fault> SignatureBatch::Flush() {
  const std::vector<StoredCheckpoint> batch = std::move(waiting_);
  waiting_.clear();
  const std::size_t threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMaxThreads);
  const std::size_t share = batch.size() / threads + 1;
  std::vector<std::future<std::optional<Fault>>> parts;
  for (std::size_t begin = share; begin < batch.size(); begin += share) {
    const std::span part(batch.data() + begin, std::min(share, batch.size() - begin));
    parts.push_back(std::async(std::launch::async, FirstFault, part, std::cref(key_)));
  }
  std::optional<Fault> first =
      FirstFault(std::span(batch.data(), std::min(share, batch.size())), key_);
  for (auto& part : parts) {
    std::optional<Fault> fault = part.get();
    if (!first) first = std::move(fault);
  }
  return first;
}

}  // namespace sworn::audit
