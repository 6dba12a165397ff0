// A small log for the tests of audit/.
#pragma once

#include <string>

#include "audit/audit_log.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/file.h"
#include "tests/support/temp_folder.h"

namespace sworn::audit::test {

inline constexpr const char* kTestKbId = "k_test";

/// Both clocks move by `step_ms` with every look at the wall clock.
class SteppingClock : public Clock {
 public:
  explicit SteppingClock(std::int64_t step_ms = 10) : step_ms_(step_ms) {}
  [[nodiscard]] std::int64_t UtcMillis() const override {
    return start_ms_ + (now_ms_ += step_ms_);
  }
  [[nodiscard]] std::int64_t MonotonicNanos() const override { return now_ms_ * 1'000'000; }
  void Advance(std::int64_t by_ms) { now_ms_ += by_ms; }
  void SetBack(std::int64_t by_ms) { start_ms_ -= by_ms; }

 private:
  std::int64_t start_ms_ = 1'767'225'600'000;
  std::int64_t step_ms_;
  mutable std::int64_t now_ms_ = 0;
};

inline IntentRecord Question(const std::string& text) {
  IntentRecord record;
  record.operation = Operation::kAsk;
  record.collections = {{"c_aaaa", 0}};
  record.payload = {{"question", text}};
  return record;
}

inline OutcomeRecord AnswerTo(const std::string& text) {
  OutcomeRecord record;
  record.collections = {{"c_aaaa", 3}};
  record.passages.push_back(
      {"d_bbbb", 2, ToHex(Sha256("document")), 17, 100, 250, 1, 0.75, 12.5, 0.5});
  record.model_id = "extractive/1";
  record.generation = {
      "scalar", 7, "t=0.5", 256, 2, "sworn-prompt/1", ToHex(Sha256("prompt")), {{"text", text}}};
  record.citation_count = 1;
  record.total_us = 1500;
  record.answer = {{"answer", text}, {"status", "answered"}, {"timing_ms", {{"total", 1.5}}}};
  return record;
}

struct LogFixture {
  LogFixture() = default;

  AuditLog Open() { return {folder.path(), kTestKbId, Actor{"alice", "test", ""}, ops, clock}; }

  /// `pairs` questions with answers after the opening entry; one log object for all.
  void Fill(int pairs) {
    AuditLog log(folder.path(), kTestKbId, Actor{"alice", "test", ""}, ops, clock);
    for (int i = 0; i < pairs; ++i) {
      PendingIntent intent = log.BeginIntent(Question("question " + std::to_string(i)));
      log.Finish(std::move(intent), AnswerTo("answer " + std::to_string(i)));
    }
  }

  sworn::test::TempFolder folder;
  FileOps ops;
  SteppingClock clock;
};

}  // namespace sworn::audit::test
