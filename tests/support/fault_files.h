// FileOps that counts durable steps and fails one of them.
#pragma once

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/file.h"

namespace sworn::test {

/// Every call is one step, numbered from 1 (BeforeStep and AfterStep of one step share a number).
/// The chosen one fails in one of two ways: nothing happened, or it happened and was reported
/// failed. Nothing is really made durable: no test cuts the power. Thread-safe.
class FaultFiles : public FileOps {
 public:
  enum class When { kBefore, kAfter };

  /// Step `number` from now on throws; 0: none.
  void FailAt(int number, When when, int errno_value = EIO) {
    count_ = 0;
    when_ = when;
    errno_ = errno_value;
    fail_at_ = number;
  }

  /// Steps since the last FailAt.
  [[nodiscard]] int count() const { return count_; }
  /// Whether the chosen step was reached.
  [[nodiscard]] bool failed() const { return failed_.exchange(false); }

  void Write(int fd, std::string_view bytes, const std::filesystem::path& name) override {
    Step("write", [&] { FileOps::Write(fd, bytes, name); });
  }
  void SyncFile(int /*fd*/, const std::filesystem::path& /*name*/) override {
    Step("fsync", [] {});
  }
  void Rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    Step("rename", [&] { FileOps::Rename(from, to); });
  }
  void SyncFolder(const std::filesystem::path& /*folder*/) override {
    Step("fsync folder", [] {});
  }
  void BeforeStep(std::string_view step) override {
    const int number = ++count_;
    if (number == fail_at_ && when_ == When::kBefore) Fail(step);
    open_step_ = number;
  }
  void AfterStep(std::string_view step) override {
    if (open_step_ == fail_at_ && when_ == When::kAfter) Fail(step);
  }

 private:
  template <typename Work>
  void Step(std::string_view what, Work&& work) {
    const int number = ++count_;
    if (number == fail_at_ && when_ == When::kBefore) Fail(what);
    work();
    if (number == fail_at_ && when_ == When::kAfter) Fail(what);
  }

  [[noreturn]] void Fail(std::string_view what) {
    failed_ = true;
    throw SystemError(errno_, what, "fault");
  }

  std::atomic<int> count_ = 0;
  std::atomic<int> fail_at_ = 0;
  std::atomic<int> open_step_ = 0;
  mutable std::atomic<bool> failed_ = false;
  std::atomic<When> when_ = When::kBefore;
  std::atomic<int> errno_ = EIO;
};

}  // namespace sworn::test
