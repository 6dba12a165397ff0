// Indexing speed and search latency of the whole program beside its peers, on the same text in the
// same run. Prints one line per measurement; docs/benchmarks.md holds the figures.
//
//   index_bench [--files N] [--bytes N] [--queries N] [--peers 0]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xapian.h>

#include "api/service/internal_verb.h"
#include "api/service/knowledge_base.h"
#include "core/error.h"
#include "core/file.h"
#include "tests/bench/corpus.h"
#include "tests/support/temp_folder.h"

namespace sworn::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxCorpusFile = 64 << 20;

struct Options {
  CorpusOptions corpus;
  std::size_t queries = 300;
  bool peers = true;  // run bare Xapian and Recoll too
};

class Timer {
 public:
  [[nodiscard]] double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void Print(const std::string& name, double value, const std::string& unit) {
  std::printf("%-52s %12.2f %s\n", name.c_str(), value, unit.c_str());
  std::fflush(stdout);
}

long PeakKilobytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Texts of the stored chunks, so that the peer indexes exactly what Sworn did.
std::vector<std::string> ChunkTexts(const fs::path& folder) {
  constexpr std::size_t kChunkBytes = 1000;
  std::vector<std::string> chunks;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    const std::string text = ReadFile(file, kMaxCorpusFile);
    for (std::size_t at = 0; at < text.size(); at += kChunkBytes) {
      chunks.push_back(text.substr(at, kChunkBytes));
    }
  }
  return chunks;
}

double BareXapianChunksPerSecond(const std::vector<std::string>& chunks, const fs::path& folder) {
  const Timer timer;
  Xapian::WritableDatabase database(folder.native(), Xapian::DB_CREATE_OR_OVERWRITE);
  Xapian::TermGenerator generator;
  generator.set_stemmer(Xapian::Stem("en"));
  for (const std::string& chunk : chunks) {
    Xapian::Document document;
    generator.set_document(document);
    generator.index_text(chunk);
    database.add_document(document);
  }
  database.commit();
  return static_cast<double>(chunks.size()) / timer.Seconds();
}

// Whole-process time of Recoll's indexer on the folder; negative if it is not installed.
double RecollSeconds(const fs::path& documents, const fs::path& config) {
  if (std::system("command -v recollindex >/dev/null 2>&1") != 0) return -1;
  fs::create_directories(config);
  std::ofstream(config / "recoll.conf") << "topdirs = " << documents.native() << "\n";
  const Timer timer;
  const std::string command = "recollindex -c '" + config.native() + "' >/dev/null 2>&1";
  return std::system(command.c_str()) == 0 ? timer.Seconds() : -1;
}

void PrintPercentiles(const std::string& name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  Print(name + ", p50", values[values.size() / 2], "ms");
  Print(name + ", p95", values[values.size() * 95 / 100], "ms");
}

void MeasureSearch(service::KnowledgeBase& kb, const Options& options, const std::string& name,
                   const std::function<std::string()>& next_question) {
  std::vector<double> millis;
  std::vector<double> retrieval_millis;
  for (std::size_t i = 0; i < options.queries; ++i) {
    service::SearchRequest request;
    request.text = next_question();
    const Timer timer;
    retrieval_millis.push_back(kb.Search(request).took_ms);
    millis.push_back(timer.Seconds() * 1000);
  }
  PrintPercentiles(name + ", retrieval alone", retrieval_millis);
  PrintPercentiles(name + ", with two durable log entries", millis);
}

void MeasurePeers(const fs::path& documents, const fs::path& scratch,
                  const service::IndexReport& first) {
  const double sworn = static_cast<double>(first.chunks) / first.seconds;
  const std::vector<std::string> chunks = ChunkTexts(documents);
  const double bare = BareXapianChunksPerSecond(chunks, scratch / "bare");
  Print("bare Xapian (TermGenerator, one thread)", bare, "chunks/s");
  Print("sworn / bare Xapian", 100 * sworn / bare, "%");
  const double recoll = RecollSeconds(documents, scratch / "recoll");
  if (recoll > 0) {
    Print("recollindex on the same folder", recoll, "s");
    Print("sworn index / recollindex", 100 * first.seconds / recoll, "%");
  } else {
    std::puts("recollindex: not installed (scripts/setup.sh --bench)");
  }
}

void Run(const Options& options) {
  const test::TempFolder scratch;
  const fs::path documents = scratch.path() / "documents";
  CorpusWriter(options.corpus).WriteTo(documents);

  service::Config config;
  config.kb = scratch.path() / "kb";
  const auto kb = service::KnowledgeBase::Open(config, true);
  service::IndexRequest request;
  request.paths = {documents};
  const CancelFlag cancel;
  const auto silent = [](const service::IndexProgress&) {};
  const service::IndexReport first = kb->Index(request, silent, cancel);
  Print("files", static_cast<double>(first.added), "");
  Print("chunks", static_cast<double>(first.chunks), "");
  Print("sworn index, end to end", static_cast<double>(first.chunks) / first.seconds, "chunks/s");
  Print("sworn index, end to end", first.seconds, "s");
  Print("sworn index again, nothing changed", kb->Index(request, silent, cancel).seconds, "s");

  if (options.peers) MeasurePeers(documents, scratch.path(), first);
  CorpusOptions other = options.corpus;
  other.seed += 1;
  CorpusWriter questions(other);
  MeasureSearch(*kb, options, "6-word search", [&] { return questions.Question(); });
  MeasureSearch(*kb, options, "sentence search", [&] { return questions.Sentence(); });
  Print("peak resident memory of this process", static_cast<double>(PeakKilobytes()) / 1024, "MiB");
}

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::size_t value = std::stoull(argv[i + 1]);
    if (name == "--files") {
      options.corpus.files = value;
    } else if (name == "--bytes") {
      options.corpus.bytes_per_file = value;
    } else if (name == "--queries") {
      options.queries = value;
    } else if (name == "--peers") {
      options.peers = value != 0;
    } else {
      throw Error(ErrorCode::kInvalidArgument, "unknown option " + name);
    }
  }
  return options;
}

}  // namespace
}  // namespace sworn::bench

int main(int argc, char** argv) {
  // This program is its own extraction worker.
  if (const auto status = sworn::service::MaybeRunInternalVerb(argc, argv)) return *status;
  try {
    sworn::bench::Run(sworn::bench::Parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "index_bench: " << error.what() << "\n";
    return 1;
  }
}
