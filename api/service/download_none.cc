// Stands in for download.cc in a build without any network code.
#include "api/service/download.h"
#include "core/error.h"

namespace sworn::service {

bool CanDownload() noexcept { return false; }

void Download(const DownloadRequest& /*request*/, FileOps& /*ops*/,
              const DownloadProgress& /*progress*/, const CancelFlag& /*cancel*/) {
  throw Error(ErrorCode::kNotBuilt,
              "this build has no network code (SWORN_WITH_PULL=OFF): fetch the file elsewhere and "
              "use `sworn model import`");
}

}  // namespace sworn::service
