// The canonical form of JSON (RFC 8785, "JCS"), over which digests of JSON are taken.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace sworn {

/// Nesting that CanonicalJson accepts.
inline constexpr int kMaxCanonicalDepth = 100;

/// The RFC 8785 form: no white space, members ordered by the UTF-16 code units of their names,
/// numbers as ECMAScript prints them. Throws Error(kInvalidArgument) for what has no such form: NaN
/// and infinities, integers beyond 2^53 (they would be rounded), invalid UTF-8, binary values and
/// nesting beyond kMaxCanonicalDepth. Thread-safe.
std::string CanonicalJson(const nlohmann::json& value);

/// `number` as ECMAScript's Number::toString prints it: "1e+21", "0.000001", "0" for minus zero.
std::string EcmaScriptNumber(double number);

}  // namespace sworn
