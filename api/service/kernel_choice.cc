#include "api/service/kernel_choice.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "llm/graph/thread_team.h"

namespace sworn::service {

const kernels::KernelTable& ChooseKernels(const Config& config) {
  const kernels::KernelTable* const table = kernels::FindKernels(config.kernels);
  if (table != nullptr) return *table;
  const auto known = kernels::KnownKernelNames();
  const bool exists = std::find(known.begin(), known.end(), config.kernels) != known.end();
  std::string runnable;
  for (const kernels::KernelTable* candidate : kernels::RunnableKernels()) {
    runnable += (runnable.empty() ? "" : ", ") + std::string(candidate->name);
  }
  throw Error(ErrorCode::kInvalidArgument,
              "the kernels '" + config.kernels + "' " +
                  (exists ? "cannot run on this processor" : "do not exist") +
                  "; these can run: " + runnable);
}

std::size_t ChooseThreads(const Config& config) {
  constexpr std::size_t kMaxThreads = 256;
  const std::size_t threads = config.threads == 0 ? llm::AvailableCores() : config.threads;
  return std::min(threads, kMaxThreads);
}

}  // namespace sworn::service
