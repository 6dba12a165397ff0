// Reading of the line-based texts of the log: checkpoints and receipts. Internal to audit/.
#pragma once

#include <string>
#include <string_view>

namespace sworn::audit {

/// What the text is called in messages and what is left of it. Every fault throws
/// Error(kIntegrity) as "<subject>: <why>".
class TextLines {
 public:
  TextLines(std::string_view subject, std::string_view text) : subject_(subject), rest_(text) {}

  /// Cuts the first line off; its newline must be there.
  std::string_view Take();
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

  /// The bytes that a base64 text stands for.
  [[nodiscard]] std::string Decode(std::string_view base64) const;

  [[noreturn]] void Bad(const std::string& why) const;

 private:
  std::string_view subject_;
  std::string_view rest_;
};

}  // namespace sworn::audit
