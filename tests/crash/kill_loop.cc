// Kills the real program again and again, at random instants of indexing and asking and right after
// each durable system call, and checks what is left:
//
//   - every document that was acknowledged before is still there, unless its file changed meanwhile
//   - the published generation is at least the last one that the program reported
//   - fsck is clean, the log verifies, and the first command after the kill answers within 5 s
//   - a complete run brings the collection to exactly what the folder holds
//   - at the end every INTENT of the log has exactly one OUTCOME
//
// Fails too if, of at least 100 kills of an index job, fewer than 20 % left a pending generation:
// then the instants missed what they are meant to hit.
//
//   kill_loop --sworn PROGRAM --preload KILL_AFTER_SO [--kills N] [--seed S]
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/crypto.h"
#include "core/sqlite.h"
#include "tests/crash/process.h"
#include "tests/support/temp_folder.h"

namespace sworn::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::microseconds;

constexpr double kReadySeconds = 5;
constexpr double kMinPendingShare = 0.2;
constexpr std::size_t kKillsForAShare = 100;
constexpr std::size_t kStepsPerFullRun = 10;
constexpr std::size_t kChangesPerRun = 80;  // a run is then long enough to be hit in all its phases

struct Options {
  std::string sworn;
  std::string preload;
  std::size_t kills = 30;
  std::uint64_t seed = 1;
};

void Require(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error(what);
}

// What all knowledge bases of one call went through together.
struct Totals {
  std::size_t runs = 0;
  std::size_t killed = 0;
  std::size_t index_kills = 0;
  std::size_t pending = 0;      // index kills that left a pending generation
  std::size_t index_calls = 0;  // durable calls of one index run that were each the last
  std::size_t ask_calls = 0;
  std::size_t next_index_call = 0;  // goes on from one knowledge base to the next
  std::size_t next_ask_call = 0;
  double slowest_ready_seconds = 0;
};

// One knowledge base and its folder. Checking costs the more the more it has been through, so a
// call uses several.
class KillLoop {
 public:
  KillLoop(Options options, std::size_t runs, Totals& totals)
      : options_(std::move(options)), runs_(runs), random_(options_.seed), totals_(totals) {
    documents_ = fs::canonical(scratch_.path()) / "documents";
    fs::create_directories(documents_);
    std::ofstream(scratch_.path() / "config.json") << R"({"publish_seconds": 1, "workers": 2})";
  }

  void Run() {
    Mutate(kChangesPerRun);
    FullRun();
    for (std::size_t i = 0; i < runs_; ++i) {
      Step(i);
      if ((i + 1) % kStepsPerFullRun == 0) FullRun();
    }
    FullRun();
    CheckLogAtTheEnd();
    totals_.runs += runs_;
  }

 private:
  enum class Kind { kIndexInstant, kIndexStep, kAskInstant, kAskStep };

  void Step(std::size_t i) {
    // Three of five kills fall on indexing at a random instant, one after a durable call of it, one
    // on asking.
    const std::size_t turn = i % 10;
    const Kind kind = turn < 6   ? Kind::kIndexInstant
                      : turn < 8 ? Kind::kIndexStep
                      : turn < 9 ? Kind::kAskInstant
                                 : Kind::kAskStep;
    const bool indexing = kind == Kind::kIndexInstant || kind == Kind::kIndexStep;
    if (indexing) Mutate(kChangesPerRun);
    Command command = indexing ? Sworn({"index", documents_.native()})
                               : Sworn({"ask", "What does " + AnyToken() + " say?"});
    Aim(kind, command);
    const Finished finished = RunProcess(command);
    const bool killed = finished.exit_status == -1;
    totals_.killed += killed ? 1 : 0;
    if (indexing && killed) {
      ++totals_.index_kills;
      totals_.pending += HasPendingGeneration() ? 1 : 0;
    }
    if (!killed && finished.exit_status == 0) Learn(kind, finished);
    Check(LastGeneration(finished.err));
  }

  void Aim(Kind kind, Command& command) {
    const bool by_step = kind == Kind::kIndexStep || kind == Kind::kAskStep;
    const bool indexing = kind == Kind::kIndexInstant || kind == Kind::kIndexStep;
    if (by_step) {
      std::size_t& next = indexing ? totals_.next_index_call : totals_.next_ask_call;
      ++next;
      std::size_t& most = indexing ? totals_.index_calls : totals_.ask_calls;
      most = std::max(most, next);
      command.environment.push_back("LD_PRELOAD=" + options_.preload);
      command.environment.push_back("SWORN_KILL_AFTER=" + std::to_string(next));
      return;
    }
    const double span = indexing ? index_seconds_ : ask_seconds_;
    command.kill_at = microseconds(
        static_cast<std::int64_t>(std::uniform_real_distribution<double>(0, span)(random_) * 1e6));
  }

  // A run that came through tells how long one takes, and that all durable calls were hit once.
  void Learn(Kind kind, const Finished& finished) {
    switch (kind) {
      case Kind::kIndexInstant:
        index_seconds_ = finished.seconds;
        break;
      case Kind::kAskInstant:
        ask_seconds_ = finished.seconds;
        break;
      case Kind::kIndexStep:

        totals_.next_index_call = 0;
        break;
      case Kind::kAskStep:

        totals_.next_ask_call = 0;
        break;
    }
  }

  // New, changed and deleted files; each text has one word that no other has.
  void Mutate(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t dice = random_() % 10;
      if (dice < 3 && tokens_.size() > 60) {
        const std::string name = AnyName();
        fs::remove(documents_ / name);
        tokens_.erase(name);
      } else {
        const bool change = dice < 7 && !tokens_.empty();
        Write(change ? AnyName() : "f" + std::to_string(next_file_++) + ".txt");
      }
    }
  }

  void Write(const std::string& name) {
    constexpr std::size_t kSentences = 60;
    const std::string token = "token" + std::to_string(next_token_++) + "x";
    std::ostringstream out;
    out << "This page speaks of " << token << " and of nothing else.\n\n";
    for (std::size_t i = 0; i < kSentences; ++i) {
      out << "Sentence " << random_() % 100000 << " fills page " << random_() % 1000 << " of "
          << name << ".\n";
    }
    std::ofstream(documents_ / name) << out.str();
    versions_[name].push_back(ToHex(Sha256(out.str())));
    tokens_[name] = token;
  }

  std::string AnyName() {
    return std::next(tokens_.begin(), static_cast<std::ptrdiff_t>(random_() % tokens_.size()))
        ->first;
  }
  std::string AnyToken() { return tokens_.at(AnyName()); }

  Command Sworn(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = {options_.sworn,
                         "--kb",
                         (scratch_.path() / "kb").native(),
                         "--config",
                         (scratch_.path() / "config.json").native(),
                         "--json"};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    return command;
  }

  json Ask(const std::vector<std::string>& arguments) const {
    const Finished finished = RunProcess(Sworn(arguments));
    Require(finished.exit_status == 0, "'" + arguments[0] + "' failed with " +
                                           std::to_string(finished.exit_status) + ": " +
                                           finished.err + finished.out);
    return json::parse(finished.out);
  }

  void Check(std::uint64_t acknowledged_generation) {
    const Finished status = RunProcess(Sworn({"status"}));
    Require(status.exit_status == 0, "status failed: " + status.err);
    Require(status.seconds < kReadySeconds, "not ready within 5 s");
    totals_.slowest_ready_seconds = std::max(totals_.slowest_ready_seconds, status.seconds);
    const json reply = json::parse(status.out);
    for (const json& collection : reply["collections"]) {
      Require(collection["generation"] >= acknowledged_generation, "a reported generation is gone");
    }
    const auto current = Listed();
    for (const auto& [path, digest] : acknowledged_) {
      const auto found = current.find(path);
      if (found == current.end()) {
        Require(!fs::exists(documents_ / path), "acknowledged document '" + path + "' is gone");
      } else {
        Require(VersionOf(path, found->second) >= VersionOf(path, digest),
                "'" + path + "' fell back to an older version");
      }
    }
    acknowledged_ = current;
    Require(Ask({"fsck"})["faults"].empty(), "fsck found faults");
    Require(Ask({"audit", "verify"})["ok"].get<bool>(), "the log does not verify");
  }

  // Which of the texts that a file ever had has this digest.
  [[nodiscard]] std::ptrdiff_t VersionOf(const std::string& name, const std::string& digest) const {
    const std::vector<std::string>& versions = versions_.at(name);
    const auto found = std::find(versions.begin(), versions.end(), digest);
    Require(found != versions.end(), "'" + name + "' has a text that was never written");
    return found - versions.begin();
  }

  std::map<std::string, std::string> Listed() const {
    std::map<std::string, std::string> listed;
    const json reply = Ask({"list"});
    for (const json& document : reply["data"]) {
      if (document["state"] != "current") continue;
      const fs::path path = document["path"].get<std::string>();
      listed[path.filename().native()] = document["document_sha256"].get<std::string>();
    }
    return listed;
  }

  void FullRun() {
    const Finished finished =
        RunProcess(Sworn({"index", "--allow-mass-remove", documents_.native()}));
    Require(finished.exit_status == 0, "a complete run failed: " + finished.err);
    const auto listed = Listed();
    Require(listed.size() == tokens_.size(), "the collection has " + std::to_string(listed.size()) +
                                                 " documents, the folder " +
                                                 std::to_string(tokens_.size()));
    for (const auto& [name, token] : tokens_) {
      const auto found = listed.find(name);
      Require(found != listed.end() &&
                  found->second == ToHex(Sha256OfFile((documents_ / name).native())),
              "'" + name + "' is not indexed as it is");
    }
    const std::string name = AnyName();
    const json hits = Ask({"search", tokens_.at(name)})["hits"];
    Require(!hits.empty() && hits[0]["path"] == (documents_ / name).native(),
            "'" + name + "' is not found by its word");
    acknowledged_ = listed;
  }

  static std::uint64_t LastGeneration(const std::string& progress) {
    std::uint64_t last = 0;
    std::size_t at = 0;
    for (std::size_t end = progress.find('\n'); end != std::string::npos;
         at = end + 1, end = progress.find('\n', at)) {
      const json line = json::parse(progress.substr(at, end - at), nullptr, false);
      if (line.is_object() && line.contains("generation")) {
        last = std::max(last, line["generation"].get<std::uint64_t>());
      }
    }
    return last;
  }

  bool HasPendingGeneration() const {
    const fs::path catalog_path = scratch_.path() / "kb" / "catalog.db";
    if (!fs::exists(catalog_path)) return false;
    SqliteConnection catalog(catalog_path, SqliteConnection::Mode::kReadOnly);
    SqliteStatement query = catalog.Prepare(
        "SELECT count(*) FROM entry JOIN collection ON collection.id = entry.collection "
        "WHERE entry.added_generation > collection.published");
    return query.Step() && query.Int(0) > 0;
  }

  void CheckLogAtTheEnd() const {
    std::map<std::uint64_t, int> outcomes;
    std::set<std::uint64_t> intents;
    const json reply = Ask({"audit", "list", "-n", "0"});
    for (const json& entry : reply["data"]) {
      if (entry["type"] == "intent") intents.insert(entry["index"].get<std::uint64_t>());
      if (entry["type"] == "outcome") ++outcomes[entry["intent"].get<std::uint64_t>()];
    }
    Require(!intents.empty(), "no question was logged");
    for (const std::uint64_t intent : intents) {
      Require(outcomes[intent] == 1, "INTENT " + std::to_string(intent) + " has " +
                                         std::to_string(outcomes[intent]) + " outcomes");
    }
  }

  Options options_;
  std::size_t runs_;
  std::mt19937_64 random_;
  Totals& totals_;
  TempFolder scratch_;
  fs::path documents_;
  std::map<std::string, std::string> tokens_;                 // file name to its word
  std::map<std::string, std::string> acknowledged_;           // file name to digest, as last listed
  std::map<std::string, std::vector<std::string>> versions_;  // file name to the digests it had
  std::size_t next_file_ = 0;
  std::size_t next_token_ = 0;
  double index_seconds_ = 0.3;
  double ask_seconds_ = 0.1;
};

void Report(const Totals& totals) {
  const double share = totals.index_kills == 0 ? 0
                                               : static_cast<double>(totals.pending) /
                                                     static_cast<double>(totals.index_kills);
  std::printf(
      "%zu runs, %zu killed, %zu of %zu killed index jobs left a pending generation (%.0f %%), "
      "each of the first %zu durable calls of indexing and %zu of asking was the last, "
      "slowest first command %.2f s\n",
      totals.runs, totals.killed, totals.pending, totals.index_kills, share * 100,
      totals.index_calls, totals.ask_calls, totals.slowest_ready_seconds);
  // Of a few kills the share says nothing.
  Require(totals.index_kills < kKillsForAShare || share >= kMinPendingShare,
          "too few kills hit a pending generation");
}

// Several knowledge bases of at most kRunsPerBase runs each, until enough processes were killed:
// some end before their instant comes.
void RunAll(Options options) {
  constexpr std::size_t kRunsPerBase = 50;
  Totals totals;
  while (totals.killed < options.kills) {
    KillLoop(options, std::min(kRunsPerBase, options.kills - totals.killed), totals).Run();
    std::fprintf(stderr, "%zu kills\n", totals.killed);
    ++options.seed;
  }
  Report(totals);
}

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--sworn") {
      options.sworn = argv[i + 1];
    } else if (name == "--preload") {
      options.preload = argv[i + 1];
    } else if (name == "--kills") {
      options.kills = std::stoul(argv[i + 1]);
    } else if (name == "--seed") {
      options.seed = std::stoull(argv[i + 1]);
    } else {
      throw std::runtime_error("unknown option " + name);
    }
  }
  Require(!options.sworn.empty() && !options.preload.empty(), "--sworn and --preload are needed");
  return options;
}

}  // namespace
}  // namespace sworn::test

int main(int argc, char** argv) {
  try {
    const sworn::test::Options options = sworn::test::Parse(argc, argv);
    std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(options.seed));
    sworn::test::RunAll(options);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "kill_loop: " << error.what() << "\n";
    return 1;
  }
}
