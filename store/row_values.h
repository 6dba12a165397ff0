// How values become columns of the catalog. Internal to store/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/crypto.h"

namespace sworn::store {

/// SQLite knows signed integers only.
inline std::int64_t Signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

inline std::string_view AsBytes(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Metadata may hold bytes that are no UTF-8; they become U+FFFD rather than an exception.
inline std::string ToJson(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace sworn::store
