// From records to entries. Internal to audit/.
#pragma once

#include <cstdint>
#include <string>

#include "audit/audit_payload.h"
#include "audit/audit_records.h"
#include "core/clock.h"

namespace sworn::audit {

/// An entry without its times, and the payload that it commits to.
struct Draft {
  AuditEntry entry;
  Payload payload;
};

Draft DraftIntent(const Actor& actor, const IntentRecord& record);
Draft DraftOutcome(const Actor& actor, std::uint64_t intent, const OutcomeRecord& record);
Draft DraftEvent(const Actor& actor, const EventRecord& record);

struct EntryTimes {
  std::int64_t utc_ms = 0;
  std::int64_t monotonic_ns = 0;
  std::string boot_id;  // 16 bytes
};

/// 16 random bytes that the kernel drew at boot; zeros where it does not tell.
std::string CurrentBootId();

EntryTimes TimesOf(const AuditEntry& entry);
void SetTimes(const EntryTimes& times, AuditEntry& entry);

/// Where `now` should stand, judged by the entry before it and the monotonic clock.
std::int64_t ExpectedUtcMs(const EntryTimes& before, const EntryTimes& now);
/// The wall clock was set (or the machine slept) between the two: a CLOCK_STEP entry must tell.
/// Slewing by NTP stays below the tolerance.
bool IsClockStep(const EntryTimes& before, const EntryTimes& now);

}  // namespace sworn::audit
