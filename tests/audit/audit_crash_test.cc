// Failures and deaths in the middle of appending. Whatever happens, the log verifies afterwards,
// what was acknowledged is there, and every INTENT gets exactly one OUTCOME.
#include <csignal>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/audit_reader.h"
#include "audit/audit_store.h"
#include "audit/audit_verify.h"
#include "core/error.h"
#include "tests/audit/fault_vfs.h"
#include "tests/audit/log_fixture.h"

namespace sworn::audit {
namespace {

using test::AnswerTo;
using test::ArmFault;
using test::FaultKind;
using test::LogFixture;
using test::Question;

// Opens the log again, as the next command would, and checks what must hold.
void ExpectSoundLog(LogFixture& fixture, const std::string& what) {
  { AuditLog log = fixture.Open(); }
  const VerifyReport report = VerifyLog(fixture.folder.path(), {});
  ASSERT_TRUE(report.ok) << what << ": " << report.reason;
  ASSERT_EQ(report.open_intents, 0U) << what;
  AuditReader reader(fixture.folder.path());
  std::set<std::uint64_t> ended;
  for (const auto& outcome : reader.List({0, EntryType::kOutcome, std::nullopt})) {
    ASSERT_TRUE(ended.insert(outcome.at("intent").get<std::uint64_t>()).second) << what;
  }
  std::set<std::uint64_t> intents;
  for (const auto& intent : reader.List({0, EntryType::kIntent, std::nullopt})) {
    intents.insert(intent.at("index").get<std::uint64_t>());
  }
  ASSERT_EQ(ended, intents) << what;
}

/// Fails the `at`-th durable step, before it happens or after.
class FailingSteps : public FileOps {
 public:
  FailingSteps(int at, bool after, int error) : at_(at), after_(after), error_(error) {}

  void Write(int fd, std::string_view bytes, const std::filesystem::path& name) override {
    Step([&] { FileOps::Write(fd, bytes, name); });
  }
  void SyncFile(int fd, const std::filesystem::path& name) override {
    Step([&] { FileOps::SyncFile(fd, name); });
  }
  void Rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    Step([&] { FileOps::Rename(from, to); });
  }
  void SyncFolder(const std::filesystem::path& folder) override {
    Step([&] { FileOps::SyncFolder(folder); });
  }
  void BeforeStep(std::string_view /*step*/) override {
    if (++steps_ == at_ && !after_) Fail();
  }
  void AfterStep(std::string_view /*step*/) override {
    if (steps_ == at_ && after_) Fail();
  }
  [[nodiscard]] bool reached() const { return steps_ >= at_; }

 private:
  template <typename Call>
  void Step(const Call& call) {
    const bool now = ++steps_ == at_;
    if (now && !after_) Fail();
    call();
    if (now) Fail();
  }
  [[noreturn]] void Fail() const { throw SystemError(error_, "injected fault in", "test"); }

  int at_;
  bool after_;
  int error_;
  int steps_ = 0;
};

// A question and its answer; returns how many of the two were acknowledged.
int AskOnce(const LogFixture& fixture, FileOps& ops, ErrorCode* code) {
  int acknowledged = 0;
  try {
    AuditLog log(fixture.folder.path(), test::kTestKbId, {}, ops, fixture.clock);
    PendingIntent intent = log.BeginIntent(Question("q"));
    ++acknowledged;
    log.Finish(std::move(intent), AnswerTo("a"));
    ++acknowledged;
    log.Close();
  } catch (const Error& error) {
    *code = error.code();
  }
  return acknowledged;
}

TEST(AuditFaultTest, EveryFailedStepFailsClosedAndLeavesASoundLog) {
  int faults = 0;
  for (const bool on_new_log : {true, false}) {
    for (const bool after : {false, true}) {
      for (const int error : {EIO, ENOSPC, EROFS}) {
        for (int at = 1;; ++at) {
          LogFixture fixture;
          if (!on_new_log) fixture.Fill(1);
          FailingSteps ops(at, after, error);
          ErrorCode code = ErrorCode::kInternal;
          const int acknowledged = AskOnce(fixture, ops, &code);
          if (!ops.reached()) break;
          ++faults;
          const std::string what = "step " + std::to_string(at) + (after ? " after" : " before");
          ASSERT_EQ(code, ErrorCode::kAuditUnavailable) << what;
          ExpectSoundLog(fixture, what);
          const auto outcomes =
              AuditReader(fixture.folder.path()).List({0, EntryType::kOutcome, std::nullopt});
          const std::size_t before = on_new_log ? 0 : 1;
          ASSERT_GE(outcomes.size(), before + (acknowledged > 0 ? 1 : 0)) << what;
          if (acknowledged == 2) {
            ASSERT_EQ(outcomes.front().at("status"), "answered") << what;
          }
        }
      }
    }
  }
  EXPECT_GT(faults, 60);
}

TEST(AuditFaultTest, AfterAnIoErrorTheObjectStaysShutAndAfterAFullDiskItGoesOn) {
  for (const int error : {EIO, ENOSPC}) {
    LogFixture fixture;
    fixture.Fill(1);
    FailingSteps ops(1, false, error);
    AuditLog log(fixture.folder.path(), test::kTestKbId, {}, ops, fixture.clock);
    EXPECT_THROW(log.BeginIntent(Question("q")), Error);
    if (error == EIO) {
      EXPECT_THROW(log.BeginIntent(Question("q")), Error);
    } else {
      log.Finish(log.BeginIntent(Question("q")), AnswerTo("a"));
    }
  }
}

TEST(AuditFaultTest, EveryFailedWriteAndSyncOfSqliteLeavesASoundLog) {
  test::InstallFaultVfs();
  int faults = 0;
  for (const FaultKind kind :
       {FaultKind::kIoError, FaultKind::kDiskFull, FaultKind::kShortWrite, FaultKind::kLostSync}) {
    for (const bool on_new_log : {true, false}) {
      for (int at = 1;; ++at) {
        LogFixture fixture;
        if (!on_new_log) fixture.Fill(1);
        ErrorCode code = ErrorCode::kNotBuilt;
        FileOps ops;
        ArmFault(kind, at);
        const int acknowledged = AskOnce(fixture, ops, &code);
        const bool reached = test::FaultCalls() >= at;
        ArmFault(kind, 0);
        if (!reached) break;
        const std::string what =
            "kind " + std::to_string(static_cast<int>(kind)) + " call " + std::to_string(at);
        // Faults after the second acknowledgement hit SQLite's own checkpoint on close.
        if (acknowledged < 2 && !(kind == FaultKind::kLostSync && code == ErrorCode::kNotBuilt)) {
          ASSERT_EQ(code, ErrorCode::kAuditUnavailable) << what;
          ++faults;
        }
        ExpectSoundLog(fixture, what);
        const auto outcomes =
            AuditReader(fixture.folder.path()).List({0, EntryType::kOutcome, std::nullopt});
        if (acknowledged == 2) {
          ASSERT_EQ(outcomes.front().at("status"), "answered") << what;
        }
      }
    }
  }
  EXPECT_GT(faults, 60);
}

TEST(AuditFaultTest, AnUnwritableFolderIsAuditUnavailable) {
  LogFixture fixture;
  fixture.folder.Write("audit", "a file where the folder should be");
  ErrorCode code = ErrorCode::kInternal;
  FileOps ops;
  EXPECT_EQ(AskOnce(fixture, ops, &code), 0);
  EXPECT_EQ(code, ErrorCode::kAuditUnavailable);
}

// Runs `work` in a child process; returns its id.
template <typename Work>
pid_t Spawn(const Work& work) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    work();
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

int WaitFor(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(AuditCrashTest, EveryIntentHasOneOutcomeAfterKillsAtRandomInstants) {
  constexpr int kRounds = 40;
  constexpr int kFullRounds = 400;  // with SWORN_FULL_TESTS set
  const int rounds = std::getenv("SWORN_FULL_TESTS") == nullptr ? kRounds : kFullRounds;
  std::mt19937 random(5);
  LogFixture fixture;
  std::uint64_t crashed = 0;
  for (int round = 0; round < rounds; ++round) {
    const pid_t child = Spawn([&] {
      for (;;) {
        AuditLog log = fixture.Open();
        for (int i = 0; i < 3; ++i) {
          log.Finish(log.BeginIntent(Question("q")), AnswerTo("a"));
        }
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds(1000 + random() % 40000));
    ::kill(child, SIGKILL);
    WaitFor(child);
    // A child has its own copy of the clock: this one has to move on.
    fixture.clock.Advance(60'000);
    ExpectSoundLog(fixture, "round " + std::to_string(round));
  }
  AuditReader reader(fixture.folder.path());
  for (const auto& outcome : reader.List({0, EntryType::kOutcome, std::nullopt})) {
    if (outcome.at("status") == "crashed") ++crashed;
  }
  EXPECT_GT(reader.Size(), static_cast<std::uint64_t>(rounds));
  EXPECT_GT(crashed, 0U) << "no kill hit a question in flight";
}

TEST(AuditCrashTest, FourProcessesAppendAtOnce) {
  constexpr int kProcesses = 4;
  constexpr int kPairs = 15;
  LogFixture fixture;
  const SystemClock clock;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(Spawn([&] {
      FileOps ops;
      for (int pair = 0; pair < kPairs; ++pair) {
        AuditLog log(fixture.folder.path(), test::kTestKbId, {}, ops, clock);
        log.Finish(log.BeginIntent(Question("q")), AnswerTo("a"));
      }
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(WaitFor(child), 0);
  const VerifyReport report = VerifyLog(fixture.folder.path(), {});
  EXPECT_TRUE(report.ok) << report.reason;
  EXPECT_EQ(report.entries, 1U + 2 * kProcesses * kPairs);
  AuditReader reader(fixture.folder.path());
  for (const auto& outcome : reader.List({0, EntryType::kOutcome, std::nullopt})) {
    EXPECT_EQ(outcome.at("status"), "answered");
  }
}

}  // namespace
}  // namespace sworn::audit
