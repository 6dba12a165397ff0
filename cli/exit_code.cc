#include "cli/exit_code.h"

namespace sworn::cli {
namespace {

constexpr std::string_view kRequest = "invalid_request_error";
constexpr std::string_view kPermission = "permission_error";
constexpr std::string_view kRate = "rate_limit_error";
constexpr std::string_view kServer = "server_error";

struct Face {
  int exit = 1;
  std::string_view type;
};

// The one table; docs/cli.md shows it. A switch, so that the compiler asks for a new code's row.
constexpr Face FaceOf(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kTooLarge:
    case ErrorCode::kUnsupportedMedia:
      return {2, kRequest};
    case ErrorCode::kNotConfigured:
      return {3, kServer};
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kDenied:
      return {4, kPermission};
    case ErrorCode::kUnreachable:
      return {5, kServer};
    case ErrorCode::kBusy:
      return {6, kRate};
    case ErrorCode::kTimeout:
      return {7, kServer};
    case ErrorCode::kAuditUnavailable:
    case ErrorCode::kIntegrity:
      return {kExitDamage, kServer};
    case ErrorCode::kNotBuilt:
      return {9, kServer};
    case ErrorCode::kNotFound:
    case ErrorCode::kConflict:
    case ErrorCode::kHeld:
      return {1, kRequest};
    case ErrorCode::kNoSpace:
    case ErrorCode::kInternal:
      return {1, kServer};
    case ErrorCode::kCancelled:
      return {kExitInterrupted, kRequest};
  }
  return {1, kServer};
}

}  // namespace

int ExitCode(ErrorCode code) noexcept { return FaceOf(code).exit; }

std::string_view ErrorType(ErrorCode code) noexcept { return FaceOf(code).type; }

}  // namespace sworn::cli
