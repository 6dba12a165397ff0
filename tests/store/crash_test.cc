// A job that fails or dies at any durable step: nothing acknowledged is lost, nothing is half
// visible, and the next job runs.
#include <csignal>
#include <functional>
#include <random>
#include <set>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "tests/store/store_fixture.h"

namespace sworn::store {
namespace {

using test::FaultFiles;
using ::testing::IsEmpty;

struct Crash : StoreTest {
  Crash() {
    store->CreateCollection("main");
    PutAndPublish("old", "old apples");
  }

  /// The operation under test; `committed` tells whether Commit returned.
  void Work(bool& committed, bool& published) {
    const auto job = Begin();
    job->Put(MakeVersion("new"), MakeContent("new pears", embedder));
    job->Put(MakeVersion("old"), MakeContent("changed plums", embedder));
    job->Commit();
    committed = true;
    job->Publish();
    published = true;
  }

  /// Old or new, never a mixture.
  void CheckWhole(bool must_be_new) {
    const bool is_new = !Search({"pears"}).empty();
    EXPECT_EQ(Search({"plums"}).size(), is_new ? 1U : 0U);
    EXPECT_EQ(Search({"apples"}).size(), is_new ? 0U : 1U);
    EXPECT_EQ(store->List({}).size(), is_new ? 2U : 1U);
    EXPECT_EQ(
        Open()
            ->SearchVectors(embedder.identity().Digest(), embedder.EmbedQuery("x"), 9, nullptr)
            .size(),
        is_new ? 2U : 1U);
    if (must_be_new) {
      EXPECT_TRUE(is_new);
    }
    EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
  }
};

TEST_F(Crash, EveryDurableStepMayFailBeforeOrAfterItHappened) {
  int tried = 0;
  for (const auto when : {FaultFiles::When::kBefore, FaultFiles::When::kAfter}) {
    for (int step = 1;; ++step) {
      test::TempFolder fresh;
      store = KnowledgeStore::Open(fresh.path() / "kb", {files, clock});
      store->CreateCollection("main");
      PutAndPublish("old", "old apples");
      files.FailAt(step, when, step % 2 == 0 ? ENOSPC : EIO);
      bool committed = false;
      bool published = false;
      try {
        Work(committed, published);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), step % 2 == 0 ? ErrorCode::kNoSpace : ErrorCode::kInternal) << step;
      }
      const bool reached = files.failed();
      files.FailAt(0, when);
      if (!reached) break;
      ++tried;
      SCOPED_TRACE(std::to_string(step) + (when == FaultFiles::When::kBefore ? " b" : " a"));
      store = KnowledgeStore::Open(fresh.path() / "kb", {files, clock});
      CheckWhole(published);
      Begin();  // publishes what was committed
      CheckWhole(committed);
      bool again = false;
      Work(again, published);
      CheckWhole(true);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(tried, 30);
}

/// As above with an embedder fitted to the collection, and a publication that fits it anew.
struct FittedCrash : StoreTest {
  static std::string Lines(int first, int count) {
    std::string text;
    for (int i = first; i < first + count; ++i) text += "plain" + std::to_string(i) + " common\n";
    return text;
  }

  FittedCrash() {
    store->CreateCollection("main");
    const auto job = BeginFitted();
    job->Put(MakeVersion("old"), MakePlainContent(Lines(0, 24)));
    job->Publish();
  }

  /// Works on a copy of the store as the constructor left it.
  void Prepare(const std::filesystem::path& root) {
    store.reset();
    std::filesystem::copy(folder.path() / "kb", root / "kb",
                          std::filesystem::copy_options::recursive);
    store = KnowledgeStore::Open(root / "kb", {files, clock, 1, &factory});
  }

  /// Throws what a step throws; a fit that fails is no failure of the job.
  void Work(bool& published) {
    const auto job = BeginFitted();
    job->Put(MakeVersion("new"), MakePlainContent(Lines(100, 24)));
    job->Publish();
    published = true;
  }

  std::size_t CountFitted(const Snapshot& snapshot) {
    std::vector<TermCount> row = {{TermKeyOf(EnglishTerm("common")), 1}};
    TermRows query;
    query.Add(std::move(row));
    return snapshot.SearchFitted(query, {}, 999, nullptr).size();
  }

  void CheckWhole(bool must_be_new) {
    const auto snapshot = Open();
    EXPECT_EQ(snapshot->collections().at(0).vectors, VectorsKind::kFitted);
    const bool is_new = !Search({"plain110"}).empty();
    EXPECT_EQ(CountFitted(*snapshot), is_new ? 48U : 24U);
    if (must_be_new) {
      EXPECT_TRUE(is_new);
    }
    EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
  }
};

TEST_F(FittedCrash, EveryDurableStepOfAFitMayFailBeforeOrAfterItHappened) {
  int tried = 0;
  std::set<std::string> states;
  for (const auto when : {FaultFiles::When::kBefore, FaultFiles::When::kAfter}) {
    for (int step = 1;; ++step) {
      test::TempFolder fresh;
      Prepare(fresh.path());
      files.FailAt(step, when, step % 2 == 0 ? ENOSPC : EIO);
      bool published = false;
      try {
        Work(published);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), step % 2 == 0 ? ErrorCode::kNoSpace : ErrorCode::kInternal) << step;
      }
      const bool reached = files.failed();
      files.FailAt(0, when);
      if (!reached) break;
      ++tried;
      SCOPED_TRACE(std::to_string(step) + (when == FaultFiles::When::kBefore ? " b" : " a"));
      store = KnowledgeStore::Open(fresh.path() / "kb", {files, clock, 1, &factory});
      { const auto snapshot = Open(); }    // readers work before anybody recovers
      { const auto job = BeginFitted(); }  // publishes what was committed, and fits if it is due
      CheckWhole(published);
      if (!Search({"plain110"}).empty()) states.insert(Open()->collections().at(0).embedder_id);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(tried, 60);
  EXPECT_EQ(states.size(), 1U) << "whatever failed, the next job fits to all of it";
}

TEST_F(Crash, AFailedJobRefusesFurtherWork) {
  const auto job = Begin();
  job->Put(MakeVersion("new"), MakeContent("new pears", embedder));
  files.FailAt(1, FaultFiles::When::kBefore);
  EXPECT_THROW(job->Publish(), Error);
  EXPECT_THROW(job->Put(MakeVersion("new"), MakeContent("new pears", embedder)), Error);
  EXPECT_THROW(job->Publish(), Error);
}

TEST_F(Crash, AFailedMergeLeavesThePublishedGenerationInPlace) {
  const auto count_segments = [&] { return Open()->collections().at(0).segments; };
  while (count_segments() < 8) {
    PutAndPublish("n" + std::to_string(count_segments()),
                  "word" + std::to_string(count_segments()));
  }
  auto job = Begin();
  job->Put(MakeVersion("last"), MakeContent("final quinces", embedder));
  // A publication without a merge has fewer steps, so this one is the merge's.
  files.FailAt(30, FaultFiles::When::kBefore, ENOSPC);
  EXPECT_TRUE(job->Publish().changed);
  EXPECT_TRUE(files.failed());
  files.FailAt(0, FaultFiles::When::kBefore);
  EXPECT_EQ(Search({"quinces"}).size(), 1U);
  EXPECT_EQ(count_segments(), 9U);
  job->Put(MakeVersion("more"), MakeContent("more medlars", embedder));
  job->Publish();
  EXPECT_LE(count_segments(), 8U);
  EXPECT_EQ(Search({"quinces"}).size(), 1U);
  EXPECT_EQ(Search({"apples"}).size(), 1U);
}

/// In the child: runs `work` with no file allowed to grow beyond `limit` bytes. 0: it succeeded, 1:
/// it failed with an Error, anything else is a crash.
int RunWithFileLimit(rlim_t limit, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit bound{limit, limit};
    if (::setrlimit(RLIMIT_FSIZE, &bound) != 0) ::_exit(3);
    try {
      work();
    } catch (const Error&) {
      ::_exit(1);
    } catch (...) {
      ::_exit(2);
    }
    ::_exit(0);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 4;
  return WEXITSTATUS(status);
}

TEST_F(Crash, AFullDiskAnywhereFailsCleanlyAndTheOldGenerationKeepsServing) {
  std::set<int> outcomes;
  store.reset();
  for (rlim_t limit = 0; limit < 400000; limit = limit * 3 / 2 + 3000) {
    const int outcome = RunWithFileLimit(limit, [&] {
      Reopen();
      bool committed = false;
      bool published = false;
      Work(committed, published);
    });
    EXPECT_THAT(outcome, ::testing::AnyOf(0, 1)) << limit;
    outcomes.insert(outcome);
    Reopen();
    CheckWhole(outcome == 0);
    store.reset();
    if (outcome == 0) break;
  }
  EXPECT_EQ(outcomes, (std::set<int>{0, 1}));
}

/// In the child: indexes document after document, and writes a byte to `pipe` for each one whose
/// commit returned.
[[noreturn]] void IndexUntilKilled(const std::filesystem::path& folder, int first, int pipe) {
  FileOps plain;
  const SystemClock clock;
  const LetterEmbedder embedder;
  const auto store = KnowledgeStore::Open(folder, {plain, clock});
  const auto job = store->BeginJob("main", &embedder);
  for (int i = first;; ++i) {
    const std::string n = std::to_string(i);
    job->Put(MakeVersion("doc" + n), MakeContent("lasting number" + n, embedder));
    job->Commit();
    if (::write(pipe, "x", 1) != 1) ::_exit(1);
    if (i % 3 == 0) job->Publish();
  }
}

TEST_F(Crash, KilledAtAnyInstantNothingAcknowledgedIsLost) {
  std::mt19937 random(3);
  int acknowledged = 0;
  store.reset();
  const int rounds = 25;
  for (int round = 0; round < rounds; ++round) {
    int ends[2] = {};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const FileDescriptor read_end(ends[0]);
    FileDescriptor write_end(ends[1]);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) IndexUntilKilled(folder.path() / "kb", acknowledged + 1, ends[1]);
    write_end = FileDescriptor();
    char byte = 0;
    // Some commits, so that slow machines get somewhere, and a while, so that any step is hit.
    for (auto wanted = random() % 5; wanted > 0; --wanted) {
      ASSERT_EQ(::read(read_end.get(), &byte, 1), 1);
      ++acknowledged;
    }
    ::usleep(static_cast<useconds_t>(random() % 50000));
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    while (::read(read_end.get(), &byte, 1) == 1) ++acknowledged;
    Reopen();
    Open();  // readers work before anybody recovers
    Begin();
    const auto snapshot = Open();
    const auto hits = snapshot->SearchChunks(Words({"lasting"}), {}, 100000, nullptr);
    // The last document may have been committed without its byte.
    EXPECT_GE(hits.size(), static_cast<std::size_t>(acknowledged));
    EXPECT_LE(hits.size(), static_cast<std::size_t>(acknowledged) + 1);
    acknowledged = static_cast<int>(hits.size());
    EXPECT_THAT(store->Check(false, nullptr), IsEmpty());
    store.reset();
    if (HasFailure()) FAIL() << "in round " << round;
  }
  EXPECT_GT(acknowledged, rounds);
}

TEST_F(Crash, TheLockOfADeadProcessIsFree) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto job = Begin();
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_NO_THROW(Begin());
}

TEST_F(Crash, AnotherProcessesJobMakesOursBusyAndReadersGoOn) {
  int ready[2] = {};
  int done[2] = {};
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(done, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto job = Begin();
    char byte = 'x';
    if (::write(ready[1], &byte, 1) == 1) static_cast<void>(::read(done[0], &byte, 1));
    ::_exit(0);
  }
  char byte = 'x';
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  try {
    Begin();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBusy);
  }
  EXPECT_EQ(Search({"apples"}).size(), 1U);
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

}  // namespace
}  // namespace sworn::store
