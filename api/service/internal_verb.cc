#include "api/service/internal_verb.h"

#include <string_view>

#include "indexer/extract/worker.h"

namespace sworn::service {

std::optional<int> MaybeRunInternalVerb(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != indexer::kExtractWorkerVerb) return std::nullopt;
  return indexer::RunExtractWorker(indexer::kWorkerSocket);
}

}  // namespace sworn::service
