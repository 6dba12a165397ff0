#include "indexer/extract/extraction_pool.h"

#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "indexer/extract/formats.h"
#include "indexer/extract/media_type.h"
#include "indexer/extract/ocr.h"
#include "indexer/extract/worker_process.h"

namespace sworn::indexer {
namespace {

// A fresh worker now and then bounds what a leak of a foreign library can gather.
constexpr std::uint32_t kMaxFilesPerWorker = 1000;

// Starts all workers from one thread that lives as long as the pool, because the kernel ends a
// child with the thread that started it, and callers' threads come and go.
class WorkerStarter {
 public:
  WorkerStarter() : thread_([this] { Run(); }) {}
  WorkerStarter(const WorkerStarter&) = delete;
  WorkerStarter& operator=(const WorkerStarter&) = delete;
  ~WorkerStarter() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  WorkerProcess Start(const std::filesystem::path& program, const ExtractLimits& limits) {
    std::packaged_task<WorkerProcess()> task(
        [&program, &limits] { return WorkerProcess(program, limits); });
    std::future<WorkerProcess> started = task.get_future();
    {
      const std::scoped_lock lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
    return started.get();
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      std::packaged_task<WorkerProcess()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;  // guards tasks_ and stopping_
  std::condition_variable changed_;
  std::deque<std::packaged_task<WorkerProcess()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

ExtractionResult Outcome(ExtractionStatus status, std::string reason) {
  ExtractionResult result;
  result.status = status;
  result.reason = std::move(reason);
  return result;
}

ExtractionResult Unread(const WorkerReply& reply) {
  return Outcome(reply.code == ErrorCode::kUnsupportedMedia ? ExtractionStatus::kSkipped
                                                            : ExtractionStatus::kFailed,
                 reply.reason);
}

}  // namespace

class ExtractionPool::Impl {
 public:
  explicit Impl(ExtractionPoolOptions options)
      : options_(std::move(options)), free_slots_(std::max<std::size_t>(options_.workers, 1)) {}

  ExtractionResult Extract(std::string_view bytes, std::string_view file_name,
                           const std::string& media_type) {
    if (const auto tool = SymbolToolFor(media_type, bytes)) {
      return ExtractCode(bytes, file_name, media_type, *tool);
    }
    if (FindExtractor(media_type) != nullptr) {
      return ExtractNative(bytes, file_name, media_type);
    }
    const std::vector<ToolCommand> tools = ToolsFor(media_type);
    if (!tools.empty()) return Convert(bytes, file_name, tools);
    return Outcome(ExtractionStatus::kSkipped, "unsupported: " + media_type);
  }

  const ExtractLimits& limits() const { return options_.limits; }

 private:
  class Lease;

  WorkerRequest RequestFor(std::string_view file_name, const std::string& media_type) const {
    WorkerRequest request;
    request.extract.file_name = file_name;
    request.extract.media_type = media_type;
    request.extract.limits = options_.limits;
    return request;
  }

  WorkerReply Call(const WorkerRequest& request, std::string_view bytes);
  ExtractionResult ExtractNative(std::string_view bytes, std::string_view file_name,
                                 const std::string& media_type);
  ExtractionResult Convert(std::string_view bytes, std::string_view file_name,
                           const std::vector<ToolCommand>& tools);
  ExtractionResult ExtractCode(std::string_view bytes, std::string_view file_name,
                               const std::string& media_type, const SymbolTool& tool);
  ExtractionResult WithOcr(std::string_view bytes, const WorkerRequest& request,
                           Extraction extraction);
  std::string Recognise(std::string_view bytes, WorkerRequest request, Extraction& extraction);

  const ExtractionPoolOptions options_;
  WorkerStarter starter_;
  std::mutex mutex_;  // guards free_slots_ and idle_
  std::condition_variable slot_freed_;
  std::size_t free_slots_;
  std::vector<WorkerProcess> idle_;
};

// One of the pool's slots and the worker in it, if one was idle.
class ExtractionPool::Impl::Lease {
 public:
  explicit Lease(Impl& pool) : pool_(pool) {
    std::unique_lock lock(pool_.mutex_);
    pool_.slot_freed_.wait(lock, [this] { return pool_.free_slots_ > 0; });
    --pool_.free_slots_;
    if (!pool_.idle_.empty()) {
      worker_.emplace(std::move(pool_.idle_.back()));
      pool_.idle_.pop_back();
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (worker_ && (!worker_->alive() || worker_->served() >= kMaxFilesPerWorker)) worker_.reset();
    {
      const std::scoped_lock lock(pool_.mutex_);
      if (worker_) pool_.idle_.push_back(std::move(*worker_));
      ++pool_.free_slots_;
    }
    pool_.slot_freed_.notify_one();
  }

  WorkerProcess& worker() {
    if (!worker_) {
      worker_.emplace(pool_.starter_.Start(pool_.options_.program, pool_.options_.limits));
    }
    return *worker_;
  }

 private:
  Impl& pool_;
  std::optional<WorkerProcess> worker_;
};

WorkerReply ExtractionPool::Impl::Call(const WorkerRequest& request, std::string_view bytes) {
  Lease lease(*this);
  return lease.worker().Call(request, bytes, options_.cancel);
}

ExtractionResult ExtractionPool::Impl::ExtractNative(std::string_view bytes,
                                                     std::string_view file_name,
                                                     const std::string& media_type) {
  const WorkerRequest request = RequestFor(file_name, media_type);
  WorkerReply reply = Call(request, bytes);
  if (!reply.ok) return Unread(reply);
  return WithOcr(bytes, request, std::move(reply.extraction));
}

ExtractionResult ExtractionPool::Impl::Convert(std::string_view bytes, std::string_view file_name,
                                               const std::vector<ToolCommand>& tools) {
  std::string reasons;
  for (const ToolCommand& tool : tools) {
    std::error_code ignored;
    if (!std::filesystem::exists(tool.program, ignored)) continue;
    ToolOutput output = RunTool(options_.program, tool, bytes, options_.limits, options_.cancel);
    if (!output.ok) {
      reasons.append(reasons.empty() ? "" : "; ").append(output.reason);
      continue;
    }
    ExtractionResult result = ExtractNative(output.bytes, file_name, tool.output_type);
    result.text.extractor.append(" ").append(tool.program.filename().native());
    return result;
  }
  if (!reasons.empty()) return Outcome(ExtractionStatus::kFailed, reasons);
  return Outcome(ExtractionStatus::kSkipped, "unsupported: needs " +
                                                 tools.front().program.filename().native() +
                                                 " (Debian package " + tools.front().package + ")");
}

// Without the program, or when it fails, code is cut by its size alone.
ExtractionResult ExtractionPool::Impl::ExtractCode(std::string_view bytes,
                                                   std::string_view file_name,
                                                   const std::string& media_type,
                                                   const SymbolTool& tool) {
  const std::string name = tool.command.program.filename().native();
  std::error_code ignored;
  if (!std::filesystem::exists(tool.command.program, ignored)) {
    return ExtractNative(bytes, file_name, media_type);
  }
  ToolOutput symbols;
  symbols.reason = "larger than 16 MiB";
  if (bytes.size() <= kMaxSymbolSourceBytes) {
    ExtractLimits limits = options_.limits;
    limits.max_seconds = std::min(limits.max_seconds, kMaxSymbolSeconds);
    symbols = RunTool(options_.program, tool.command, tool.input, limits, options_.cancel);
  }
  const std::string tagged = symbols.ok ? TagCode(symbols.bytes, bytes) : std::string();
  if (symbols.ok && tagged.size() <= options_.limits.max_file_bytes) {
    ExtractionResult result = ExtractNative(tagged, file_name, std::string(media::kTaggedCode));
    if (result.status == ExtractionStatus::kText) result.text.extractor.append(" ").append(name);
    return result;
  }
  ExtractionResult result = ExtractNative(bytes, file_name, media_type);
  if (result.status == ExtractionStatus::kText && result.text.warnings.size() < kMaxWarnings) {
    result.text.warnings.push_back("not cut at its symbols: " + symbols.reason);
  }
  return result;
}

ExtractionResult ExtractionPool::Impl::WithOcr(std::string_view bytes, const WorkerRequest& request,
                                               Extraction extraction) {
  std::string hint = " (Debian package tesseract-ocr)";
  if (!extraction.ocr_pages.empty() && options_.ocr) {
    hint = "; " + Recognise(bytes, request, extraction);
  }
  ExtractionResult result;
  result.status = ExtractionStatus::kText;
  result.text = std::move(extraction.text);
  if (extraction.ocr_pages.empty()) return result;
  const std::string pages =
      (extraction.ocr_pages.size() == 1 ? "page " : "pages ") + DescribePages(extraction.ocr_pages);
  if (result.text.blocks.empty()) {
    return Outcome(ExtractionStatus::kNeedsOcr,
                   "needs OCR: " + pages + " without a text layer" + hint);
  }
  if (result.text.warnings.size() < kMaxWarnings) {
    result.text.warnings.push_back(pages +
                                   (extraction.ocr_pages.size() == 1 ? " needs OCR" : " need OCR"));
  }
  return result;
}

// Replaces `extraction.ocr_pages` by those that are still without text; returns why the first is.
std::string ExtractionPool::Impl::Recognise(std::string_view bytes, WorkerRequest request,
                                            Extraction& extraction) {
  request.operation = WorkerOperation::kRenderPage;
  request.dpi = kOcrDotsPerInch;
  std::map<std::uint32_t, std::string> recognised;
  std::vector<std::uint32_t> unread;
  std::string reason;
  for (const std::uint32_t page : extraction.ocr_pages) {
    request.page = page;
    ToolOutput output;
    output.reason = "more than " + std::to_string(kMaxOcrPages) + " pages";
    if (recognised.size() < kMaxOcrPages) {
      const WorkerReply rendered = Call(request, bytes);
      if (rendered.ok) {
        output = RunTool(options_.program, *options_.ocr, rendered.image, options_.limits,
                         options_.cancel);
      } else {
        output.reason = rendered.reason;
      }
    }
    if (output.ok) {
      recognised.emplace(page, std::move(output.bytes));
    } else {
      if (unread.empty()) reason = output.reason;
      unread.push_back(page);
    }
  }
  if (!recognised.empty()) extraction.text = InsertOcrPages(extraction.text, recognised);
  extraction.ocr_pages = std::move(unread);
  return reason;
}

ExtractionPool::ExtractionPool(ExtractionPoolOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

ExtractionPool::~ExtractionPool() = default;

ExtractionResult ExtractionPool::Extract(std::string_view bytes, std::string_view file_name,
                                         std::string_view media_type) {
  const std::string type(media_type.empty() ? DetectMediaType(file_name, bytes) : media_type);
  ExtractionResult result;
  if (bytes.empty()) {
    result = Outcome(ExtractionStatus::kSkipped, "empty");
  } else if (bytes.size() > impl_->limits().max_file_bytes) {
    result = Outcome(ExtractionStatus::kFailed, "larger than " +
                                                    std::to_string(impl_->limits().max_file_bytes) +
                                                    " bytes (max_file_bytes)");
  } else {
    result = impl_->Extract(bytes, file_name, type);
  }
  result.media_type = type;
  return result;
}

}  // namespace sworn::indexer
