// Readers while generations come and go.
#include <atomic>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "tests/store/store_fixture.h"

namespace sworn::store {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr int kSwaps = 40;
#else
constexpr int kSwaps = 200;
#endif
constexpr int kReaders = 4;

struct Threads : StoreTest {
  Threads() { store->CreateCollection("main"); }
};

TEST_F(Threads, ReadersSeeWholeGenerationsThroughManySwaps) {
  // Generation n holds two documents that both say n: a reader must never see two numbers.
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  std::mutex mutex;  // guards failures
  std::vector<std::string> failures;
  std::vector<std::thread> readers;
  for (int r = 0; r < kReaders; ++r) {
    readers.emplace_back([&] {
      std::uint64_t newest = 0;
      try {
        while (!stop) {
          const auto snapshot = Open();
          const std::uint64_t generation = snapshot->collections().at(0).generation;
          std::vector<ChunkId> ids;
          for (const auto& hit : snapshot->SearchChunks(Words({"pair"}), {}, 10, nullptr)) {
            ids.push_back(hit.chunk_id);
          }
          const auto chunks = snapshot->LoadChunks(ids);
          const bool whole = generation == 0 ? chunks.empty()
                                             : chunks.size() == 2 && chunks[0].text.substr(6) ==
                                                                         chunks[1].text.substr(6);
          if (!whole || generation < newest) throw std::runtime_error("a mixed generation");
          newest = generation;
          ++reads;
        }
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        failures.emplace_back(error.what());
      }
    });
  }
  {
    const auto job = Begin();
    for (int n = 0; n < kSwaps; ++n) {
      const std::string number = std::to_string(n);
      job->Put(MakeVersion("a"), MakeContent("pair a" + number, embedder));
      job->Put(MakeVersion("b"), MakeContent("pair b" + number, embedder));
      job->Publish();
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_TRUE(failures.empty()) << failures.front();
  EXPECT_GT(reads, kReaders);
  EXPECT_GE(Open()->collections().at(0).generation, static_cast<std::uint64_t>(kSwaps));
}

TEST_F(Threads, OneSnapshotServesManyThreads) {
  PutAndPublish("a", "common apples\ncommon pears");
  const auto snapshot = Open();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int r = 0; r < kReaders; ++r) {
    readers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        if (snapshot->SearchChunks(Words({"common"}), {}, 10, nullptr).size() != 2) ++wrong;
        if (snapshot->LoadChunks(std::vector<ChunkId>{1, 2}).size() != 2) ++wrong;
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sworn::store
