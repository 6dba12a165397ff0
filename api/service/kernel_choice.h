// Which kernel table and how many threads a model runs with.
#pragma once

#include <cstddef>

#include "api/service/config.h"
#include "kernels/kernels.h"

namespace sworn::service {

/// The table that config.kernels names, or the best one that runs here if it names none. Throws
/// kInvalidArgument, naming the tables that can run, for one that is unknown or cannot run here.
const kernels::KernelTable& ChooseKernels(const Config& config);

/// config.threads, or one for each core that this process may use if that is 0; at most 256.
std::size_t ChooseThreads(const Config& config);

}  // namespace sworn::service
